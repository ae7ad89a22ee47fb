import {
  BULK,
  BUSY,
  CLOSED_PORT,
  conversation,
  FAILING,
  FRAGMENTS,
  type KnobRow,
  NEIGHBOURS,
  OVERLOAD,
  RFS,
  RPS,
  TCP,
  TRACK,
  TRACK_TCP,
} from './knob-base.js'

/** Rows of sysctls. */
export const SYSCTL_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/sysctl/net.ipv4.neigh.default.gc_thresh1': {
    base: FAILING,
    change: { 'h/sysctl': { 'net.ipv4.neigh.default.gc_thresh1': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.neigh.default.gc_thresh2': {
    base: NEIGHBOURS,
    change: { 'h/sysctl': { 'net.ipv4.neigh.default.gc_thresh2': 2 } },
  },
  'hosts/*/sysctl/net.ipv4.neigh.default.gc_thresh3': {
    base: NEIGHBOURS,
    change: { 'h/sysctl': { 'net.ipv4.neigh.default.gc_thresh3': 2 } },
  },
  'hosts/*/sysctl/net.core.default_qdisc': { base: BULK, change: { 'h/sysctl/net.core.default_qdisc': 'fq_codel' } },
  'hosts/*/sysctl/net.core.wmem_default': {
    base: { ...BULK, 'a/sockets': { count: 1 } },
    change: { 'h/sysctl/net.core.wmem_default': 5000 },
  },
  'hosts/*/sysctl/net.core.wmem_max': { base: BULK, change: { 'h/sysctl/net.core.wmem_max': 5000 } },
  'hosts/*/sysctl/net.core.busy_poll': { base: BUSY, change: { 'h/sysctl': { 'net.core.busy_poll': 50 } } },
  'hosts/*/sysctl/net.core.busy_read': {
    base: { ...BUSY, 'a/wait': 'recvfrom' },
    change: { 'h/sysctl': { 'net.core.busy_read': 50 } },
  },
  'hosts/*/sysctl/net.core.dev_weight': {
    base: { ...RPS, 't/rate': '4Mpps' },
    change: { 'h/sysctl': { 'net.core.dev_weight': 4 } },
  },
  'hosts/*/sysctl/net.core.dev_weight_rx_bias': {
    base: { ...RPS, 't/rate': '4Mpps', 'h/sysctl': { 'net.core.dev_weight': 4 } },
    change: { 'h/sysctl/net.core.dev_weight_rx_bias': 8 },
  },
  'hosts/*/sysctl/net.core.flow_limit_cpu_bitmap': {
    base: { ...RPS, 't/rate': '6Mpps', 't/flows/count': 1, 'h/sysctl': { 'net.core.netdev_max_backlog': 100 } },
    change: { 'h/sysctl/net.core.flow_limit_cpu_bitmap': '3' },
  },
  'hosts/*/sysctl/net.core.flow_limit_table_len': {
    base: {
      ...RPS,
      't/rate': '6Mpps',
      't/flows/count': 16,
      'h/sysctl': { 'net.core.netdev_max_backlog': 100, 'net.core.flow_limit_cpu_bitmap': '3' },
    },
    change: { 'h/sysctl/net.core.flow_limit_table_len': 2 },
  },
  'hosts/*/sysctl/net.core.gro_normal_batch': {
    base: { 't/rate': '4Mpps' },
    change: { 'h/sysctl': { 'net.core.gro_normal_batch': 1 } },
  },
  'hosts/*/sysctl/net.core.netdev_budget': { base: OVERLOAD, change: { 'h/sysctl': { 'net.core.netdev_budget': 10 } } },
  'hosts/*/sysctl/net.core.netdev_budget_usecs': {
    base: {
      duration: '8ms',
      'h/hz': 1000,
      'h/cpus': { count: 24, frequency: '1.2GHz' },
      'h/sysctl': { 'net.core.netdev_budget': 3000 },
      'd/channels': { combined: 24 },
      'd/irq': { smp_affinity: '1' },
      't/rate': '1.5Mpps',
      't/flows/count': 256,
    },
    change: { 'h/sysctl/net.core.netdev_budget_usecs': 20_000 },
  },
  'hosts/*/sysctl/net.core.netdev_max_backlog': {
    base: { ...RPS, 't/rate': '6Mpps' },
    change: { 'h/sysctl': { 'net.core.netdev_max_backlog': 10 } },
  },
  'hosts/*/sysctl/net.core.netdev_tstamp_prequeue': {
    base: { ...RPS, 'a/sockets/SO_TIMESTAMP': true },
    change: { 'h/sysctl': { 'net.core.netdev_tstamp_prequeue': 0 } },
  },
  'hosts/*/sysctl/net.core.rmem_default': { base: OVERLOAD, change: { 'h/sysctl': { 'net.core.rmem_default': 4000 } } },
  'hosts/*/sysctl/net.core.rmem_max': {
    base: { ...OVERLOAD, 'a/sockets/SO_RCVBUF': 1_000_000 },
    change: { 'h/sysctl': { 'net.core.rmem_max': 4000 } },
  },
  'hosts/*/sysctl/net.core.rps_sock_flow_entries': {
    base: RFS,
    change: { 'h/sysctl/net.core.rps_sock_flow_entries': 0 },
  },
  'hosts/*/sysctl/net.core.skb_defer_max': {
    base: { 'd/channels': { combined: 1 }, 'a/cpus': [1, 1] },
    change: { 'h/sysctl': { 'net.core.skb_defer_max': 0 } },
  },
  'hosts/*/sysctl/net.ipv4.conf.all.accept_local': {
    base: { 't/flows/src': '192.0.2.1', 'h/sysctl': { 'net.ipv4.conf.all.rp_filter': 2 } },
    change: { 'h/sysctl/net.ipv4.conf.all.accept_local': 1 },
  },
  'hosts/*/sysctl/net.ipv4.conf.all.accept_source_route': {
    base: { traffic: { t: { kind: 'replay', capture: 'source-route.pcap' } } },
    change: { 'h/sysctl': { 'net.ipv4.conf.all.accept_source_route': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.conf.all.drop_unicast_in_l2_multicast': {
    base: { traffic: { t: { kind: 'replay', capture: 'l2-multicast.pcap' } } },
    change: { 'h/sysctl': { 'net.ipv4.conf.all.drop_unicast_in_l2_multicast': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.conf.all.route_localnet': {
    base: { 't/flows/dst': '127.0.0.1' },
    change: { 'h/sysctl': { 'net.ipv4.conf.all.route_localnet': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.conf.all.send_redirects': {
    base: { 't/flows/dst': '192.0.2.9', 't/flows/src': '192.0.2.77', 'd/conf': { forwarding: 1, send_redirects: 0 } },
    change: { 'h/sysctl': { 'net.ipv4.conf.all.send_redirects': 0 } },
  },
  'hosts/*/sysctl/net.ipv4.conf.all.rp_filter': {
    base: { 't/flows/src': '10.9.0.7', 'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' } },
    change: { 'h/sysctl': { 'net.ipv4.conf.all.rp_filter': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.ip_forward': {
    base: { 't/flows/dst': '198.51.100.9' },
    change: { 'h/sysctl': { 'net.ipv4.ip_forward': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.icmp_echo_ignore_all': {
    base: { traffic: { t: { kind: 'replay', capture: 'echo.pcap' } } },
    change: { 'h/sysctl': { 'net.ipv4.icmp_echo_ignore_all': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.icmp_ratelimit': {
    base: CLOSED_PORT,
    change: { 'h/sysctl': { 'net.ipv4.icmp_ratelimit': 0 } },
  },
  'hosts/*/sysctl/net.ipv4.icmp_ratemask': {
    base: CLOSED_PORT,
    change: { 'h/sysctl': { 'net.ipv4.icmp_ratemask': 0 } },
  },
  'hosts/*/sysctl/net.ipv4.icmp_msgs_per_sec': {
    base: {
      ...CLOSED_PORT,
      't/rate': '10kpps',
      duration: '45ms',
      'h/sysctl': { 'net.ipv4.icmp_ratelimit': 0, 'net.ipv4.icmp_msgs_burst': 1 },
    },
    change: { 'h/sysctl/net.ipv4.icmp_msgs_per_sec': 1 },
  },
  'hosts/*/sysctl/net.ipv4.icmp_msgs_burst': {
    base: { ...CLOSED_PORT, 'h/sysctl': { 'net.ipv4.icmp_ratelimit': 0 } },
    change: { 'h/sysctl/net.ipv4.icmp_msgs_burst': 3 },
  },
  'hosts/*/sysctl/net.ipv4.ip_early_demux': {
    base: { 'a/sockets/connect': '198.51.100.1:10001' },
    change: { 'h/sysctl': { 'net.ipv4.ip_early_demux': 0 } },
  },
  'hosts/*/sysctl/net.ipv4.ipfrag_high_thresh': {
    base: { ...FRAGMENTS, 'h/sysctl': { 'net.ipv4.ipfrag_low_thresh': 0 } },
    change: { 'h/sysctl/net.ipv4.ipfrag_high_thresh': 4000 },
  },
  'hosts/*/sysctl/net.ipv4.ipfrag_max_dist': {
    // Flows of one sender use the same ids: what an incomplete datagram left meets that of the next flow.
    base: { ...FRAGMENTS, 't/fragment/lose': 0.3, 't/flows/pick': 'uniform' },
    change: { 'h/sysctl': { 'net.ipv4.ipfrag_max_dist': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.ipfrag_time': {
    base: { ...FRAGMENTS, 't/fragment/send': 'first', duration: '9ms' },
    change: { 'h/sysctl': { 'net.ipv4.ipfrag_time': 0 } },
  },
  'hosts/*/sysctl/net.ipv4.tcp_early_demux': { base: TCP, change: { 'h/sysctl': { 'net.ipv4.tcp_early_demux': 0 } } },
  'hosts/*/sysctl/net.ipv4.udp_early_demux': {
    base: { 'a/sockets/connect': '198.51.100.1:10001' },
    change: { 'h/sysctl': { 'net.ipv4.udp_early_demux': 0 } },
  },
  'hosts/*/sysctl/net.ipv4.udp_mem': {
    base: { ...OVERLOAD, 'a/sockets/SO_RCVBUF': 4_000_000 },
    change: { 'h/sysctl': { 'net.ipv4.udp_mem': [1, 1, 1] } },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_max': {
    base: TRACK,
    change: { 'h/sysctl': { 'net.netfilter.nf_conntrack_max': 3 } },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_buckets': {
    base: { ...TRACK, 'h/sysctl': { 'net.netfilter.nf_conntrack_max': 3 } },
    change: { 'h/sysctl/net.netfilter.nf_conntrack_buckets': 2 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_checksum': {
    base: { ...TRACK, 't/malform': { 'udp-checksum': 0.5 } },
    change: { 'h/sysctl': { 'net.netfilter.nf_conntrack_checksum': 0 } },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_loose': {
    base: { ...TRACK, ...TCP },
    change: { 'h/sysctl': { 'net.netfilter.nf_conntrack_tcp_loose': 0 } },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_established': {
    base: { ...TRACK_TCP, ...TCP },
    change: { 'h/sysctl': { 'net.netfilter.nf_conntrack_tcp_timeout_established': 60 } },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_syn_sent': {
    base: conversation('syn_sent'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_syn_sent': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_syn_recv': {
    base: conversation('syn_recv'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_syn_recv': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_fin_wait': {
    base: conversation('fin_wait'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_fin_wait': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_close_wait': {
    base: conversation('close_wait'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_close_wait': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_last_ack': {
    base: conversation('last_ack'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_last_ack': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_time_wait': {
    base: conversation('time_wait'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_time_wait': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_close': {
    base: conversation('close'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_close': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': {
    base: conversation('unacknowledged'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_timeout_max_retrans': {
    base: conversation('retrans'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_timeout_max_retrans': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_max_retrans': {
    base: conversation('retrans'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_max_retrans': 100 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_be_liberal': {
    base: conversation('outside'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_be_liberal': 1 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_tcp_ignore_invalid_rst': {
    base: conversation('reset-below'),
    change: { 'h/sysctl/net.netfilter.nf_conntrack_tcp_ignore_invalid_rst': 1 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_udp_timeout': {
    base: TRACK,
    change: { 'h/sysctl': { 'net.netfilter.nf_conntrack_udp_timeout': 7 } },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_udp_timeout_stream': {
    base: { ...TRACK, duration: '2.5s', traffic: { t: { kind: 'replay', capture: 'stream.pcap', speed: 0.0002 } } },
    change: { 'h/sysctl': { 'net.netfilter.nf_conntrack_udp_timeout_stream': 7 } },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_icmp_timeout': {
    base: {
      ...TRACK,
      'h/sysctl': { 'net.netfilter.nf_conntrack_checksum': 0 },
      traffic: { t: { kind: 'replay', capture: 'icmp.pcap' } },
    },
    change: { 'h/sysctl/net.netfilter.nf_conntrack_icmp_timeout': 7 },
  },
  'hosts/*/sysctl/net.netfilter.nf_conntrack_generic_timeout': {
    base: { ...TRACK, traffic: { t: { kind: 'replay', capture: 'gre.pcap' } } },
    change: { 'h/sysctl': { 'net.netfilter.nf_conntrack_generic_timeout': 7 } },
  },
  'hosts/*/sysctl/net.ipv4.udp_rmem_min': {
    base: { ...OVERLOAD, 'a/sockets/SO_RCVBUF': 4_000_000, 'h/sysctl': { 'net.ipv4.udp_mem': [1, 1, 100_000] } },
    change: { 'h/sysctl/net.ipv4.udp_rmem_min': 3_000_000 },
  },
}
