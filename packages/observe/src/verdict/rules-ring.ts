/** Diagnoses of frames that found no descriptor: the ring was too small, or its CPU too busy, and why. */
import { formatCpuList } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatRate, formatTime } from '../format.js'
import { type HostFacts, hottestQueue, lostFor, type QueueFacts, type RunFacts, spareCpus, topStage } from './facts.js'
import { burstFrames, flowSets, openTraffic } from './offered-traffic.js'
import type { DiagnosisRule, Finding, Remedy } from './rule.js'
import { listValue, maskValue, powerOfTwoAtLeast, remedy, settingPaths } from './settings.js'

/** Share of the time in hard interrupts that leaves nothing for anyone else. */
const LIVELOCK_HARDIRQ = 0.5
/** Share of the time of a queue's CPU that makes a program on it a rival. */
const RIVAL_TASK = 0.25
/** Share of all frames on one queue that counts as all of them. */
const MOST_FRAMES = 0.8

/** A host that lost frames at its rings: the queue that tells why, and the frames. */
interface RingLoss {
  readonly queue: QueueFacts
  readonly lost: number
  readonly perDevice: readonly QueueFacts[]
}

function ringLoss(host: HostFacts): RingLoss | null {
  const lost = lostFor(host, 'NIC_RX_MISSED', 'NIC_RX_NO_BUFFER')
  const queue = hottestQueue(host)
  if (lost === 0 || queue === undefined) return null
  return { queue, lost, perDevice: host.queues.filter(({ row }) => row.dev === queue.row.dev) }
}

function saturatedLoss(host: HostFacts): RingLoss | null {
  const loss = ringLoss(host)
  return loss?.queue.cpu.saturated ? loss : null
}

/** What a busy queue CPU does with its time, and what one packet costs there. */
function busyEvidence(loss: RingLoss, host: HostFacts): string {
  const { cpu } = loss.queue
  const { row } = cpu
  const others = host.cpus.filter((other) => other.cpu !== cpu.cpu)
  const idle = others.filter((other) => other.idle >= 0.5)
  const kernelNs = row.time_ns.softirq + row.time_ns.ksoftirqd + row.time_ns.hardirq
  const frames = host.queues.filter((queue) => queue.cpu === cpu).reduce((sum, queue) => sum + queue.row.frames, 0)
  const cost = frames > 0 ? kernelNs / frames : 0
  const stage = topStage(cpu)
  const parts = [
    `${cpu.name} spends ${formatPercent(cpu.softirq)} of its time in softirq${cpu.hardirq >= 0.01 ? ` and ${formatPercent(cpu.hardirq)} in hard interrupts` : ''}`,
    cost > 0 ? `at ${formatTime(cost)} a frame it takes at most ${formatRate(1e9 / cost)}` : '',
    stage !== undefined ? `${stage.name} is its largest stage (${formatPercent(stage.share)})` : '',
  ].filter((part) => part !== '')
  const rest =
    idle.length > 0
      ? `, while ${idle.length} of ${others.length} other CPUs ${idle.length === 1 ? 'is' : 'are'} mostly idle`
      : ''
  return `${parts.join(', ')}${rest}.`
}

function lostAtRing(loss: RingLoss): string {
  const { row } = loss.queue
  return `${formatCount(loss.lost)} frames found no descriptor: the ring of ${row.dev} queue ${row.queue} reached ${formatCount(row.ring_max)} of ${formatCount(row.ring_size)}`
}

function finding(loss: RingLoss, host: HostFacts, cause: string, advice: string, remedies: readonly Remedy[]): Finding {
  return {
    lostFrames: loss.lost,
    weight: 1 - loss.queue.cpu.idle,
    claim: `${lostAtRing(loss)} because ${cause}.`,
    evidence: busyEvidence(loss, host),
    advice,
    remedies,
  }
}

