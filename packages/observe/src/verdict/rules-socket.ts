/** Diagnoses of datagrams lost at a full socket: buffer too small, reader too slow, or reader not let run. */
import { KERNEL_VERSIONS, type VersionPolicy } from '@softnet/scenario/plan'
import { formatBytes, formatCount, formatPercent, formatTime } from '../format.js'
import { type AppFacts, type CpuFacts, cpuOf, type HostFacts, lostFor, type RunFacts, spareCpus } from './facts.js'
import type { DiagnosisRule, Finding, Remedy } from './rule.js'
import { listValue, powerOfTwoAtLeast, remedy, settingPaths } from './settings.js'

interface SocketLoss {
  readonly lost: number
  /** Program whose sockets dropped most. */
  readonly app: AppFacts
  /** Its CPUs. */
  readonly cpus: readonly CpuFacts[]
  /** The one with the least idle time. */
  readonly cpu: CpuFacts
  /** Share of that CPU the program had. */
  readonly appShare: number
}

function socketLoss(host: HostFacts): SocketLoss | null {
  const lost = lostFor(host, 'SOCKET_RCVBUFF')
  const app = [...host.apps].sort((a, b) => b.drops - a.drops)[0]
  if (lost === 0 || app === undefined) return null
  const numbers = [...new Set(app.tasks.map((task) => task.cpu))]
  const cpus = numbers.flatMap((number) => cpuOf(host, number) ?? [])
  const cpu = [...cpus].sort((a, b) => a.idle - b.idle || a.cpu - b.cpu)[0]
  if (cpu === undefined) return null
  const own = app.tasks.filter((task) => task.cpu === cpu.cpu).reduce((sum, task) => sum + task.time_ns, 0)
  const { hardirq, softirq, ksoftirqd, task, idle } = cpu.row.time_ns
  const total = hardirq + softirq + ksoftirqd + task + idle
  return { lost, app, cpus, cpu, appShare: total > 0 ? own / total : 0 }
}

function lostAtSocket(loss: SocketLoss): string {
  const rcvbuf = Math.max(0, ...loss.app.sockets.map((socket) => socket.rcvbuf))
  return `${formatCount(loss.lost)} datagrams found the socket of ${loss.app.plan.name} full (RcvbufErrors, ${formatBytes(rcvbuf)})`
}

/** Share of the reader's CPU from which the kernel is what it lacks time to. */
const KERNEL_RIVAL = 0.3

/** Flows of all sources; one flow reaches one socket, however many readers there are. */
function flowCount(run: RunFacts): number {
  return run.plan.traffic.reduce((sum, source) => sum + (source.kind === 'replay' ? 2 : source.flows.count), 0)
}

/** CPU of each task, those on a CPU without room given one of the free ones in turn. */
function movedTasks(host: HostFacts, app: AppFacts, free: readonly number[]): number[] {
  let moved = 0
  return app.plan.tasks.map((allowed, i) => {
    const cpu = app.tasks[i]?.cpu ?? allowed[0] ?? 0
    if (cpuOf(host, cpu)?.saturated !== true) return cpu
    return free[moved++ % free.length] as number
  })
}

/** Share of a CPU that tasks of other programs had, and the program that had most. */
export function rivalOn(
  host: HostFacts,
  app: AppFacts,
  cpu: CpuFacts,
): { readonly name: string; readonly share: number } | null {
  let most: { name: string; share: number } | null = null
  const { hardirq, softirq, ksoftirqd, task, idle } = cpu.row.time_ns
  const total = hardirq + softirq + ksoftirqd + task + idle
  for (const other of host.apps) {
    if (other === app) continue
    const time = other.tasks.filter((row) => row.cpu === cpu.cpu).reduce((sum, row) => sum + row.time_ns, 0)
    const share = total > 0 ? time / total : 0
    if (share > (most?.share ?? 0)) most = { name: other.plan.name, share }
  }
  return most
}

