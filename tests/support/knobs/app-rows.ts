import { BULK, BUSY, type KnobRow, manySockets, OVERLOAD, PREFER } from './knob-base.js'

/** Rows of programs. */
export const APP_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/apps/*/sockets/SO_SNDBUF': { base: BULK, change: { 'a/sockets/SO_SNDBUF': 5000 } },
  'hosts/*/apps/*/sockets/SO_PRIORITY': {
    base: {
      ...BULK,
      'a/sockets': [{ bind: '0.0.0.0:9000' }, { bind: '0.0.0.0:9001' }],
      't/flows': { count: 8, 'dport-count': 2 },
      'd/txqueuelen': 20,
    },
    change: { 'a/sockets': [{ bind: '0.0.0.0:9000', SO_PRIORITY: 6 }, { bind: '0.0.0.0:9001' }] },
  },
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
    base: { ...BUSY, ...PREFER, 'a/epoll': { busy_poll_usecs: 50 } },
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
  'hosts/*/apps/*/sockets/IP_ADD_MEMBERSHIP/device': {
    base: {
      'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' },
      't/flows/dst': '239.1.2.3',
      'a/sockets/IP_ADD_MEMBERSHIP': [{ group: '239.1.2.3', device: 'eth1' }],
    },
    change: { 'a/sockets/IP_ADD_MEMBERSHIP': [{ group: '239.1.2.3', device: 'eth0' }] },
  },
  'hosts/*/apps/*/sockets/IP_ADD_MEMBERSHIP/group': {
    base: { 't/flows/dst': '239.1.2.3', 'a/sockets/IP_ADD_MEMBERSHIP': [{ group: '239.1.2.4', device: 'eth0' }] },
    change: { 'a/sockets/IP_ADD_MEMBERSHIP': [{ group: '239.1.2.3', device: 'eth0' }] },
  },
  'hosts/*/apps/*/sockets/SO_ATTACH_FILTER': { change: { 'a/sockets/SO_ATTACH_FILTER': [[6, 0, 0, 0]] } },
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
    base: { ...BUSY, ...PREFER, 'a/wait': 'recvfrom', 'a/sockets': { SO_BUSY_POLL: 50 } },
    change: { 'a/sockets/SO_PREFER_BUSY_POLL': true },
  },
  'hosts/*/apps/*/sockets/SO_RCVBUF': { base: OVERLOAD, change: { 'a/sockets/SO_RCVBUF': 5000 } },
  'hosts/*/apps/*/sockets/SO_RCVBUFFORCE': { base: OVERLOAD, change: { 'a/sockets/SO_RCVBUFFORCE': 8_000_000 } },
  'hosts/*/apps/*/sockets/SO_TIMESTAMP': { change: { 'a/sockets/SO_TIMESTAMP': true } },
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
