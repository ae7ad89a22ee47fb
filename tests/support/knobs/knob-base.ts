/** Values by path; `h/`, `d/`, `a/` and `t/` stand for the host, device, program and traffic of the base scenario. */
export type Sets = Readonly<Record<string, unknown>>

/** One setting: what makes it matter, and the change that has to show. */
export interface KnobRow {
  /** Added to the base scenario before and after. */
  readonly base?: Sets
  /** The change. */
  readonly change: Sets
}

/** Trains of TCP segments. */
export const TCP: Sets = { 't/protocol': 'tcp', 't/train': 8, 't/frame': 1000, 't/flows/count': 4, 't/rate': '400kpps' }
/** One queue and one reader on CPU 0. */
export const BUSY: Sets = {
  'd/channels': { combined: 1 },
  'a/cpus': [0],
  'a/sockets': { count: 1 },
  't/rate': '100kpps',
}
/** More than one CPU can take. */
export const OVERLOAD: Sets = {
  't/rate': '5Mpps',
  'd/channels': { combined: 1 },
  'a/cpus': [0],
  'a/sockets': { count: 1 },
}
/** One queue, steered to CPU 1. */
export const RPS: Sets = { 'd/channels': { combined: 1 }, 'd/queues': { rps_cpus: '2' } }
/** One queue, steered by flow to CPU 1. */
export const RFS: Sets = {
  ...RPS,
  'h/sysctl': { 'net.core.rps_sock_flow_entries': 1024 },
  'd/queues': { rps_cpus: '1', rps_flow_cnt: 1024 },
  'a/sockets': [
    { bind: '0.0.0.0:9000', connect: '198.51.100.1:10000', tasks: [1] },
    { bind: '0.0.0.0:9001', connect: '198.51.100.1:10001', tasks: [1] },
  ],
  't/flows': { count: 2, 'dport-count': 2 },
}
/** Clients that wait for replies. */
export const CLOSED: Sets = { 'a/kind': 'udp_echo', traffic: { t: { kind: 'closed', clients: 8, think: '5us' } } }
/** Answers that are more than a slow link carries, from one queue. */
export const BULK: Sets = {
  'a/kind': 'udp_echo',
  'a/reply': 1400,
  'a/cpus': [0],
  'a/sockets': { count: 1, SO_SNDBUF: 2_000_000 },
  'h/sysctl': { 'net.core.wmem_max': 4_000_000 },
  'd/channels': { combined: 1 },
  'd/link': '1Gbit',
  't/rate': '300kpps',
  duration: '4ms',
}
export const CODEL: Sets = { ...BULK, 'd/qdisc': { kind: 'fq_codel' } }
export const FAIR: Sets = { ...BULK, 'd/qdisc': { kind: 'fq', limit: 1000 } }
export const BUCKET: Sets = { ...BULK, 'd/qdisc': { kind: 'tbf', rate: '100Mbit', burst: '3kB', limit: '100kB' } }
/** Fixed moderation. */
export const MASK: Sets = { 'd/coalesce': { 'adaptive-rx': false, 'rx-usecs': 20 } }
/** Interrupts deferred to the watchdog. */
/** The last busy poll finds its whole budget: without preference that hands the instance to the softirq. */
export const PREFER: Sets = {
  'd/napi_defer_hard_irqs': 50,
  'd/gro_flush_timeout': 200_000,
  'a/work': '1us',
  'a/batch': 64,
  't/rate': '1Mpps',
}
/** Works longer than the timer of DEFER waits, so that it matters who takes the packets meanwhile. */
export const SLOW_READER: Sets = { 'a/work': '30us' }
export const FRAGMENTS: Sets = { 't/datagram': 4000, 't/rate': '50kpps', 't/fragment': {} }
/** Packets to eight neighbours that do not answer. */
export const NEIGHBOURS: Sets = {
  'd/conf': { forwarding: 1 },
  'd/arp': true,
  't/flows': { count: 8, dst: '198.51.100.9', 'dst-count': 8 },
}
/** A new one each second: those that failed may go after fifteen. */
export const FAILING: Sets = {
  ...NEIGHBOURS,
  duration: '17s',
  't/rate': '1pps',
  't/flows': { count: 30, dst: '198.51.100.9', 'dst-count': 30 },
}
/** Nobody listens on the port. */
export const CLOSED_PORT: Sets = { 't/flows/dport': 7 }
export const RULES = 'table ip t { chain i { type filter hook input priority 0; udp sport 10000 drop; } }'
export const TRACK: Sets = {
  'h/nftables': 'table ip t { chain i { type filter hook input priority 0; ct state invalid drop; } }',
}
/** Tracking that does not see the resets with which the host answers segments. */
export const TRACK_TCP: Sets = {
  'h/nftables':
    'table ip t { chain i { type filter hook input priority 0; ct state invalid drop; }; chain o { type filter hook output priority -300; tcp flags & rst != 0 notrack; } }',
}
/** A conversation of TCP in both directions, whose checksums nobody looks at. */
export const conversation = (name: string): Sets => ({
  ...TRACK_TCP,
  'h/sysctl': { 'net.netfilter.nf_conntrack_checksum': 0 },
  traffic: { t: { kind: 'replay', capture: `tcp-${name}.pcap` } },
})
export const DEFER: Sets = { 'd/napi_defer_hard_irqs': 50, 'd/gro_flush_timeout': 20_000 }
/** Traffic that comes and goes. */
export const onoff: Sets = { 't/pattern': 'onoff', 't/on': '50us', 't/off': '50us' }
/** Traffic that grows. */
export const ramp: Sets = { 't/pattern': 'ramp', 't/rate-from': '100kpps', 't/rate-to': '800kpps', 't/rate': undefined }
/** Traffic in bursts. */
export const burst: Sets = { 't/pattern': 'burst', 't/count': 100, 't/every': '200us', 't/rate': undefined }
/** Replay of a made capture. */
export const replay: Sets = { traffic: { t: { kind: 'replay', capture: 'made.pcap' } } }
/** An ntuple rule to queue 1. */
export const rule = (match: Sets): Sets => ({ 'flow-type': 'udp4', ...match, action: 1 })
/** An XDP program of one rule. */
export const xdp = (match: Sets, verdict = 'drop'): Sets => ({ 'd/xdp': { rules: [{ ...match, verdict }] } })
/** Four sockets on four ports. */
export const manySockets: Sets = {
  'a/sockets': { count: 4, bind: '0.0.0.0:9000', 'port-step': 1 },
  't/flows/dport-count': 4,
}
