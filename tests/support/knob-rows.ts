/** Values by path; `h/`, `d/`, `a/` and `t/` stand for the host, device, program and traffic of the base scenario. */
export type Sets = Readonly<Record<string, unknown>>

/** One setting: what makes it matter, and the change that has to show. */
export interface KnobRow {
  /** Added to the base scenario before and after. */
  readonly base?: Sets
  /** The change. */
  readonly change: Sets
}

const TCP: Sets = { 't/protocol': 'tcp', 't/train': 8, 't/frame': 1000, 't/flows/count': 4, 't/rate': '400kpps' }
const BUSY: Sets = { 'd/channels': { combined: 1 }, 'a/cpus': [0], 'a/sockets': { count: 1 }, 't/rate': '100kpps' }
const OVERLOAD: Sets = { 't/rate': '5Mpps', 'd/channels': { combined: 1 }, 'a/cpus': [0], 'a/sockets': { count: 1 } }
const RPS: Sets = { 'd/channels': { combined: 1 }, 'd/queues': { rps_cpus: '2' } }
const RFS: Sets = {
  ...RPS,
  'h/sysctl': { 'net.core.rps_sock_flow_entries': 1024 },
  'd/queues': { rps_cpus: '1', rps_flow_cnt: 1024 },
  'a/sockets': [
    { bind: '0.0.0.0:9000', connect: '198.51.100.1:10000', tasks: [1] },
    { bind: '0.0.0.0:9001', connect: '198.51.100.1:10001', tasks: [1] },
  ],
  't/flows': { count: 2, 'dport-count': 2 },
}
const CLOSED: Sets = { 'a/kind': 'udp_echo', traffic: { t: { kind: 'closed', clients: 8, think: '5us' } } }
const MASK: Sets = { 'd/coalesce': { 'adaptive-rx': false, 'rx-usecs': 20 } }
const DEFER: Sets = { 'd/napi_defer_hard_irqs': 50, 'd/gro_flush_timeout': 20_000 }
const onoff: Sets = { 't/pattern': 'onoff', 't/on': '50us', 't/off': '50us' }
const ramp: Sets = { 't/pattern': 'ramp', 't/rate-from': '100kpps', 't/rate-to': '800kpps', 't/rate': undefined }
const burst: Sets = { 't/pattern': 'burst', 't/count': 100, 't/every': '200us', 't/rate': undefined }
const replay: Sets = { traffic: { t: { kind: 'replay', capture: 'made.pcap' } } }
const rule = (match: Sets): Sets => ({ 'flow-type': 'udp4', ...match, action: 1 })
const xdp = (match: Sets, verdict = 'drop'): Sets => ({ 'd/xdp': { rules: [{ ...match, verdict }] } })
const manySockets: Sets = { 'a/sockets': { count: 4, bind: '0.0.0.0:9000', 'port-step': 1 }, 't/flows/dport-count': 4 }

