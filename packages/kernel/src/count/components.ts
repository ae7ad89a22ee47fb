import { defineComponent, f64, u32 } from '@softnet/ecs'
import { PATH_PLACES, type PathPlace } from '@softnet/scenario/plan'

/** Rows per CPU of `SnmpCount`, `DropCount`, `DeviceCount` (per device and CPU) and `GroCount`. */
export const SNMP_ROWS = 256
export const DROP_ROWS = 128
export const DEVICE_ROWS = 16
export const GRO_ROWS = 16

/** SNMP counters: row `cpu * SNMP_ROWS + SNMP.name`. */
export const SnmpCount = defineComponent('snmp', { value: f64 })
/** Wire frames lost: row `cpu * DROP_ROWS + DROP.name`. CPU row 0 is the wires'. */
export const DropCount = defineComponent('drop', { frames: f64 })
/** Device counters: row `(device index * cpuRows + cpu) * DEVICE_ROWS + DEVICE.name`. */
export const DeviceCount = defineComponent('device_count', { value: f64 })
/** GRO results and XDP verdicts: row `cpu * GRO_ROWS + GRO.name`. */
export const GroCount = defineComponent('gro_count', { value: f64 })

/** Latency histogram: row `cpu * LATENCY_BUCKETS + bucket`. */
export const LatencyHistogram = defineComponent('latency_histogram', { count: u32 })
/** Sums beside the histogram, one row per CPU entity; ns. */
export const LatencySum = defineComponent('latency_sum', { count: f64, sumNs: f64, minNs: f64, maxNs: f64 })

/** Packets accounted per CPU entity (row 0: the wires), in wire frames. */
export const PacketCount = defineComponent('packet_count', {
  offered: f64,
  created: f64,
  delivered: f64,
  consumed: f64,
  sent: f64,
  dropped: f64,
})

/** Counts over simulated time: row `owner * TIMELINE_ROWS + interval`. */
export const TIMELINE_ROWS = 128
export const Timeline = defineComponent('timeline', { offered: f64, delivered: f64 }, { role: 'observer' })
/** Wire frames lost over simulated time, a column per place of the path, rows as in `Timeline`. */
export const DropTimeline = defineComponent(
  'drop_timeline',
  Object.fromEntries(PATH_PLACES.map((place) => [place, f64])) as Record<PathPlace, typeof f64>,
  { role: 'observer' },
)
/** Picoseconds that a CPU had been in each context at the end of an interval: row `cpu * TIMELINE_ROWS + interval`. */
export const ContextTimeline = defineComponent(
  'context_timeline',
  { hardirq: f64, softirq: f64, ksoftirqd: f64, task: f64 },
  { role: 'observer' },
)

/** ICMP messages by type: row `cpu * ICMP_MSG_ROWS + type` for those received, 256 more for those sent. Kernel: ICMPMSG_MIB */
export const ICMP_MSG_ROWS = 512
export const IcmpMsgCount = defineComponent('icmp_msg', { value: f64 })
