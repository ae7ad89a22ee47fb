/** The way out of a device: discipline, ring, queue limits, choice of the queue. */
import type { FaultPath, Report } from '../fault.js'
import type { DriverProfile, KernelVersion } from '../plan.js'
import type { DeviceInput } from '../schema/device.js'
import type { QdiscInput } from '../schema/qdisc.js'
import type { QdiscKind, QdiscPlan, TxPlan } from '../tx-plan.js'
import { KERNEL_VERSION_NAMES } from '../versions.js'
import { checkCpus } from './cpus.js'
import type { Interrupts } from './interrupts.js'

/** Kernel: include/net/pkt_sched.h, DEFAULT_TX_QUEUE_LEN */
export const DEFAULT_TX_QUEUE_LEN = 1000
const ETH_HLEN = 14
/** Completions a poll of ixgbe handles. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe.h, IXGBE_DEFAULT_TX_WORK */
const DEFAULT_TX_WORK = 256
/** Drivers that spread their queues over CPUs themselves. Kernel: callers of netif_set_xps_queue */
const SETS_XPS: ReadonlySet<string> = new Set(['ixgbe', 'i40e', 'mlx5', 'virtio_net'])

/** What the way out is compiled against. */
export interface TxSurroundings {
  readonly driver: DriverProfile
  readonly mtu: number
  readonly interrupts: Interrupts
  readonly cpuCount: number
  readonly defaultQdisc: QdiscKind
  readonly version: KernelVersion
  readonly path: FaultPath
  readonly report: Report
}

/** Compiles the way out of one device. */
export function compileTx(input: DeviceInput, around: TxSurroundings): TxPlan {
  const { driver } = around
  const txqueuelen = input.txqueuelen ?? DEFAULT_TX_QUEUE_LEN
  const stops = driver.name === 'virtio_net' ? { stopBelow: 19, wakeAt: 19 } : { stopBelow: 21, wakeAt: 42 }
  const usecs = input.coalesce?.['tx-usecs']
  return {
    qdisc: compileQdisc(input.qdisc ?? around.defaultQdisc, txqueuelen, {
      mtu: around.mtu,
      path: [...around.path, 'qdisc'],
      report: around.report,
    }),
    txqueuelen,
    ring: compileTxRing(input, around),
    ...stops,
    bql: input.bql ?? true,
    usecsPs: usecs === undefined ? -1 : usecs * 1e6,
    workLimit: DEFAULT_TX_WORK,
    ...compileOffloads(input, around),
    xpsCpus: compileXps(input, around),
  }
}

const NONE: Omit<QdiscPlan, 'kind'> = {
  limit: 0,
  flows: 0,
  quantumBytes: 0,
  initialQuantumBytes: 0,
  flowLimit: 0,
  targetPs: 0,
  intervalPs: 0,
  memoryBytes: 0,
  dropBatch: 0,
  ecn: false,
  rateBitsPerSec: 0,
  burstBytes: 0,
}

/** What a discipline is compiled against. */
export interface QdiscSurroundings {
  readonly mtu: number
  readonly path: FaultPath
  readonly report: Report
}

/** Compiles a discipline; `txqueuelen` is the length of fifos that say none. */
export function compileQdisc(given: QdiscInput, txqueuelen: number, around: QdiscSurroundings): QdiscPlan {
  const input = typeof given === 'string' ? { kind: given } : given
  const frame = around.mtu + ETH_HLEN
  const limit = 'limit' in input ? input.limit : undefined
  switch (input.kind) {
    case 'noqueue':
      return { ...NONE, kind: 'noqueue' }
    case 'pfifo_fast':
    case 'pfifo':
      // Without a length a queue of one packet is left. Kernel: net/sched/sch_fifo.c, __fifo_init
      return { ...NONE, kind: input.kind, limit: limit ?? Math.max(1, txqueuelen) }
    case 'bfifo':
      return { ...NONE, kind: 'bfifo', limit: limit ?? Math.max(1, txqueuelen) * frame }
    case 'fq_codel':
      return {
        ...NONE,
        kind: 'fq_codel',
        limit: limit ?? 10_240,
        flows: ('flows' in input ? input.flows : undefined) ?? 1024,
        quantumBytes: ('quantum' in input ? input.quantum : undefined) ?? frame,
        targetPs: ('target' in input ? input.target : undefined) ?? 5e9,
        intervalPs: ('interval' in input ? input.interval : undefined) ?? 100e9,
        memoryBytes: ('memory_limit' in input ? input.memory_limit : undefined) ?? 33_554_432,
        dropBatch: ('drop_batch' in input ? input.drop_batch : undefined) ?? 64,
        ecn: ('ecn' in input ? input.ecn : undefined) ?? true,
        ...('ce_threshold' in input && input.ce_threshold !== undefined ? { ceThresholdPs: input.ce_threshold } : {}),
      }
    case 'fq':
      return {
        ...NONE,
        kind: 'fq',
        limit: limit ?? 10_000,
        flows: 1024,
        flowLimit: ('flow_limit' in input ? input.flow_limit : undefined) ?? 100,
        quantumBytes: ('quantum' in input ? input.quantum : undefined) ?? 2 * frame,
        initialQuantumBytes: ('initial_quantum' in input ? input.initial_quantum : undefined) ?? 10 * frame,
      }
    case 'tbf':
      return compileTbf('rate' in input ? input : {}, frame, around)
  }
}