/** Rows of programs. */
export const APP_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/apps/*/batch': { base: { 'a/wait': 'recvmmsg' }, change: { 'a/batch': 1 } },
  'hosts/*/apps/*/buffer': { base: { 't/frame': 1000 }, change: { 'a/buffer': 16 } },
  'hosts/*/apps/*/cpus': { change: { 'a/cpus': [1, 1] } },
  'hosts/*/apps/*/epoll/busy_poll_budget': {
    base: {
      ...BUSY,
      't/pattern': 'burst',
      't/count': 20,
      't/every': '500us',
      't/rate': undefined,
      duration: '4ms',
      'h/cpus': { count: 2, frequency: '800MHz' },
      'a/epoll': { busy_poll_usecs: 1000 },
    },
    change: { 'a/epoll/busy_poll_budget': 64 },
  },
  'hosts/*/apps/*/epoll/busy_poll_usecs': { base: BUSY, change: { 'a/epoll': { busy_poll_usecs: 50 } } },
  'hosts/*/apps/*/epoll/exclusive': {
    base: { 'a/sockets': { shared: true }, 't/rate': '50kpps' },
    change: { 'a/epoll': { exclusive: true } },
  },
  'hosts/*/apps/*/epoll/prefer_busy_poll': {
    base: { ...BUSY, ...DEFER, 't/rate': '500kpps', 'a/epoll': { busy_poll_usecs: 50 } },
    change: { 'a/epoll/prefer_busy_poll': true },
  },
  'hosts/*/apps/*/epoll/shared': { base: manySockets, change: { 'a/epoll': { shared: true } } },
  'hosts/*/apps/*/epoll/trigger': { change: { 'a/epoll': { trigger: 'edge' } } },
  'hosts/*/apps/*/kind': { change: { 'a/kind': 'udp_echo' } },
  'hosts/*/apps/*/max-events': { base: { ...manySockets, 't/rate': '2Mpps' }, change: { 'a/max-events': 1 } },
  'hosts/*/apps/*/nice': {
    base: { ...BUSY, 'a/work': '8us', duration: '40ms', 'h/apps/other': { kind: 'spin', cpus: [0] } },
    change: { 'a/nice': 10 },
  },
  'hosts/*/apps/*/nonblocking': { change: { 'a/nonblocking': true } },
  'hosts/*/apps/*/reply': { base: { 'a/kind': 'udp_echo' }, change: { 'a/reply': 900 } },
  'hosts/*/apps/*/sockets/SO_BINDTODEVICE': {
    base: { 'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' } },
    change: { 'a/sockets/SO_BINDTODEVICE': 'eth1' },
  },
  'hosts/*/apps/*/sockets/SO_BUSY_POLL': {
    base: { ...BUSY, 'a/wait': 'recvfrom' },
    change: { 'a/sockets/SO_BUSY_POLL': 50 },
  },
  'hosts/*/apps/*/sockets/SO_BUSY_POLL_BUDGET': {
    base: { ...BUSY, 't/rate': '2Mpps', 'a/wait': 'recvfrom', 'a/sockets': { SO_BUSY_POLL: 50 } },
    change: { 'a/sockets/SO_BUSY_POLL_BUDGET': 64 },
  },
  'hosts/*/apps/*/sockets/SO_INCOMING_CPU': {
    base: {
      'a/sockets': [
        { reuseport: true, tasks: [0] },
        { reuseport: true, tasks: [1] },
      ],
    },
    change: {
      'a/sockets': [
        { reuseport: true, tasks: [0], SO_INCOMING_CPU: 1 },
        { reuseport: true, tasks: [1], SO_INCOMING_CPU: 0 },
      ],
    },
  },
  'hosts/*/apps/*/sockets/SO_PREFER_BUSY_POLL': {
    base: { ...BUSY, ...DEFER, 't/rate': '500kpps', 'a/wait': 'recvfrom', 'a/sockets': { SO_BUSY_POLL: 50 } },
    change: { 'a/sockets/SO_PREFER_BUSY_POLL': true },
  },
  'hosts/*/apps/*/sockets/SO_RCVBUF': { base: OVERLOAD, change: { 'a/sockets/SO_RCVBUF': 5000 } },
  'hosts/*/apps/*/sockets/SO_RCVBUFFORCE': { base: OVERLOAD, change: { 'a/sockets/SO_RCVBUFFORCE': 8_000_000 } },
  'hosts/*/apps/*/sockets/UDP_GRO': {
    base: { 't/flows/count': 1, 't/rate': '3Mpps', 't/frame': 200, 'd/channels': { combined: 1 } },
    change: { 'a/sockets/UDP_GRO': true },
  },
  'hosts/*/apps/*/sockets/address-count': {
    base: {
      'a/sockets': { count: 2, bind: '192.0.2.1:9000', 'port-step': 0, reuseport: true },
      'd/address': ['192.0.2.1/24', '192.0.2.2/24'],
      't/flows/dst-count': 2,
    },
    change: { 'a/sockets/address-count': 2 },
  },
  'hosts/*/apps/*/sockets/bind': { base: { 't/flows/dport': 9000 }, change: { 'a/sockets/bind': '0.0.0.0:9100' } },
  'hosts/*/apps/*/sockets/connect': { change: { 'a/sockets/connect': '198.51.100.1:10001' } },
  'hosts/*/apps/*/sockets/count': {
    base: { 't/flows/dport-count': 4, 'a/sockets/port-step': 1 },
    change: { 'a/sockets/count': 4 },
  },
  'hosts/*/apps/*/sockets/port-count': { base: manySockets, change: { 'a/sockets/port-count': 2 } },
  'hosts/*/apps/*/sockets/port-step': { base: manySockets, change: { 'a/sockets/port-step': 2 } },
  'hosts/*/apps/*/sockets/reuseaddr': {
    base: { 'a/sockets': { count: 2, 'port-step': 0, reuseport: true } },
    change: { 'a/sockets': { count: 2, 'port-step': 0, reuseaddr: true, reuseport: false } },
  },
  'hosts/*/apps/*/sockets/reuseport': {
    base: { 'a/sockets': { count: 2, 'port-step': 0, reuseaddr: true, reuseport: false } },
    change: { 'a/sockets': { count: 2, 'port-step': 0, reuseport: true } },
  },
  'hosts/*/apps/*/sockets/shared': { change: { 'a/sockets': { shared: true } } },
  'hosts/*/apps/*/sockets/tasks': { base: manySockets, change: { 'a/sockets/tasks': [1] } },
  'hosts/*/apps/*/wait': { change: { 'a/wait': 'poll' } },
  'hosts/*/apps/*/work': { change: { 'a/work': '1us' } },
  'hosts/*/apps/*/work-per-byte': { change: { 'a/work-per-byte': '10ns' } },
}

/** Rows of hosts and their sysctls. */
export const HOST_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/cpus': { change: { 'h/cpus': 4 } },
  'hosts/*/cpus/count': { change: { 'h/cpus': { count: 4 } } },
  'hosts/*/cpus/frequency': { change: { 'h/cpus': { count: 2, frequency: '1GHz' } } },
  'hosts/*/cpus/llc-per-node': {
    base: { ...RPS, 'h/cpus': { count: 2 } },
    change: { 'h/cpus': { count: 2, 'llc-per-node': 2 } },
  },
  'hosts/*/cpus/numa-nodes': {
    base: { ...RPS, 'h/cpus': { count: 2 } },
    change: { 'h/cpus': { count: 2, 'numa-nodes': 2 } },
  },
  'hosts/*/cpus/threads-per-core': { change: { 'h/cpus': { count: 2, 'threads-per-core': 2 } } },
  'hosts/*/cstates': { change: { 'h/cstates': 'none' } },
  'hosts/*/cstates/exit-latency': {
    base: { 't/rate': '20kpps', 'h/cstates': [{ name: 'C1', 'exit-latency': '1us', 'target-residency': '1us' }] },
    change: { 'h/cstates': [{ name: 'C1', 'exit-latency': '20us', 'target-residency': '1us' }] },
  },
  'hosts/*/cstates/target-residency': {
    base: { 't/rate': '20kpps', 'h/cstates': [{ name: 'C1', 'exit-latency': '1us', 'target-residency': '1us' }] },
    change: { 'h/cstates': [{ name: 'C1', 'exit-latency': '1us', 'target-residency': '1ms' }] },
  },
  'hosts/*/hz': { base: { ...OVERLOAD, duration: '12ms' }, change: { 'h/hz': 1000 } },
  'hosts/*/pfmemalloc-reserve': { base: { ...OVERLOAD, 'h/skb-limit': 64 }, change: { 'h/pfmemalloc-reserve': 1 } },
  'hosts/*/raw-protocols': { change: { 'h/raw-protocols': [17] } },
  'hosts/*/skb-limit': { base: OVERLOAD, change: { 'h/skb-limit': 32 } },
  'hosts/*/small-head': {
    base: {
      ...OVERLOAD,
      duration: '4ms',
      'd/driver': 'e1000',
      'd/rx-flow-hash': undefined,
      't/frame': 100,
      'a/work': '50us',
    },
    change: { 'h/small-head': 0 },
  },
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
    base: { ...RPS, 'h/taps': ['any'] },
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
  'hosts/*/sysctl/net.ipv4.conf.all.rp_filter': {
    base: { 't/flows/src': '10.9.0.7', 'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' } },
    change: { 'h/sysctl': { 'net.ipv4.conf.all.rp_filter': 1 } },
  },
  'hosts/*/sysctl/net.ipv4.ip_early_demux': {
    base: { 'a/sockets/connect': '198.51.100.1:10001' },
    change: { 'h/sysctl': { 'net.ipv4.ip_early_demux': 0 } },
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
  'hosts/*/sysctl/net.ipv4.udp_rmem_min': {
    base: { ...OVERLOAD, 'h/sysctl': { 'net.ipv4.udp_mem': [1, 1, 8] } },
    change: { 'h/sysctl/net.ipv4.udp_rmem_min': 1_000_000 },
  },
  'hosts/*/taps': { change: { 'h/taps': ['any'] } },
  'hosts/*/taps/dev': {
    base: { 'h/taps': [{ dev: 'eth1' }], 'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' } },
    change: { 'h/taps': [{ dev: 'eth0' }] },
  },
}