function livelock(host: HostFacts, run: RunFacts): Finding | null {
  const queue = host.queues
    .filter(({ device, cpu }) => device.driver.rxMode === 'non-napi' && cpu.hardirq >= LIVELOCK_HARDIRQ)
    .sort((a, b) => b.cpu.hardirq - a.cpu.hardirq)[0]
  const lost = lostFor(host, 'NIC_RX_MISSED', 'NIC_RX_NO_BUFFER', 'CPU_BACKLOG', 'SOCKET_RCVBUFF')
  if (queue === undefined || !queue.cpu.saturated || lost === 0) return null
  const { cpu, row, device } = queue
  const perSec = run.seconds > 0 ? row.irqs / run.seconds : 0
  return {
    lostFrames: lost,
    weight: cpu.hardirq,
    limits: 'everything',
    claim: `Interrupt livelock: the ${device.driver.name} driver has no NAPI, and ${cpu.name} spends ${formatPercent(cpu.hardirq)} of its time in hard interrupts (${formatRate(perSec).replace('pps', 'irq/s')}) taking frames in that nobody gets to process.`,
    evidence: `Softirq is left ${formatPercent(cpu.softirq)} and tasks ${formatPercent(cpu.task)}; ${formatCount(lost)} frames were lost, ${formatCount(lostFor(host, 'CPU_BACKLOG'))} of them at the backlog after the interrupt had paid for them.`,
    advice: 'Use a NAPI driver: it masks the interrupt while it polls, so overload is dropped in the ring at no cost.',
    remedies: [
      remedy(
        settingPaths(run, host.name).device(row.dev, 'driver'),
        'e1000',
        'polls under load instead of interrupting',
      ),
    ],
  }
}

function appOnIrqCpu(host: HostFacts, run: RunFacts): Finding | null {
  const loss = saturatedLoss(host)
  if (loss === null || loss.queue.cpu.task < RIVAL_TASK) return null
  const app = host.apps.find(({ tasks }) => tasks.some((task) => task.cpu === loss.queue.cpu.cpu))
  const spare = spareCpus(host)[0]
  if (app === undefined || spare === undefined) return null
  const { cpu } = loss.queue
  return finding(
    loss,
    host,
    `${cpu.name} shares its time between softirq (${formatPercent(cpu.softirq)}) and ${app.plan.name} (${formatPercent(cpu.task)})`,
    `Move ${app.plan.name} to a CPU that takes no interrupts, such as ${spare.name} (${formatPercent(spare.idle)} idle).`,
    [
      remedy(
        settingPaths(run, host.name).app(app.plan.name, 'cpus'),
        listValue([spare.cpu]),
        `leaves ${cpu.name} to the NIC`,
      ),
    ],
  )
}

function rpsIncludesIrqCpu(host: HostFacts, run: RunFacts): Finding | null {
  const loss = saturatedLoss(host)
  if (loss === null) return null
  const { queue } = loss
  const others = queue.rpsCpus.filter((cpu) => cpu !== queue.cpu.cpu)
  if (!queue.rpsCpus.includes(queue.cpu.cpu) || others.length === 0) return null
  return finding(
    loss,
    host,
    `${queue.cpu.name} takes the interrupts and is in rps_cpus too, so it also runs the protocols of its share of the packets`,
    `Take ${queue.cpu.name} out of the mask: at a high interrupt rate it has enough to do with the driver.`,
    [
      remedy(
        settingPaths(run, host.name).device(queue.row.dev, 'queues.rps_cpus'),
        maskValue(others),
        `steers to CPUs ${formatCpuList(others)} only`,
      ),
    ],
  )
}