function cpuShared(host: HostFacts, run: RunFacts): Finding | null {
  const loss = socketLoss(host)
  if (loss === null || !loss.cpu.saturated) return null
  const { cpu, app } = loss
  const rival = rivalOn(host, app, cpu)
  if (rival === null || rival.share < 0.3 || rival.share < loss.appShare) return null
  const free = spareCpus(host)
    .filter((other) => other !== cpu)
    .map((other) => other.cpu)
  return {
    lostFrames: loss.lost,
    weight: rival.share,
    limits: 'place',
    claim: `${lostAtSocket(loss)} because ${app.plan.name} waits for its CPU: on ${cpu.name} ${rival.name} has ${formatPercent(rival.share)} of the time and ${app.plan.name} ${formatPercent(loss.appShare)}.`,
    evidence: `${rival.name} runs until its slice is over, at ${host.plan.hz} jiffies per second a tick or more after ${app.plan.name} was woken; the socket fills meanwhile.`,
    advice: `Keep ${rival.name} and ${app.plan.name} on different CPUs.`,
    remedies:
      free.length > 0
        ? [
            remedy(
              settingPaths(run, host.name).app(app.plan.name, 'cpus'),
              listValue(movedTasks(host, app, free)),
              `away from ${rival.name}`,
            ),
          ]
        : [],
  }
}

function starved(host: HostFacts, run: RunFacts): Finding | null {
  const loss = socketLoss(host)
  if (loss === null || !loss.cpu.saturated) return null
  const { cpu, app } = loss
  const kernel = cpu.softirq + cpu.hardirq
  if (kernel < KERNEL_RIVAL) return null
  const irqQueue = host.queues.find((queue) => queue.cpu === cpu)
  const spare = spareCpus(host)
  const free = spare.map((other) => other.cpu).slice(0, Math.max(1, app.plan.tasks.length))
  const remedies: Remedy[] =
    free.length > 0
      ? [
          remedy(
            settingPaths(run, host.name).app(app.plan.name, 'cpus'),
            listValue(movedTasks(host, app, free)),
            `moves it off the CPU that receives`,
          ),
        ]
      : []
  return {
    lostFrames: loss.lost,
    weight: kernel,
    limits: 'place',
    claim: `${lostAtSocket(loss)} because ${kernel >= loss.appShare * 2 ? 'softirq starves the program' : 'softirq and the program share a CPU'}: on ${cpu.name} the kernel takes ${formatPercent(kernel)} of the time and leaves ${app.plan.name} ${formatPercent(loss.appShare)}.`,
    evidence:
      irqQueue === undefined
        ? `${cpu.name} runs the protocols of packets steered to it and is ${formatPercent(1 - cpu.idle)} busy.`
        : `${cpu.name} also takes the interrupts of ${irqQueue.row.dev} queue ${irqQueue.row.queue}, and softirq goes before tasks.`,
    advice:
      free.length > 0
        ? `Run ${app.plan.name} on ${spare[0]?.name}; a larger buffer would only fill later.`
        : 'Every CPU is busy; take work off this one.',
    remedies,
  }
}

function appTooSlow(host: HostFacts, run: RunFacts): Finding | null {
  const loss = socketLoss(host)
  if (loss === null || !loss.cpu.saturated) return null
  const { cpu, app } = loss
  const kernel = cpu.softirq + cpu.hardirq
  if (kernel >= KERNEL_RIVAL) return null
  const messages = app.tasks.reduce((sum, task) => sum + task.messages, 0)
  const syscalls = app.tasks.reduce((sum, task) => sum + task.syscalls, 0)
  const time = app.tasks.reduce((sum, task) => sum + task.time_ns, 0)
  const each = messages > 0 ? time / messages : 0
  const paths = settingPaths(run, host.name)
  const spare = spareCpus(host).map((other) => other.cpu)
  const own = loss.cpus.map((other) => other.cpu)
  const remedies: Remedy[] = []
  const more = [...new Set([...own, ...spare.slice(0, Math.max(1, own.length))])].sort((a, b) => a - b)
  if (more.length > app.plan.tasks.length && flowCount(run) > 1) {
    remedies.push(
      remedy(
        paths.app(app.plan.name, 'cpus'),
        listValue(more),
        `${more.length} readers instead of ${app.plan.tasks.length}, each with a SO_REUSEPORT socket`,
      ),
    )
  }
  if (messages > 0 && syscalls > messages * 0.5 && app.plan.wait !== 'recvmmsg') {
    remedies.push(remedy(paths.app(app.plan.name, 'wait'), 'recvmmsg', 'several datagrams per system call'))
  }
  return {
    lostFrames: loss.lost,
    weight: loss.appShare,
    limits: 'place',
    claim: `${lostAtSocket(loss)} because ${app.plan.name} reads too slowly: it has ${formatPercent(loss.appShare)} of ${cpu.name} and the CPU is full.`,
    evidence: `A message costs it ${formatTime(each)} (${messages > 0 ? (syscalls / messages).toFixed(2) : '0'} system calls each, ${formatTime(app.plan.workPs / 1000)} of it its own work), so one reader manages ${each > 0 ? formatCount(1e9 / each) : '0'} messages per second.`,
    advice: 'Read with more tasks or do less per message; a larger buffer would only fill later.',
    remedies,
  }
}