/** Rows of devices. */
export const DEVICE_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/devices/*/address': { base: { 't/flows/dst': '192.0.2.1' }, change: { 'd/address': '192.0.2.9/24' } },
  'hosts/*/devices/*/channels/combined': { change: { 'd/channels': { combined: 1 } } },
  'hosts/*/devices/*/coalesce/adaptive-rx': { base: MASK, change: { 'd/coalesce/adaptive-rx': true } },
  'hosts/*/devices/*/coalesce/cqe-mode-rx': {
    base: { 'd/driver': 'mlx5', 'd/coalesce': { 'adaptive-rx': false, 'rx-usecs': 20 } },
    change: { 'd/coalesce/cqe-mode-rx': true },
  },
  'hosts/*/devices/*/coalesce/rx-frames': {
    base: { 'd/driver': 'mlx5', 'd/coalesce': { 'adaptive-rx': false, 'rx-usecs': 100 } },
    change: { 'd/coalesce/rx-frames': 2 },
  },
  'hosts/*/devices/*/coalesce/rx-usecs': { base: MASK, change: { 'd/coalesce/rx-usecs': 100 } },
  'hosts/*/devices/*/dma-latency': { change: { 'd/dma-latency': '9us' } },
  'hosts/*/devices/*/driver': { change: { 'd/driver': 'i40e' } },
  'hosts/*/devices/*/features/gro': { base: TCP, change: { 'd/features': { gro: false } } },
  'hosts/*/devices/*/features/ntuple': {
    base: RFS,
    change: { 'd/channels': { combined: 2 }, 'd/features': { ntuple: true } },
  },
  'hosts/*/devices/*/features/rx-gro-list': {
    base: { 't/flows/count': 1, 't/rate': '3Mpps' },
    change: { 'd/features': { 'rx-gro-list': true } },
  },
  'hosts/*/devices/*/features/rx-udp-gro-forwarding': {
    base: { 't/flows/count': 1, 't/rate': '3Mpps', 't/flows/dst': '10.77.0.1' },
    change: { 'd/features': { 'rx-udp-gro-forwarding': true } },
  },
  'hosts/*/devices/*/frame-overhead': { base: { 't/rate': '20Mpps' }, change: { 'd/frame-overhead': 60 } },
  'hosts/*/devices/*/gro_flush_timeout': { base: TCP, change: { 'd/gro_flush_timeout': 50_000 } },
  'hosts/*/devices/*/gro_max_size': {
    base: { ...TCP, 't/train': 64, 't/rate': '1Mpps', 't/flows/count': 1, 'd/gro_flush_timeout': 50_000 },
    change: { 'd/gro_max_size': 4096 },
  },
  'hosts/*/devices/*/irq-suspend-timeout': {
    base: { ...BUSY, ...DEFER, 't/rate': '500kpps', 'a/epoll': { busy_poll_usecs: 50, prefer_busy_poll: true } },
    change: { 'd/irq-suspend-timeout': 500_000 },
  },
  'hosts/*/devices/*/irq/smp_affinity': { change: { 'd/irq': { smp_affinity: '2' } } },
  'hosts/*/devices/*/irq/smp_affinity_list': { change: { 'd/irq': { smp_affinity_list: [1, 1] } } },
  'hosts/*/devices/*/irq/vectors': { change: { 'd/irq': { vectors: 1 } } },
  'hosts/*/devices/*/link': { base: { 't/rate': '2Mpps' }, change: { 'd/link': '1Gbit' } },
  'hosts/*/devices/*/link-delay': { base: CLOSED, change: { 'd/link-delay': '20us' } },
  'hosts/*/devices/*/mtu': {
    base: {
      ...OVERLOAD,
      duration: '4ms',
      'd/driver': 'e1000',
      'd/rx-flow-hash': undefined,
      't/frame': 1000,
      'a/work': '100us',
    },
    change: { 'd/mtu': 9000 },
  },
  'hosts/*/devices/*/napi-weight': { base: OVERLOAD, change: { 'd/napi-weight': 4 } },
  'hosts/*/devices/*/napi_defer_hard_irqs': {
    base: { 'd/gro_flush_timeout': 20_000 },
    change: { 'd/napi_defer_hard_irqs': 50 },
  },
  'hosts/*/devices/*/ntuple/action': {
    base: { 'd/ntuple': [rule({})] },
    change: { 'd/ntuple': [{ 'flow-type': 'udp4', action: 0 }] },
  },
  'hosts/*/devices/*/ntuple/dst-ip': {
    base: { 'd/ntuple': [rule({})] },
    change: { 'd/ntuple': [rule({ 'dst-ip': '10.0.0.1' })] },
  },
  'hosts/*/devices/*/ntuple/dst-port': {
    base: { 'd/ntuple': [rule({})] },
    change: { 'd/ntuple': [rule({ 'dst-port': 1 })] },
  },
  'hosts/*/devices/*/ntuple/flow-type': {
    base: { 'd/ntuple': [rule({})] },
    change: { 'd/ntuple': [{ ...rule({}), 'flow-type': 'tcp4' }] },
  },
  'hosts/*/devices/*/ntuple/src-ip': {
    base: { 'd/ntuple': [rule({})] },
    change: { 'd/ntuple': [rule({ 'src-ip': '10.0.0.1' })] },
  },
  'hosts/*/devices/*/ntuple/src-port': {
    base: { 'd/ntuple': [rule({})] },
    change: { 'd/ntuple': [rule({ 'src-port': 1 })] },
  },
  'hosts/*/devices/*/numa-node': { base: { 'h/cpus': { count: 2, 'numa-nodes': 2 } }, change: { 'd/numa-node': 1 } },
  'hosts/*/devices/*/packet-buffer': {
    base: { ...OVERLOAD, 't/rate': '10Mpps', 'd/rings': { rx: 64 } },
    change: { 'd/packet-buffer': '4KiB' },
  },
  'hosts/*/devices/*/pcie': { base: { 't/rate': '2Mpps' }, change: { 'd/pcie': '1Gbit' } },
  'hosts/*/devices/*/pcie-overhead': {
    base: { 't/rate': '2Mpps', 'd/pcie': '1Gbit' },
    change: { 'd/pcie-overhead': 500 },
  },
  'hosts/*/devices/*/queues/rps_cpus': { change: { 'd/queues': { rps_cpus: '3' } } },
  'hosts/*/devices/*/queues/rps_flow_cnt': { base: RFS, change: { 'd/queues': { rps_cpus: '1', rps_flow_cnt: 0 } } },
  'hosts/*/devices/*/rings/rx': { base: OVERLOAD, change: { 'd/rings': { rx: 64 } } },
  'hosts/*/devices/*/rx-flow-hash/tcp4': { base: TCP, change: { 'd/rx-flow-hash': { tcp4: 'sd' } } },
  'hosts/*/devices/*/rx-flow-hash/udp4': { change: { 'd/rx-flow-hash': { udp4: 'sd' } } },
  'hosts/*/devices/*/rx-handler': { change: { 'd/rx-handler': 'consume' } },
  'hosts/*/devices/*/rxfh/equal': { change: { 'd/rxfh': { equal: 1 } } },
  'hosts/*/devices/*/rxfh/hkey': { change: { 'd/rxfh': { hkey: '01'.repeat(40) } } },
  'hosts/*/devices/*/rxfh/indir': { change: { 'd/rxfh': { indir: [1, 1] } } },
  'hosts/*/devices/*/rxfh/weight': { change: { 'd/rxfh': { weight: [1, 7] } } },
  'hosts/*/devices/*/threaded': { change: { 'd/threaded': true } },
  'hosts/*/devices/*/threaded-cpus': { base: { 'd/threaded': true }, change: { 'd/threaded-cpus': [[1], [0]] } },
  'hosts/*/devices/*/vlans': { base: { 't/vlan': 7 }, change: { 'd/vlans': [7] } },
  'hosts/*/devices/*/wire-error-rate': { change: { 'd/wire-error-rate': 0.1 } },
  'hosts/*/devices/*/xdp/mode': { base: xdp({}), change: { 'd/xdp/mode': 'generic' } },
  'hosts/*/devices/*/xdp/rules/dst-ip': { base: xdp({}), change: xdp({ 'dst-ip': '10.0.0.1' }) },
  'hosts/*/devices/*/xdp/rules/dst-port': { base: xdp({}), change: xdp({ 'dst-port': 1 }) },
  'hosts/*/devices/*/xdp/rules/flow-type': { base: xdp({}), change: xdp({ 'flow-type': 'tcp4' }) },
  'hosts/*/devices/*/xdp/rules/src-ip': { base: xdp({}), change: xdp({ 'src-ip': '10.0.0.1' }) },
  'hosts/*/devices/*/xdp/rules/src-port': { base: xdp({}), change: xdp({ 'src-port': 10_001 }) },
  'hosts/*/devices/*/xdp/rules/verdict': { base: xdp({}), change: xdp({}, 'pass') },
}

/** Rows of traffic and of the run. */
export const TRAFFIC_ROWS: Readonly<Record<string, KnobRow>> = {
  duration: { change: { duration: '2ms' } },
  kernel: { base: OVERLOAD, change: { kernel: '4.14' } },
  profile: { change: { profile: 'modern-server' } },
  seed: { base: { 't/pattern': 'poisson' }, change: { seed: 77 } },
  warmup: { change: { warmup: '500us' } },
  'limits/packet-rows-per-cpu': {
    base: { ...OVERLOAD, 'a/sockets/SO_RCVBUF': 4_000_000 },
    change: { limits: { 'packet-rows-per-cpu': 600 } },
  },
  'traffic/*/capture': { base: replay, change: { 't/capture': 'other.pcap' } },
  'traffic/*/clients': { base: CLOSED, change: { 't/clients': 2 } },
  'traffic/*/count': { base: burst, change: { 't/count': 20 } },
  'traffic/*/depth': { base: CLOSED, change: { 't/depth': 4 } },
  'traffic/*/every': { base: burst, change: { 't/every': '100us' } },
  'traffic/*/flows/count': { change: { 't/flows/count': 3 } },
  'traffic/*/flows/dport': { change: { 't/flows/dport': 9999 } },
  'traffic/*/flows/dport-count': { change: { 't/flows/dport-count': 4 } },
  'traffic/*/flows/dst': { change: { 't/flows/dst': '192.0.2.99' } },
  'traffic/*/flows/dst-count': { change: { 't/flows/dst-count': 4 } },
  'traffic/*/flows/packets-per-flow': {
    base: { 't/flows': { count: 4, pick: 'churn', 'packets-per-flow': 2 } },
    change: { 't/flows/packets-per-flow': 1000 },
  },
  'traffic/*/flows/pick': { change: { 't/flows/pick': 'zipf' } },
  'traffic/*/flows/sport': { change: { 't/flows/sport': 20_000 } },
  'traffic/*/flows/sport-count': { change: { 't/flows/sport-count': 1 } },
  'traffic/*/flows/src': { change: { 't/flows/src': '198.51.100.77' } },
  'traffic/*/flows/src-count': { change: { 't/flows/src-count': 4 } },
  'traffic/*/flows/zipf-exponent': {
    base: { 't/flows': { count: 16, pick: 'zipf' } },
    change: { 't/flows/zipf-exponent': 3 },
  },
  'traffic/*/frame': { change: { 't/frame': 500 } },
  'traffic/*/frame/bytes': {
    base: { 't/frame': [{ bytes: 64, weight: 1 }] },
    change: { 't/frame': [{ bytes: 640, weight: 1 }] },
  },
  'traffic/*/frame/weight': {
    base: {
      't/frame': [
        { bytes: 64, weight: 1 },
        { bytes: 640, weight: 1 },
      ],
    },
    change: {
      't/frame': [
        { bytes: 64, weight: 9 },
        { bytes: 640, weight: 1 },
      ],
    },
  },
  'traffic/*/kind': { change: { traffic: { t: { kind: 'closed' } } } },
  'traffic/*/malform/bad-version': { change: { 't/malform': { 'bad-version': 0.5 } } },
  'traffic/*/malform/ip-checksum': { change: { 't/malform': { 'ip-checksum': 0.5 } } },
  'traffic/*/malform/other-host': { change: { 't/malform': { 'other-host': 0.5 } } },
  'traffic/*/malform/truncated': { change: { 't/malform': { truncated: 0.5 } } },
  'traffic/*/malform/udp-checksum': { change: { 't/malform': { 'udp-checksum': 0.5 } } },
  'traffic/*/off': { base: onoff, change: { 't/off': '100us' } },
  'traffic/*/on': { base: onoff, change: { 't/on': '100us' } },
  'traffic/*/packets': { change: { 't/packets': 10 } },
  'traffic/*/pattern': { change: { 't/pattern': 'poisson' } },
  'traffic/*/protocol': { change: { 't/protocol': 'tcp' } },
  'traffic/*/random': { base: onoff, change: { 't/random': true } },
  'traffic/*/rate': { change: { 't/rate': '100kpps' } },
  'traffic/*/rate-from': { base: ramp, change: { 't/rate-from': '700kpps' } },
  'traffic/*/rate-to': { base: ramp, change: { 't/rate-to': '200kpps' } },
  'traffic/*/repeat': { base: replay, change: { 't/repeat': 3 } },
  'traffic/*/rewrite/dst-ip': { base: replay, change: { 't/rewrite': { 'dst-ip': '192.0.2.99' } } },
  'traffic/*/rewrite/dst-mac': { base: replay, change: { 't/rewrite': { 'dst-mac': '02:77:00:00:00:01' } } },
  'traffic/*/rewrite/dst-port': { base: replay, change: { 't/rewrite': { 'dst-port': 4444 } } },
  'traffic/*/rewrite/src-ip': { base: replay, change: { 't/rewrite': { 'src-ip': '192.0.2.1' } } },
  'traffic/*/speed': { base: replay, change: { 't/speed': 4 } },
  'traffic/*/start': { change: { 't/start': '300us' } },
  'traffic/*/stop': { change: { 't/stop': '300us' } },
  'traffic/*/think': { base: CLOSED, change: { 't/think': '100us' } },
  'traffic/*/think-random': { base: CLOSED, change: { 't/think-random': true } },
  'traffic/*/timeout': { base: { ...CLOSED, 'a/kind': 'udp_sink' }, change: { 't/timeout': '100us' } },
  'traffic/*/to': {
    base: { 'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' } },
    change: { 't/to': 'h/eth1' },
  },
  'traffic/*/train': { base: { ...TCP, 'd/channels': { combined: 1 } }, change: { 't/train': 2 } },
  'traffic/*/vlan': { base: { 'd/vlans': [7] }, change: { 't/vlan': 7 } },
  'traffic/*/zero-checksum': {
    base: { 't/flows/count': 1, 't/rate': '3Mpps', 'd/features': { 'rx-gro-list': true } },
    change: { 't/zero-checksum': true },
  },
}