function vectorsOnOneCpu(host: HostFacts, run: RunFacts): Finding | null {
  const loss = saturatedLoss(host)
  if (loss === null || spareCpus(host).length === 0) return null
  const { queue, perDevice } = loss
  const sharing = perDevice.filter((other) => other.cpu === queue.cpu && other.row.frames > 0)
  if (sharing.length < 2) return null
  const vectors = queue.device.vectors.length
  const paths = settingPaths(run, host.name)
  const cpus = host.cpus.map(({ cpu }) => cpu)
  const spread = Array.from({ length: vectors }, (_, i) => cpus[i % cpus.length]!)
  const fix =
    vectors === 1
      ? remedy(paths.device(queue.row.dev, 'irq.vectors'), 'per-queue', 'gives each queue an interrupt and a NAPI')
      : remedy(
          paths.device(queue.row.dev, 'irq'),
          `{"vectors":${vectors},"smp_affinity_list":${listValue(spread)}}`,
          'one vector per CPU',
        )
  return finding(
    loss,
    host,
    `${sharing.length} of ${perDevice.length} queues interrupt the same CPU, ${queue.cpu.name}`,
    'Spread the vectors over the CPUs with smp_affinity.',
    [fix],
  )
}

function oneQueue(host: HostFacts, run: RunFacts): Finding | null {
  const loss = saturatedLoss(host)
  const spare = spareCpus(host)
  if (loss === null || loss.perDevice.length !== 1 || spare.length === 0) return null
  const { device, cpu, row, rpsCpus } = loss.queue
  const paths = settingPaths(run, host.name)
  const queues = Math.min(device.driver.maxQueues, host.cpus.length)
  const targets = spare.map((other) => other.cpu).filter((other) => other !== cpu.cpu)
  const flows = flowSets(run.plan, host.name, row.dev)
  const single = flows.length > 0 && flows.reduce((sum, set) => sum + set.count, 0) === 1
  const remedies: Remedy[] = []
  const hashesPortsOut = device.hashFields.udp4 === 'sd' && addressesOnly(flows)
  if (queues > 1 && !single && !hashesPortsOut) {
    remedies.push(remedy(paths.device(row.dev, 'channels.combined'), queues, `RSS spreads flows over ${queues} queues`))
  }
  if (rpsCpus.length === 0 && targets.length > 0) {
    const mask = maskValue([...targets].sort((a, b) => a - b))
    remedies.push(remedy(paths.device(row.dev, 'queues.rps_cpus'), mask, `RPS moves IP and UDP off ${cpu.name}`))
  }
  if (queues > 1 && !single && hashesPortsOut) {
    remedies.push(remedy(paths.device(row.dev, 'channels.combined'), queues, `RSS spreads flows over ${queues} queues`))
    remedies.push(remedy(paths.device(row.dev, 'rx-flow-hash.udp4'), 'sdfn', 'so that ports tell flows apart'))
  }
  if (remedies.length === 0) return null
  return finding(
    loss,
    host,
    `all traffic of ${row.dev} has one queue, and so one CPU`,
    queues > 1 && !single
      ? 'Give the card more queues, or steer packets with RPS.'
      : `Steer packets with RPS: ${single ? 'one flow has one hash, so more queues would not help' : `${device.driver.name} has no more queues`}.`,
    remedies,
  )
}

/** Whether flows can be told apart by ports but hardly by addresses. */
function addressesOnly(flows: ReturnType<typeof flowSets>): boolean {
  const total = flows.reduce((sum, set) => sum + set.count, 0)
  const addresses = flows.reduce((sum, set) => sum + Math.min(set.count, set.saddrCount * set.daddrCount), 0)
  return total > 1 && addresses * 2 <= total
}

function concentrated(host: HostFacts): RingLoss | null {
  const loss = saturatedLoss(host)
  if (loss === null || loss.perDevice.length < 2) return null
  const frames = loss.perDevice.reduce((sum, queue) => sum + queue.row.frames + queue.row.dropped, 0)
  const hot = loss.queue.row.frames + loss.queue.row.dropped
  return hot >= frames * MOST_FRAMES || hot * loss.perDevice.length >= frames * 2 ? loss : null
}

function hotShare(loss: RingLoss): string {
  const frames = loss.perDevice.reduce((sum, queue) => sum + queue.row.frames + queue.row.dropped, 0)
  const { row } = loss.queue
  const share = frames > 0 ? (row.frames + row.dropped) / frames : 0
  return `${formatPercent(share)} of the frames hash to queue ${row.queue} of ${loss.perDevice.length}`
}

