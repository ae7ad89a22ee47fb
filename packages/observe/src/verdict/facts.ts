/** What the rules of a diagnosis look at: a result and its plan, brought together per host. */
import {
  type AppPlan,
  type CpuRow,
  type DevicePlan,
  dropPlace,
  type HostPlan,
  type HostResult,
  PATH_PLACES,
  type PathPlace,
  type Plan,
  type QueueRow,
  type ResultDocument,
  type SocketRow,
  type TaskRow,
} from '@softnet/scenario/plan'

/** A result before its verdict. */
export type UndiagnosedResult = Omit<ResultDocument, 'verdict'>

/** A CPU with less idle time than this share, while there was traffic, has no room left. */
export const SATURATED_IDLE = 0.05

/** A CPU with at least this share of idle time can take work over. */
export const SPARE_IDLE = 0.3

/** Where one CPU's time went, as shares in [0,1] that add up to one. */
export interface CpuFacts {
  readonly cpu: number
  /** `cpu0`; `HOST/cpu0` where there are several hosts. */
  readonly name: string
  readonly row: CpuRow
  readonly hardirq: number
  /** Softirq time in both contexts, at interrupt exit and in ksoftirqd. */
  readonly softirq: number
  readonly ksoftirqd: number
  readonly task: number
  readonly idle: number
  readonly saturated: boolean
}

/** One receive queue with its device and the CPU that polls it. */
export interface QueueFacts {
  readonly row: QueueRow
  readonly device: DevicePlan
  readonly cpu: CpuFacts
  readonly rpsCpus: readonly number[]
}

/** An application: its plan, tasks and sockets. */
export interface AppFacts {
  readonly plan: AppPlan
  readonly tasks: readonly TaskRow[]
  readonly sockets: readonly SocketRow[]
  readonly drops: number
}

/** One host: plan, result and what can be derived from both. */
export interface HostFacts {
  readonly name: string
  readonly plan: HostPlan
  readonly result: HostResult
  /** By position; `cpuOf` looks one up by number. */
  readonly cpus: readonly CpuFacts[]
  readonly queues: readonly QueueFacts[]
  readonly apps: readonly AppFacts[]
  /** Frames lost on this host at each place. */
  readonly lostAt: Readonly<Record<PathPlace, number>>
  readonly lostFrames: number
  /** Frames lost on this host by reason; frames an ntuple rule dropped are under `NTUPLE`. */
  readonly lostByReason: Readonly<Record<string, number>>
}

/** A run: its hosts and its plan. */
export interface RunFacts {
  readonly result: UndiagnosedResult
  readonly plan: Plan
  readonly hosts: readonly HostFacts[]
  readonly seconds: number
}

function cpuFacts(row: CpuRow, prefix: string, activeShare: number): CpuFacts {
  const { hardirq, softirq, ksoftirqd, task, idle } = row.time_ns
  const total = hardirq + softirq + ksoftirqd + task + idle
  const share = (part: number): number => (total > 0 ? part / total : 0)
  const idleShare = total > 0 ? idle / total : 1
  return {
    cpu: row.cpu,
    name: `${prefix}cpu${row.cpu}`,
    row,
    hardirq: share(hardirq),
    softirq: share(softirq + ksoftirqd),
    ksoftirqd: share(ksoftirqd),
    task: share(task),
    idle: idleShare,
    saturated: 1 - idleShare >= activeShare * (1 - SATURATED_IDLE),
  }
}

function lostByPlace(result: UndiagnosedResult, host: string): Record<PathPlace, number> {
  const lost = Object.fromEntries(PATH_PLACES.map((place) => [place, 0])) as Record<PathPlace, number>
  for (const drop of result.drops) {
    if (drop.host === host) lost[dropPlace(drop)] += drop.count
  }
  return lost
}

function lostByReason(result: UndiagnosedResult, host: string): Record<string, number> {
  const lost: Record<string, number> = {}
  for (const { host: on, where, reason, count } of result.drops) {
    if (on !== host) continue
    const key = where === 'nic_ntuple' ? 'NTUPLE' : reason
    lost[key] = (lost[key] ?? 0) + count
  }
  return lost
}

