/** Results and plans as a run would give them, made by hand; every test changes only what it is about. */
import type {
  AppPlan,
  CpuRow,
  DevicePlan,
  DriverProfile,
  DropRow,
  FlowSetPlan,
  HostPlan,
  HostResult,
  Plan,
  QueueRow,
  ResultDocument,
  SocketRow,
  SysctlPlan,
  TaskRow,
  TrafficPlan,
} from '@softnet/scenario'
import { DEFAULT_CONF, DEFAULT_IPV4, DEFAULT_NEIGH, defaultSysctl, KERNEL_VERSIONS } from '@softnet/scenario'
import { latencyBuckets, latencyHistogramRows, recordLatency, summarizeLatency } from '../src/histogram.js'

export const SIMULATED_NS = 100_000_000

export const ixgbe: DriverProfile = {
  name: 'ixgbe',
  description: '10 Gbit/s card',
  rxMode: 'napi',
  interruptQuota: 0,
  rxRingDefault: 512,
  rxRingMin: 64,
  rxRingMax: 4096,
  maxQueues: 64,
  refillBatch: 16,
  refillRule: 'batch',
  copybreakBytes: 256,
  rxBuffer: 'page-half',
  noDescriptor: 'hold',
  packetBufferBytes: 524_288,
  rxUsecsDefault: 1,
  rxFramesDefault: 0,
  moderation: 'gap',
  rxFramesSupported: false,
  adaptiveDefault: false,
  adaptiveRule: 'none',
  rssTableSize: 128,
  hashFields: { tcp4: 'sdfn', udp4: 'sd' },
  defaultVectors: 'per-queue',
  nativeXdp: true,
  rxChecksum: true,
  txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: null },
  vlanTx: true,
  virtual: false,
  source: 'test',
}

export const tulip: DriverProfile = { ...ixgbe, name: 'tulip', rxMode: 'non-napi', maxQueues: 1, interruptQuota: 128 }
export const e1000: DriverProfile = { ...ixgbe, name: 'e1000', maxQueues: 1, rxRingDefault: 256 }

export const sysctl: SysctlPlan = {
  ...defaultSysctl(KERNEL_VERSIONS['6.18'], 250),
  'net.core.rmem_max': 212_992,
  'net.core.wmem_max': 212_992,
  'net.ipv4.udp_mem': [1000, 2000, 3000],
}

export const flows: FlowSetPlan = {
  count: 64,
  pick: 'roundrobin',
  zipfExponent: 1,
  packetsPerFlow: 0,
  saddr: 0xc6336401,
  saddrCount: 64,
  daddr: 0xc0000201,
  daddrCount: 1,
  sport: 10_000,
  sportCount: 64,
  dport: 9000,
  dportCount: 1,
}

export type OpenTraffic = Extract<TrafficPlan, { kind: 'open' }>

export function openTraffic(change: Partial<OpenTraffic> = {}): OpenTraffic {
  return {
    kind: 'open',
    name: 'load',
    host: 'server',
    dev: 'eth0',
    protocol: 'udp',
    arrival: { kind: 'poisson', packetsPerSec: 4e6 },
    frame: { kind: 'fixed', bytes: 60 },
    flows,
    startPs: 0,
    stopPs: 1e11,
    packets: 0,
    vlan: 0,
    zeroChecksum: false,
    malform: { ipChecksum: 0, udpChecksum: 0, truncated: 0, badVersion: 0, otherHost: 0 },
    fragments: null,
    trainSegments: 1,
    ...change,
  }
}

export function device(queueCpus: readonly number[], change: Partial<DevicePlan> = {}): DevicePlan {
  return {
    name: 'eth0',
    driver: ixgbe,
    mac: '02:00:00:00:00:01',
    conf: DEFAULT_CONF,
    neigh: DEFAULT_NEIGH,
    mtu: 1500,
    addresses: ['192.0.2.1/24'],
    linkBitsPerSec: 1e10,
    linkDelayPs: 0,
    frameOverheadBytes: 20,
    wireErrorRate: 0,
    dmaLatencyPs: 900_000,
    pcieBitsPerSec: 0,
    pcieOverheadBytes: 24,
    packetBufferBytes: 524_288,
    nodeId: 0,
    rxRing: 512,
    rxUsecs: 0,
    rxFrames: 0,
    adaptiveRx: false,
    hashFields: { tcp4: 'sdfn', udp4: 'sdfn' },
    rssKey: '',
    indirection: Array.from({ length: 128 }, (_, i) => i % queueCpus.length),
    ntuple: [],
    arfs: false,
    queues: queueCpus.map((_, i) => ({ vectorIndex: i, rpsCpus: [], rpsFlowCnt: 0 })),
    vectors: queueCpus.map((cpu, i) => ({ irq: 24 + i, affinity: [cpu] })),
    napiDeferHardIrqs: 0,
    groFlushTimeoutNs: 0,
    irqSuspendTimeoutNs: 0,
    threaded: false,
    threadedCpus: [],
    napiWeight: 64,
    gro: true,
    groList: false,
    udpGroForwarding: false,
    groMaxSizeBytes: 65_536,
    xdp: null,
    vlans: [],
    rxHandler: 'none',
    ...change,
  }
}