function oneFlow(host: HostFacts, run: RunFacts): Finding | null {
  const loss = concentrated(host)
  if (loss === null) return null
  const { row, cpu, rpsCpus } = loss.queue
  const flows = flowSets(run.plan, host.name, row.dev)
  if (flows.length === 0 || flows.reduce((sum, set) => sum + set.count, 0) !== 1) return null
  const targets = spareCpus(host).filter((other) => other !== cpu)
  const remedies =
    rpsCpus.length === 0 && targets[0] !== undefined
      ? [
          remedy(
            settingPaths(run, host.name).device(row.dev, 'queues.rps_cpus'),
            maskValue([targets[0].cpu]),
            `${cpu.name} keeps the driver, ${targets[0].name} runs IP and UDP`,
          ),
        ]
      : []
  return finding(
    loss,
    host,
    `there is one flow, and one flow has one hash: ${hotShare(loss)}`,
    'RSS cannot divide a flow; let RPS run its protocols on a second CPU, or make the sender use several flows.',
    remedies,
  )
}

function hashAddresses(host: HostFacts, run: RunFacts): Finding | null {
  const loss = concentrated(host)
  if (loss === null || loss.queue.device.hashFields.udp4 !== 'sd') return null
  const flows = flowSets(run.plan, host.name, loss.queue.row.dev)
  if (!addressesOnly(flows)) return null
  const total = flows.reduce((sum, set) => sum + set.count, 0)
  return finding(
    loss,
    host,
    `RSS hashes UDP by addresses only, and ${formatCount(total)} flows share few addresses: ${hotShare(loss)}`,
    'Let the hash take ports in: rx-flow-hash udp4 sdfn.',
    [
      remedy(
        settingPaths(run, host.name).device(loss.queue.row.dev, 'rx-flow-hash.udp4'),
        'sdfn',
        'ports then spread the flows over the queues',
      ),
    ],
  )
}

function unevenQueues(host: HostFacts, run: RunFacts): Finding | null {
  const loss = concentrated(host)
  if (loss === null) return null
  const { device, row } = loss.queue
  const entries = device.indirection.filter((queue) => queue === row.queue).length
  const fair = device.indirection.length / device.queues.length
  const remedies =
    entries > fair * 1.5
      ? [
          remedy(
            settingPaths(run, host.name).device(row.dev, 'rxfh'),
            `{"equal":${device.queues.length}}`,
            `queue ${row.queue} has ${entries} of ${device.indirection.length} entries of the table`,
          ),
        ]
      : []
  return finding(
    loss,
    host,
    `RSS is uneven: ${hotShare(loss)}`,
    'Even out the indirection table, or move the heavy flows with ntuple rules.',
    remedies,
  )
}

function cpuSaturated(host: HostFacts, run: RunFacts): Finding | null {
  const loss = saturatedLoss(host)
  if (loss === null) return null
  const { row, device } = loss.queue
  const paths = settingPaths(run, host.name)
  const used = new Set(loss.perDevice.filter(({ cpu }) => cpu.saturated).map(({ cpu }) => cpu.cpu)).size
  const spare = spareCpus(host)
  const more = Math.min(device.driver.maxQueues, host.cpus.length)
  const remedies: Remedy[] = []
  if (spare.length > 0 && more > loss.perDevice.length) {
    remedies.push(remedy(paths.device(row.dev, 'channels.combined'), more, 'a queue for each CPU'))
  } else if (spare.length > 0 && loss.queue.rpsCpus.length === 0) {
    const mask = maskValue(spare.map(({ cpu }) => cpu).sort((a, b) => a - b))
    remedies.push(remedy(paths.device(row.dev, 'queues.rps_cpus'), mask, 'moves IP and UDP to the idle CPUs'))
  }
  return finding(
    loss,
    host,
    `${used === 1 ? 'the CPU' : `the ${used} CPUs`} that poll${used === 1 ? 's' : ''} ${row.dev} can take no more`,
    spare.length > 0
      ? 'Bring in the CPUs that are idle.'
      : 'No CPU is idle enough to help: only less work per packet, larger frames or more CPUs help; a larger ring only delays the loss.',
    remedies,
  )
}

