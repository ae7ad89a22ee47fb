import type { ConfAllName } from '../ip-plan.js'
import { DEFAULT_CONF } from '../ipv4-settings.js'
import type { SysctlPlan } from '../plan.js'
import { confAllShape } from '../schema/conf.js'
import type { VersionPolicy } from '../versions.js'

const CONF_ALL = 'net.ipv4.conf.all.'

/** Settings of all devices as a host starts. */
function defaultConfAll(): Record<ConfAllName, number> {
  const given = Object.entries(DEFAULT_CONF).map(([name, value]) => [`${CONF_ALL}${name}`, value])
  return Object.fromEntries(given.filter(([name]) => (name as string) in confAllShape)) as Record<ConfAllName, number>
}

/** Sysctls of a host that sets none. Kernel: the initial values in net/core and net/ipv4. */
export function defaultSysctl(version: VersionPolicy, hz: number): SysctlPlan {
  return {
    'net.core.netdev_budget': 300,
    'net.core.netdev_budget_usecs': Math.floor(2_000_000 / hz),
    'net.core.dev_weight': 64,
    'net.core.dev_weight_rx_bias': 1,
    'net.core.netdev_max_backlog': 1000,
    'net.core.rmem_default': 212_992,
    'net.core.rmem_max': version.rmemMax,
    'net.core.default_qdisc': 'pfifo_fast',
    'net.core.wmem_default': 212_992,
    'net.core.wmem_max': version.rmemMax,
    'net.core.rps_sock_flow_entries': 0,
    'net.core.flow_limit_cpu_bitmap': [],
    'net.core.flow_limit_table_len': 4096,
    'net.core.busy_read': 0,
    'net.core.busy_poll': 0,
    'net.core.gro_normal_batch': version.groNormalBatch,
    'net.core.skb_defer_max': version.skbDeferMax,
    'net.core.netdev_tstamp_prequeue': 1,
    'net.ipv4.ip_early_demux': 1,
    'net.ipv4.udp_early_demux': 1,
    'net.ipv4.tcp_early_demux': 1,
    'net.ipv4.udp_rmem_min': 4096,
    'net.ipv4.udp_mem': [384_000, 512_000, 768_000],
    'net.ipv4.ipfrag_high_thresh': 4_194_304,
    'net.ipv4.ipfrag_low_thresh': 3_145_728,
    'net.ipv4.ipfrag_time': 30,
    'net.ipv4.ipfrag_max_dist': 64,
    'net.ipv4.neigh.default.gc_thresh1': 128,
    'net.ipv4.neigh.default.gc_thresh2': 512,
    'net.ipv4.neigh.default.gc_thresh3': 1024,
    ...defaultConfAll(),
    'net.ipv4.route.gc_timeout': 300,
    'net.ipv4.route.mtu_expires': 600,
    'net.ipv4.route.min_pmtu': 552,
    'net.ipv4.route.redirect_number': 9,
    'net.ipv4.route.redirect_load': Math.floor(hz / 50),
    'net.ipv4.route.redirect_silence': Math.floor(hz / 50) * 1024,
    'net.ipv4.route.error_cost': hz,
    'net.ipv4.route.error_burst': 5 * hz,
    'net.netfilter.nf_conntrack_max': 262_144,
    'net.netfilter.nf_conntrack_buckets': 262_144,
    'net.netfilter.nf_conntrack_checksum': 1,
    'net.netfilter.nf_conntrack_tcp_loose': 1,
    'net.netfilter.nf_conntrack_udp_timeout': 30,
    'net.netfilter.nf_conntrack_udp_timeout_stream': 120,
    'net.netfilter.nf_conntrack_icmp_timeout': 30,
    'net.netfilter.nf_conntrack_generic_timeout': 600,
    'net.netfilter.nf_conntrack_tcp_timeout_established': 432_000,
    'net.netfilter.nf_conntrack_tcp_be_liberal': 0,
    'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst': 0,
    'net.netfilter.nf_conntrack_tcp_max_retrans': 3,
    'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': 120,
    'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': 60,
    'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': 120,
    'net.netfilter.nf_conntrack_tcp_timeout_close_wait': 60,
    'net.netfilter.nf_conntrack_tcp_timeout_last_ack': 30,
    'net.netfilter.nf_conntrack_tcp_timeout_time_wait': 120,
    'net.netfilter.nf_conntrack_tcp_timeout_close': 10,
    'net.netfilter.nf_conntrack_tcp_timeout_max_retrans': 300,
    'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': 300,
  }
}