export function app(cpus: readonly number[], change: Partial<AppPlan> = {}): AppPlan {
  const socket = {
    address: 0,
    port: 9000,
    peer: null,
    reuseport: cpus.length > 1,
    reuseaddr: false,
    soRcvbuf: 0,
    soRcvbufForce: false,
    soBusyPollUsecs: 0,
    soPreferBusyPoll: false,
    soBusyPollBudget: 0,
    soIncomingCpu: -1,
    soTimestamp: false,
    udpGro: false,
    device: null,
  }
  return {
    name: 'sink',
    kind: 'udp_sink',
    tasks: cpus.map((cpu) => [cpu]),
    nice: 0,
    wait: 'recvfrom',
    batch: 1,
    maxEvents: 64,
    epoll: {
      trigger: 'level',
      exclusive: false,
      shared: false,
      busyPollUsecs: 0,
      preferBusyPoll: false,
      busyPollBudget: 0,
    },
    nonblocking: false,
    workPs: 200_000,
    workPerBytePs: 0,
    sockets: cpus.map((_, taskIndex) => ({ ...socket, taskIndex })),
    replyBytes: 0,
    bufferBytes: 2048,
    ...change,
  }
}

export function hostPlan(cpus: number, change: Partial<HostPlan> = {}): HostPlan {
  return {
    name: 'server',
    cpus: Array.from({ length: cpus }, (_, i) => ({ frequencyHz: 3.6e9, coreId: i, llcId: 0, nodeId: 0 })),
    hz: 250,
    sysctl,
    devices: [device([0])],
    apps: [app([2])],
    cstates: [],
    smallHeadBytes: 576,
    skbLimit: 1_000_000,
    pfmemallocReserve: 256,
    taps: [],
    rawProtocols: [],
    nftables: null,
    ipv4: DEFAULT_IPV4,
    confAll: DEFAULT_CONF,
    routes: [],
    neighbours: [],
    ...change,
  }
}

export function plan(host: HostPlan, traffic: readonly TrafficPlan[] = [openTraffic()]): Plan {
  return {
    name: 'fixture',
    description: '',
    kernel: '6.18',
    profile: 'xeon-e5-1650-v4',
    seed: 1,
    durationPs: 1e11,
    warmupPs: 0,
    hosts: [host],
    traffic,
    plugins: [],
    limits: {},
  }
}

/** A CPU from percentages of the simulated time; the rest is idle. */
export function cpu(
  number: number,
  percent: Partial<Record<'hardirq' | 'softirq' | 'ksoftirqd' | 'task', number>> = {},
  stat: Partial<CpuRow['softnet_stat']> = {},
  stages: Record<string, number> = {},
): CpuRow {
  const part = (share = 0): number => (share * SIMULATED_NS) / 100
  const { hardirq = 0, softirq = 0, ksoftirqd = 0, task = 0 } = percent
  return {
    cpu: number,
    time_ns: {
      hardirq: part(hardirq),
      softirq: part(softirq),
      ksoftirqd: part(ksoftirqd),
      task: part(task),
      idle: part(100 - hardirq - softirq - ksoftirqd - task),
    },
    stages_ns: stages,
    timeline_ns: { hardirq: [], softirq: [], ksoftirqd: [], task: [] },
    softnet_stat: {
      processed: 0,
      dropped: 0,
      time_squeeze: 0,
      received_rps: 0,
      flow_limit_count: 0,
      squeeze_budget: 0,
      squeeze_time: 0,
      input_qlen: 0,
      process_qlen: 0,
      input_qlen_max: 0,
      ...stat,
    },
  }
}

export function queue(number: number, onCpu: number, change: Partial<QueueRow> = {}): QueueRow {
  return {
    dev: 'eth0',
    queue: number,
    irq: 24 + number,
    cpu: onCpu,
    frames: 100_000,
    bytes: 6_000_000,
    dropped: 0,
    irqs: 5000,
    polls: 6000,
    polls_done: 5000,
    packets_per_poll: 16.7,
    ring_max: 80,
    ring_size: 512,
    ...change,
  }
}

