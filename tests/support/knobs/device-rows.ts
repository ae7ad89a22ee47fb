import { BUSY, CLOSED, DEFER, type KnobRow, MASK, OVERLOAD, RFS, rule, SLOW_READER, TCP, xdp } from './knob-base.js'

/** Rows of devices. */
export const DEVICE_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/devices/*/address': { base: { 't/flows/dst': '192.0.2.1' }, change: { 'd/address': '192.0.2.9/24' } },
  'hosts/*/devices/*/arp': {
    base: { 'd/conf': { forwarding: 1 }, 't/flows/dst': '198.51.100.9', duration: '1ms' },
    change: { 'd/arp': true },
  },
  'hosts/*/devices/*/conf/accept_local': {
    base: { 't/flows/src': '192.0.2.1', 'd/conf': { rp_filter: 2 } },
    change: { 'd/conf/accept_local': 1 },
  },
  'hosts/*/devices/*/conf/drop_unicast_in_l2_multicast': {
    base: { traffic: { t: { kind: 'replay', capture: 'l2-multicast.pcap' } } },
    change: { 'd/conf': { drop_unicast_in_l2_multicast: 1 } },
  },
  'hosts/*/devices/*/conf/forwarding': {
    base: { 't/flows/dst': '198.51.100.9' },
    change: { 'd/conf': { forwarding: 1 } },
  },
  'hosts/*/devices/*/conf/route_localnet': {
    base: { 't/flows/dst': '127.0.0.1' },
    change: { 'd/conf': { route_localnet: 1 } },
  },
  'hosts/*/devices/*/conf/rp_filter': {
    base: { 't/flows/src': '10.9.0.7', 'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' } },
    change: { 'd/conf': { rp_filter: 1 } },
  },
  'hosts/*/devices/*/conf/send_redirects': {
    base: {
      't/flows/dst': '192.0.2.9',
      't/flows/src': '192.0.2.77',
      'd/conf': { forwarding: 1, send_redirects: 0 },
      'h/sysctl': { 'net.ipv4.conf.all.send_redirects': 0 },
    },
    change: { 'd/conf/send_redirects': 1 },
  },
  'hosts/*/devices/*/channels/combined': { change: { 'd/channels': { combined: 1 } } },
  'hosts/*/devices/*/coalesce/adaptive-rx': { base: MASK, change: { 'd/coalesce/adaptive-rx': true } },
  'hosts/*/devices/*/coalesce/cqe-mode-rx': {
    base: { 'd/driver': 'mlx5', 'd/coalesce': { 'adaptive-rx': false, 'rx-usecs': 20 } },
    change: { 'd/coalesce/cqe-mode-rx': false },
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
    base: { ...BUSY, ...DEFER, ...SLOW_READER, 'a/epoll': { busy_poll_usecs: 50, prefer_busy_poll: true } },
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