function rcvbufTooSmall(host: HostFacts, run: RunFacts): Finding | null {
  const loss = socketLoss(host)
  if (loss === null || loss.cpu.saturated) return null
  const { app, cpu } = loss
  const rcvbuf = Math.max(0, ...app.sockets.map((socket) => socket.rcvbuf))
  const paths = settingPaths(run, host.name)
  const rmemMax = host.plan.sysctl['net.core.rmem_max']
  const wanted = Math.min(1 << 30, powerOfTwoAtLeast(rcvbuf * 2))
  const remedies = [
    remedy(paths.app(app.plan.name, 'sockets.SO_RCVBUF'), wanted, 'Linux doubles it: room for four times as much'),
  ]
  if (wanted > rmemMax) {
    remedies.push(
      remedy(paths.sysctl('net.core.rmem_max'), wanted, `SO_RCVBUF is cut to ${formatCount(rmemMax)} without it`),
    )
  }
  const used = Math.max(0, ...app.sockets.map((socket) => socket.rmem_max_used))
  return {
    lostFrames: loss.lost,
    weight: 0.5,
    claim: `${lostAtSocket(loss)} in bursts: the receive buffer is too small, not the reader too slow.`,
    evidence: `${cpu.name}, where it reads, is ${formatPercent(cpu.idle)} idle over the run, and the fullest socket held ${formatCount(used)} of ${formatCount(rcvbuf)} bytes of truesize.`,
    advice: 'Give the socket a buffer that holds a burst; small datagrams count with their whole sk_buff.',
    remedies,
  }
}

/** Where Linux counts datagrams without memory, by version. */
function memoryCounter({ udpProducerQueue, udpMemErrors }: VersionPolicy): string {
  if (udpProducerQueue) return 'no counter of /proc/net/snmp moves for it, only the drops of the sockets'
  return udpMemErrors ? 'MemErrors and InErrors count it' : 'InErrors counts it'
}

function udpMemory(host: HostFacts, run: RunFacts): Finding | null {
  const lost = lostFor(host, 'PROTO_MEM')
  if (lost === 0) return null
  const { sysctl } = host.plan
  const [min, pressure, max] = sysctl['net.ipv4.udp_mem']
  const version = KERNEL_VERSIONS[run.plan.kernel]
  return {
    lostFrames: lost,
    weight: 0.5,
    claim: `${formatCount(lost)} datagrams found no memory: all UDP sockets together held more than the first number of udp_mem (${formatCount(min)} pages).`,
    evidence: `Beyond it only a socket with less than udp_rmem_min (${formatCount(sysctl['net.ipv4.udp_rmem_min'])} bytes) gets a page, beyond ${formatCount(max)} pages none; ${memoryCounter(version)}.`,
    advice: 'Raise all three numbers, or give sockets smaller buffers so that one slow reader cannot take all memory.',
    remedies: [
      remedy(
        settingPaths(run, host.name).sysctl('net.ipv4.udp_mem'),
        listValue([min * 4, pressure * 4, max * 4]),
        'four times the memory for UDP',
      ),
    ],
  }
}

/** Rules about sockets. */
export const SOCKET_RULES: readonly DiagnosisRule[] = [
  { name: 'cpu_shared', subject: 'socket', summary: 'Another program has the CPU of the reader', find: cpuShared },
  { name: 'app_starved', subject: 'socket', summary: 'Softirq leaves the reader no time', find: starved },
  { name: 'app_too_slow', subject: 'socket', summary: 'The reader needs more than its CPU', find: appTooSlow },
  {
    name: 'rcvbuf_too_small',
    subject: 'socket',
    summary: 'Bursts overflow the socket of an idle reader',
    find: rcvbufTooSmall,
  },
  { name: 'udp_memory', subject: 'socket', summary: 'All UDP sockets together are beyond udp_mem', find: udpMemory },
]