function ringTooSmall(host: HostFacts, run: RunFacts): Finding | null {
  const loss = ringLoss(host)
  if (loss === null || loss.queue.cpu.saturated) return null
  const { row, device, cpu } = loss.queue
  const paths = settingPaths(run, host.name)
  const sources = openTraffic(run.plan, host.name, row.dev)
  const burst = Math.max(0, ...sources.map(burstFrames))
  const wanted = powerOfTwoAtLeast(Math.max(row.ring_size * 2, Math.min(burst, device.driver.rxRingMax)))
  const size = Math.min(device.driver.rxRingMax, wanted)
  const remedies: Remedy[] = []
  if (size > row.ring_size) {
    remedies.push(
      remedy(paths.device(row.dev, 'rings.rx'), size, `holds bursts of up to ${formatCount(size - 1)} frames`),
    )
  }
  if (device.rxUsecs > 0 && device.driver.moderation !== 'none') {
    const waits = (device.rxUsecs * loss.lost) / Math.max(1e-9, run.seconds * 1e6)
    if (waits >= 1 || size === row.ring_size) {
      remedies.push(remedy(paths.device(row.dev, 'coalesce.rx-usecs'), 0, 'the ring fills while the interrupt waits'))
    }
  }
  return {
    lostFrames: loss.lost,
    weight: 0.5,
    claim: `${lostAtRing(loss)}, too small for the bursts, although ${cpu.name} is ${formatPercent(cpu.idle)} idle over the run.`,
    evidence: `${burst > 0 ? `The traffic comes in bursts of ${formatCount(burst)} frames` : 'The traffic comes in bursts'}, faster than ${cpu.name} polls; on average it needs only ${formatPercent(1 - cpu.idle)} of the CPU.`,
    advice:
      size > row.ring_size
        ? `A ring of ${formatCount(size)} rides the burst out; the price is latency, since a frame may then wait behind ${formatCount(size - 1)} others.`
        : `The ring is at the card's maximum; poll sooner or spread the burst over more queues.`,
    remedies,
  }
}

/** Rules about rings, the most particular cause first. */
export const RING_RULES: readonly DiagnosisRule[] = [
  {
    name: 'interrupt_livelock',
    subject: 'ring',
    summary: 'Interrupts of a non-NAPI driver leave no time for work',
    find: livelock,
  },
  { name: 'app_on_irq_cpu', subject: 'ring', summary: 'The program runs on the CPU of the queue', find: appOnIrqCpu },
  {
    name: 'rps_includes_irq_cpu',
    subject: 'ring',
    summary: 'The RPS mask has the interrupted CPU in it',
    find: rpsIncludesIrqCpu,
  },
  { name: 'vectors_on_one_cpu', subject: 'ring', summary: 'Several queues interrupt one CPU', find: vectorsOnOneCpu },
  { name: 'one_queue', subject: 'ring', summary: 'One queue, so one CPU, for all traffic', find: oneQueue },
  { name: 'one_flow', subject: 'ring', summary: 'One flow, so one queue', find: oneFlow },
  { name: 'hash_addresses_only', subject: 'ring', summary: 'The hash leaves ports out', find: hashAddresses },
  { name: 'uneven_queues', subject: 'ring', summary: 'RSS sends most frames to one queue', find: unevenQueues },
  {
    name: 'cpu_saturated',
    subject: 'ring',
    summary: 'The CPUs that poll the card can take no more',
    find: cpuSaturated,
  },
  { name: 'ring_too_small', subject: 'ring', summary: 'Bursts overflow the ring of an idle CPU', find: ringTooSmall },
]