/** Settings that say something to people or tools and change no result. */
export const WORDS: readonly string[] = [
  '$schema',
  'description',
  'name',
  'question',
  'hosts/*/cstates/name',
  'hosts/*/taps/name',
]

/** Bounds: a value so small that the base scenario is refused, or null where running out is an error of the run. */
export const BOUNDS: Readonly<Record<string, Sets | null>> = {
  'limits/capture-bytes': { ...replay, limits: { 'capture-bytes': 24 } },
  'limits/cpus-per-host': { limits: { 'cpus-per-host': 1 } },
  'limits/devices-per-host': {
    'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' },
    limits: { 'devices-per-host': 1 },
  },
  'limits/events-per-partition': null,
  'limits/flows': { limits: { flows: 1 } },
  'limits/mailbox-slots': null,
  'limits/packet-pages-per-cpu': null,
  'limits/queues-per-host': { limits: { 'queues-per-host': 1 } },
  'limits/sockets-per-host': { limits: { 'sockets-per-host': 1 } },
  'limits/tasks-per-host': { limits: { 'tasks-per-host': 1 } },
}

/** Settings that nothing in the kernel reads: each has to be given an effect or taken out of the schema. */
export const UNREAD: readonly string[] = [
  'hosts/*/sysctl/net.core.netdev_tstamp_prequeue',
  'hosts/*/sysctl/net.ipv4.tcp_early_demux',
  'hosts/*/sysctl/net.ipv4.udp_mem',
  'hosts/*/sysctl/net.ipv4.udp_rmem_min',
]

/** All rows by setting. */
export const ALL_ROWS: Readonly<Record<string, KnobRow>> = {
  ...TRAFFIC_ROWS,
  ...HOST_ROWS,
  ...DEVICE_ROWS,
  ...APP_ROWS,
  'hosts/*/devices/*/mac': { base: replay, change: { 'd/mac': '02:55:00:00:00:01' } },
}
