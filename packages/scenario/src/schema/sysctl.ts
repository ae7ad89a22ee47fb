/** Schema of `sysctl`: the networking settings that a run reads, by their full names. */
import { z } from 'zod'
import { accepts } from './accepted.js'
import { confAllShape } from './conf.js'
import { choice, cpuMask, integer, linuxTime } from './fields.js'

const S32_MAX = 2_147_483_647
const U32_MAX = 4_294_967_295
/** A table of neighbours has a row for each. */
const NEIGH_MAX = 1_048_576

const udpMem = () => {
  const words = 'three integers in pages: min, pressure, max, ascending'
  const pages = z.int().min(1).max(1e12)
  return accepts(
    z
      .tuple([pages, pages, pages])
      .refine(([min, pressure, max]) => min <= pressure && pressure <= max)
      .describe(`Memory of all UDP sockets, pages. Accepts ${words}.`),
    words,
  )
}

/** Settings under `sysctl`; every one keeps Linux's name, unit and range. */
export const sysctlSchema = z
  .strictObject({
    'net.core.netdev_budget': integer('Packets one net_rx_action may handle.', 1, S32_MAX).optional(),
    'net.core.netdev_budget_usecs': integer(
      'Time one net_rx_action may take, µs, at jiffy resolution.',
      1,
      S32_MAX,
    ).optional(),
    'net.core.dev_weight': integer('Packets per poll of the backlog, before the bias.', 1, S32_MAX).optional(),
    'net.core.dev_weight_rx_bias': integer('Factor on dev_weight for receive.', 1, 1_000_000).optional(),
    'net.core.netdev_max_backlog': integer(
      'Packets in input_pkt_queue beyond which a CPU drops; one more fits.',
      0,
      S32_MAX,
    ).optional(),
    'net.core.rmem_default': integer('Receive buffer of a new socket, bytes, not doubled.', 2304, S32_MAX).optional(),
    'net.core.rmem_max': integer('Largest SO_RCVBUF before doubling, bytes.', 2304, S32_MAX).optional(),
    'net.core.default_qdisc': choice(
      ['pfifo_fast', 'fq_codel', 'fq', 'pfifo'],
      'Discipline of queues that name none.',
    ).optional(),
    'net.core.wmem_default': integer('Send buffer of a new socket, bytes, not doubled.', 4608, S32_MAX).optional(),
    'net.core.wmem_max': integer('Largest SO_SNDBUF before doubling, bytes.', 4608, S32_MAX).optional(),
    'net.core.rps_sock_flow_entries': integer(
      'Entries of the RFS socket flow table, rounded up to a power of two; 0 is off.',
      0,
      2 ** 29,
    ).optional(),
    'net.core.flow_limit_cpu_bitmap': cpuMask('CPUs whose enqueueing applies the flow limit; "0" is off.').optional(),
    'net.core.flow_limit_table_len': integer('Buckets of a flow-limit table, a power of two.', 2, 2 ** 24).optional(),
    'net.core.busy_read': linuxTime('us', S32_MAX, 'Busy-poll time of new sockets, µs; 0 is off.').optional(),
    'net.core.busy_poll': linuxTime(
      'us',
      S32_MAX,
      'Busy-poll time of poll, select and epoll, µs; 0 is off.',
    ).optional(),
    'net.core.gro_normal_batch': integer('Segments handed up together by GRO.', 1, S32_MAX).optional(),
    'net.core.skb_defer_max': integer(
      'Buffers that may wait to be freed by the CPU that allocated them.',
      0,
      S32_MAX,
    ).optional(),
    'net.core.netdev_tstamp_prequeue': integer(
      '1 stamps packets before RPS, 0 behind the backlog, while a socket has SO_TIMESTAMP.',
      0,
      1,
    ).optional(),
    'net.ipv4.ip_early_demux': integer('1 looks a socket up before routing.', 0, 1).optional(),
    'net.ipv4.udp_early_demux': integer('1 does so for UDP.', 0, 1).optional(),
    'net.ipv4.tcp_early_demux': integer('1 does so for TCP, at the price of a look-up.', 0, 1).optional(),
    'net.ipv4.udp_rmem_min': integer(
      'Memory a UDP socket may use although all of them hold more than udp_mem min, bytes.',
      1,
      S32_MAX,
    ).optional(),
    'net.ipv4.udp_mem': udpMem().optional(),
    'net.ipv4.ipfrag_high_thresh': integer(
      'Memory of fragments above which every further fragment is refused, bytes; 0 refuses all.',
      0,
      1e12,
    ).optional(),
    'net.ipv4.ipfrag_low_thresh': integer(
      'Once where eviction stopped, bytes; no effect since 4.17.',
      0,
      1e12,
    ).optional(),
    'net.ipv4.ipfrag_time': linuxTime('s', S32_MAX / 1000, 'Time a datagram’s fragments are held, s.').optional(),
    'net.ipv4.ipfrag_max_dist': integer(
      'Fragments of one sender between two of a datagram beyond which it is given up; 0 is off.',
      0,
      S32_MAX,
    ).optional(),
    'net.ipv4.neigh.default.gc_thresh1': integer(
      'Neighbours below which the periodic sweep leaves all.',
      0,
      NEIGH_MAX,
    ).optional(),
    'net.ipv4.neigh.default.gc_thresh2': integer(
      'Neighbours from which a new one has the table swept, every five seconds.',
      0,
      NEIGH_MAX,
    ).optional(),
    'net.ipv4.neigh.default.gc_thresh3': integer(
      'Neighbours at most: neighbor table overflow.',
      0,
      NEIGH_MAX,
    ).optional(),
    'net.ipv4.ip_forward': integer('1: every device passes on what is for others.', 0, 1).optional(),
    'net.ipv4.icmp_echo_ignore_all': integer('1 answers no echo request.', 0, 1).optional(),
    'net.ipv4.icmp_ratelimit': integer(
      'Time between two limited messages to one peer, ms; 0 is no limit.',
      0,
      S32_MAX,
    ).optional(),
    'net.ipv4.icmp_ratemask': integer('Bit per ICMP type that is limited.', 0, S32_MAX).optional(),
    'net.ipv4.icmp_msgs_per_sec': integer('Limited ICMP messages per second of the host.', 0, 1_000_000).optional(),
    'net.ipv4.icmp_msgs_burst': integer('Limited ICMP messages at once.', 0, 1_000_000).optional(),
    ...confAllShape,
    'net.ipv4.fib_multipath_hash_policy': integer(
      'What chooses among several next hops: 0 addresses, 1 ports too, 2 those inside of a tunnel, 3 the fields below.',
      0,
      3,
    ).optional(),
    'net.ipv4.fib_multipath_hash_fields': integer(
      'Bit per field: 1 source, 2 destination, 4 protocol, 16 and 32 ports; 64 to 2048 the same inside of a tunnel.',
      1,
      4095,
    ).optional(),
    'net.ipv4.fib_multipath_hash_seed': integer('Seed of that choice; 0: by that of the run.', 0, U32_MAX).optional(),
    'net.ipv4.fib_multipath_use_neigh': integer('1 passes over routers that are known to be gone.', 0, 1).optional(),
    'net.ipv4.route.gc_timeout': linuxTime('s', S32_MAX / 1000, 'Time a redirect is followed, s.').optional(),
    'net.ipv4.route.mtu_expires': linuxTime('s', S32_MAX / 1000, 'Time a path MTU holds, s.').optional(),
    'net.ipv4.route.min_pmtu': integer(
      'Path MTU below which ways are not probed and taken to be so wide, bytes.',
      68,
      65_535,
    ).optional(),
    'net.ipv4.route.redirect_number': integer('Redirects a sender gets before it counts as deaf.', 0, 1000).optional(),
    'net.ipv4.route.redirect_load': integer(
      'Jiffies before the second redirect; each further one waits twice as long.',
      0,
      1_000_000,
    ).optional(),
    'net.ipv4.route.redirect_silence': integer(
      'Jiffies without need of redirects after which a sender is told anew.',
      0,
      S32_MAX,
    ).optional(),
    'net.ipv4.route.error_cost': integer('Jiffies between two errors of routes to one sender.', 0, S32_MAX).optional(),
    'net.ipv4.route.error_burst': integer('Jiffies of such errors that may be saved up.', 0, S32_MAX).optional(),
    'net.netfilter.nf_conntrack_max': integer('Connections that are tracked at once.', 1, 4_194_304).optional(),
    'net.netfilter.nf_conntrack_buckets': integer('Chains of the table of connections.', 1, 4_194_304).optional(),
    'net.netfilter.nf_conntrack_checksum': integer('1: a wrong checksum makes a packet invalid.', 0, 1).optional(),
    'net.netfilter.nf_conntrack_tcp_loose': integer('1 picks up connections in the middle.', 0, 1).optional(),
    'net.netfilter.nf_conntrack_udp_timeout': integer('Seconds a UDP flow without reply lasts.', 0, S32_MAX).optional(),
    'net.netfilter.nf_conntrack_udp_timeout_stream': integer('Seconds a UDP stream lasts.', 0, S32_MAX).optional(),
    'net.netfilter.nf_conntrack_icmp_timeout': integer('Seconds an ICMP query lasts.', 0, S32_MAX).optional(),
    'net.netfilter.nf_conntrack_generic_timeout': integer('Seconds other protocols last.', 0, S32_MAX).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_established': integer(
      'Seconds an established TCP connection lasts.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_be_liberal': integer(
      '1: a segment outside of the window is no invalid one.',
      0,
      1,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst': integer(
      '1: a reset below the window is no invalid one.',
      0,
      1,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_max_retrans': integer(
      'Equal segments after which a connection lasts for tcp_timeout_max_retrans only.',
      0,
      255,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': integer(
      'Seconds a TCP connection lasts after a SYN.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': integer(
      'Seconds a TCP connection lasts after a SYN/ACK.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': integer(
      'Seconds a TCP connection lasts after a FIN.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_close_wait': integer(
      'Seconds a TCP connection lasts after a FIN that was acknowledged.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_last_ack': integer(
      'Seconds a TCP connection lasts after the second FIN.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_time_wait': integer(
      'Seconds a TCP connection lasts after both sides have closed.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_close': integer(
      'Seconds a TCP connection lasts after a reset.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_max_retrans': integer(
      'Seconds a TCP connection lasts after too many equal segments.',
      0,
      S32_MAX,
    ).optional(),
    'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': integer(
      'Seconds a TCP connection lasts with data that is not acknowledged.',
      0,
      S32_MAX,
    ).optional(),
  })
  .describe('Networking sysctls of the host, by full name.')

/** Parsed `sysctl` of a host. */
export type SysctlInput = z.output<typeof sysctlSchema>

/** Settings that hold for all namespaces: those of `net.core`, and what cannot be set but in the initial one. */
const HOST_WIDE = new Set([
  'net.ipv4.route.gc_timeout',
  'net.ipv4.route.redirect_number',
  'net.ipv4.route.redirect_load',
  'net.ipv4.route.redirect_silence',
  'net.ipv4.route.error_cost',
  'net.ipv4.route.error_burst',
  'net.ipv4.udp_mem',
  'net.ipv4.neigh.default.gc_thresh1',
  'net.ipv4.neigh.default.gc_thresh2',
  'net.ipv4.neigh.default.gc_thresh3',
  'net.netfilter.nf_conntrack_max',
  'net.netfilter.nf_conntrack_buckets',
])

/** Whether each namespace has a value of its own for a setting. Kernel: net/core/sysctl_net_core.c, netns_core_table */
export function isPerNamespace(name: string): boolean {
  return !name.startsWith('net.core.') && !HOST_WIDE.has(name)
}

type SysctlShape = typeof sysctlSchema.shape

/** Settings under `sysctl` of a network namespace. */
export const netnsSysctlSchema = z
  .strictObject(
    Object.fromEntries(Object.entries(sysctlSchema.shape).filter(([name]) => isPerNamespace(name))) as Omit<
      SysctlShape,
      `net.core.${string}` & keyof SysctlShape
    >,
  )
  .describe('Settings of the namespace by their full names.')