/** Kernel: net/sched/sch_tbf.c, tbf_change; iproute2 makes a limit of a latency */
function compileTbf(
  input: {
    readonly rate?: number
    readonly burst?: number
    readonly limit?: number | undefined
    readonly latency?: number | undefined
  },
  frame: number,
  { path, report }: QdiscSurroundings,
): QdiscPlan {
  if (input.rate === undefined || input.burst === undefined) {
    report.fault(path, '{kind: tbf, rate, burst, limit or latency}: it has no defaults')
    return { ...NONE, kind: 'tbf', rateBitsPerSec: 1e6, burstBytes: frame, limit: frame }
  }
  if ((input.limit === undefined) === (input.latency === undefined)) report.fault(path, 'one of limit and latency')
  if (input.burst < frame) report.fault([...path, 'burst'], `at least a frame of the MTU, ${frame} bytes`)
  const limit = input.limit ?? Math.floor((input.rate / 8) * ((input.latency ?? 0) / 1e12)) + input.burst
  return { ...NONE, kind: 'tbf', rateBitsPerSec: input.rate, burstBytes: input.burst, limit }
}

function compileTxRing(input: DeviceInput, around: TxSurroundings): number {
  const { driver, report, path } = around
  const given = input.rings?.tx
  const standard = Math.max(64, driver.rxRingDefault)
  if (given === undefined) return standard
  if (given > Math.max(4096, driver.rxRingMax)) {
    report.fault([...path, 'rings', 'tx'], `64 to ${Math.max(4096, driver.rxRingMax)} for ${driver.name}`)
    return standard
  }
  return given
}

/** What the driver can do, and what is switched off. Kernel: net/core/dev.c, netdev_fix_features */
function compileOffloads(
  { features: given = {} }: DeviceInput,
  { driver, report, path, version }: TxSurroundings,
): Pick<TxPlan, 'checksum' | 'scatterGather' | 'udpSegmentation'> {
  const can = driver.txOffloads
  const since = can.udpSegmentationSince
  const cuts = since !== null && KERNEL_VERSION_NAMES.indexOf(version) >= KERNEL_VERSION_NAMES.indexOf(since)
  const has = {
    'tx-checksumming': can.checksum,
    'scatter-gather': can.scatterGather,
    'tx-udp-segmentation': cuts,
  }
  for (const [name, exists] of Object.entries(has)) {
    if (given[name as keyof typeof has] === true && !exists)
      report.fault([...path, 'features', name], `off: ${driver.name} has none under Linux ${version}`)
  }
  const checksum = has['tx-checksumming'] && (given['tx-checksumming'] ?? true)
  if (!checksum && given['tx-udp-segmentation'] === true)
    report.fault([...path, 'features', 'tx-udp-segmentation'], 'off: it needs tx-checksumming')
  return {
    checksum,
    scatterGather: has['scatter-gather'] && (given['scatter-gather'] ?? true),
    udpSegmentation: checksum && cuts && (given['tx-udp-segmentation'] ?? true),
  }
}

function compileXps(input: DeviceInput, around: TxSurroundings): readonly (readonly number[])[] {
  const { interrupts, driver, report, path, cpuCount } = around
  const { queues, vectors } = interrupts
  const given = input['tx-queues']
  if (given === undefined) {
    const isSet = SETS_XPS.has(driver.name)
    return queues.map((queue) => {
      const cpu = vectors[queue.vectorIndex]?.affinity[0]
      return isSet && cpu !== undefined ? [cpu] : []
    })
  }
  if (given.length !== queues.length) report.fault([...path, 'tx-queues'], `${queues.length} entries, one per queue`)
  return queues.map((_, index) => {
    const cpus = given[index]?.xps_cpus ?? []
    checkCpus(cpus, cpuCount, [...path, 'tx-queues', index, 'xps_cpus'], report, { emptyAllowed: true })
    return cpus
  })
}