export function task(name: string, onCpu: number, timeNs: number, change: Partial<TaskRow> = {}): TaskRow {
  return { name, cpu: onCpu, time_ns: timeNs, switches: 100, wakeups: 100, messages: 1000, syscalls: 1000, ...change }
}

export function socket(change: Partial<SocketRow> = {}): SocketRow {
  return {
    proto: 'udp',
    local: '0.0.0.0:9000',
    peer: '0.0.0.0:0',
    app: 'sink',
    received: 100_000,
    drops: 0,
    rcvbuf: 212_992,
    rmem_max_used: 8448,
    ...change,
  }
}

export function hostResult(
  change: Partial<HostResult> & { sockets?: SocketRow[]; rcvbufErrors?: number } = {},
): HostResult {
  const { sockets = [socket()], rcvbufErrors = 0, ...rest } = change
  return {
    cpus: [cpu(0, { softirq: 20 }), cpu(1), cpu(2, { task: 15 }), cpu(3)],
    queues: [queue(0, 0)],
    devices: [
      {
        name: 'eth0',
        rx_packets: 100_000,
        rx_bytes: 6_000_000,
        rx_errors: 0,
        rx_dropped: 0,
        rx_missed_errors: 0,
        rx_crc_errors: 0,
        rx_nohandler: 0,
        rx_otherhost_dropped: 0,
        multicast: 0,
        tx_packets: 0,
        tx_bytes: 0,
        link_bits_per_sec: 1e10,
        mtu: 1500,
        driver: 'ixgbe',
      },
    ],
    tasks: [task('sink', 2, 15_000_000, { messages: 100_000, syscalls: 100_000 })],
    gro: {},
    xdp: {},
    ethtool: {},
    interrupts: { '24': [5000, 0, 0, 0] },
    interrupt_names: { '24': 'eth0-rx-0' },
    softirqs: { NET_RX: [5100, 0, 0, 0] },
    netns: {
      init: {
        snmp: {
          Ip: { InReceives: 100_000, InDelivers: 100_000 },
          Udp: { InDatagrams: 100_000, InErrors: rcvbufErrors, RcvbufErrors: rcvbufErrors },
        },
        netstat: { IpExt: { InOctets: 4_600_000 } },
        sockets,
        sockstat: { FRAG: { inuse: 0, memory: 0, memory_max: 0 } },
      },
    },
    ...rest,
  }
}

/** Latencies spread like a queue's: most near `typicalNs`, a tail of ten times as much. */
export function latency(typicalNs: number): Pick<ResultDocument, 'latency_ns' | 'latency_histogram'> {
  const buckets = latencyBuckets()
  let sumNs = 0
  let maxNs = 0
  let minNs = Number.MAX_SAFE_INTEGER
  const count = 2000
  for (let i = 0; i < count; i++) {
    const x = i / count
    const ns = Math.floor(typicalNs * (0.6 + x * 0.6 + (x > 0.9 ? (x - 0.9) * 80 * (x - 0.9) * 10 : 0)))
    recordLatency(buckets, ns)
    sumNs += ns
    minNs = Math.min(minNs, ns)
    maxNs = Math.max(maxNs, ns)
  }
  return {
    latency_ns: summarizeLatency(buckets, { count, sumNs, minNs, maxNs }),
    latency_histogram: latencyHistogramRows(buckets),
  }
}

export function drop(where: string, reason: string, count: number): DropRow {
  return { host: 'server', where, reason, count }
}

/** A result whose packets add up: what was not dropped was delivered, but for `inFlight`. */
export function result(
  host: HostResult,
  drops: readonly DropRow[] = [],
  change: Partial<ResultDocument> & { offered?: number; inFlight?: number } = {},
): ResultDocument {
  const { offered = 100_000, inFlight = 0, ...rest } = change
  const dropped = drops.reduce((sum, row) => sum + row.count, 0)
  return {
    schema: 'softnet.result/1',
    status: 'done',
    scenario: 'fixture',
    kernel: '6.18',
    profile: 'xeon-e5-1650-v4',
    seed: 1,
    workers: 1,
    parallel: { asked: 1, lambda: null, threshold: 10, partitions_per_round: null, reason: 'asked for' },
    digest: '9f3a21c07b44d6e2',
    simulated_ns: SIMULATED_NS,
    wall_ms: 412,
    packets: {
      offered,
      created: 0,
      delivered: offered - dropped - inFlight,
      consumed: 0,
      sent: 0,
      dropped,
      in_flight: inFlight,
    },
    waiting: { wire: 0, nic: 0, ring: 0, softirq: 0, backlog: 0, socket: inFlight },
    drops,
    ...latency(12_000),
    timeline: [],
    hosts: { server: host },
    verdict: { bottleneck: 'none', sentences: [], remedies: [] },
    ...rest,
  }
}