/** Share of the run from the first to the last interval with traffic; pauses between bursts are part of it. */
function activeShare(result: UndiagnosedResult): number {
  const { timeline } = result
  const first = timeline.findIndex((row) => row.offered > 0)
  if (first < 0) return 1
  const last = timeline.findLastIndex((row) => row.offered > 0)
  return (last - first + 1) / timeline.length
}

function appFacts(plan: HostPlan, result: HostResult): AppFacts[] {
  const names = new Set(plan.apps.map(({ name }) => name))
  const sockets = Object.values(result.netns).flatMap((netns) => netns.sockets)
  return plan.apps.map((app) => {
    const own = sockets.filter((socket) => socket.app === app.name)
    const isTask = (name: string): boolean =>
      name === app.name ||
      (!names.has(name) && name.startsWith(app.name) && /^[^\p{L}\p{N}]?\d+$/u.test(name.slice(app.name.length)))
    return {
      plan: app,
      tasks: result.tasks.filter((task) => isTask(task.name)),
      sockets: own,
      drops: own.reduce((sum, socket) => sum + socket.drops, 0),
    }
  })
}

function hostFacts(plan: HostPlan, result: HostResult, run: UndiagnosedResult): HostFacts {
  const active = activeShare(run)
  const prefix = Object.keys(run.hosts).length > 1 ? `${plan.name}/` : ''
  const cpus = result.cpus.map((row) => cpuFacts(row, prefix, active))
  const queues = result.queues.flatMap((row) => {
    const device = plan.devices.find(({ name }) => name === row.dev)
    const cpu = cpus.find((candidate) => candidate.cpu === row.cpu)
    if (device === undefined || cpu === undefined) return []
    return [{ row, device, cpu, rpsCpus: device.queues[row.queue]?.rpsCpus ?? [] }]
  })
  const lostAt = lostByPlace(run, plan.name)
  const lostFrames = PATH_PLACES.reduce((sum, place) => sum + lostAt[place], 0)
  return {
    name: plan.name,
    plan,
    result,
    cpus,
    queues,
    apps: appFacts(plan, result),
    lostAt,
    lostFrames,
    lostByReason: lostByReason(run, plan.name),
  }
}

/** Brings a result and its plan together; hosts that only one of them knows are left out. */
export function gatherFacts(result: UndiagnosedResult, plan: Plan): RunFacts {
  const hosts = plan.hosts.flatMap((host) => {
    const found = result.hosts[host.name]
    return found === undefined ? [] : [hostFacts(host, found, result)]
  })
  return { result, plan, hosts, seconds: result.simulated_ns / 1e9 }
}

/** CPU of a number on a host. */
export function cpuOf(host: HostFacts, cpu: number): CpuFacts | undefined {
  return host.cpus.find((candidate) => candidate.cpu === cpu)
}

/** CPUs with room to spare, idlest first; CPUs that take interrupts come after those that do not. */
export function spareCpus(host: HostFacts): CpuFacts[] {
  const irqCpus = new Set(host.queues.map((queue) => queue.cpu.cpu))
  return host.cpus
    .filter((cpu) => cpu.idle >= SPARE_IDLE)
    .sort((a, b) => Number(irqCpus.has(a.cpu)) - Number(irqCpus.has(b.cpu)) || b.idle - a.idle || a.cpu - b.cpu)
}

/** The queue that lost most, else the fullest ring, else the busiest; undefined without queues. */
export function hottestQueue(host: HostFacts): QueueFacts | undefined {
  const fill = (queue: QueueFacts): number => queue.row.ring_max / Math.max(1, queue.row.ring_size)
  return [...host.queues].sort(
    (a, b) => b.row.dropped - a.row.dropped || fill(b) - fill(a) || b.row.frames - a.row.frames,
  )[0]
}

/** Frames lost on a host for one of the reasons. */
export function lostFor(host: HostFacts, ...reasons: readonly string[]): number {
  return reasons.reduce((sum, reason) => sum + (host.lostByReason[reason] ?? 0), 0)
}

/** The stage a CPU spent most time in, and its share of the busy time; undefined for an idle CPU. */
export function topStage(cpu: CpuFacts): { readonly name: string; readonly share: number } | undefined {
  const stages = Object.entries(cpu.row.stages_ns).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const busy = stages.reduce((sum, [, time]) => sum + time, 0)
  const top = stages[0]
  return top === undefined || busy <= 0 ? undefined : { name: top[0], share: top[1] / busy }
}
