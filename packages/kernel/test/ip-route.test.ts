import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { addressTable } from '../src/ip/address-table.js'
import { LOCAL_TYPE } from '../src/ip/components.js'
import { ipRcvFinish } from '../src/ip/ip-rcv-finish.js'
import { PACKET_TYPE, SKB, Skb } from '../src/skb/components.js'
import { ip, ipWord, makeIpWorld, socket } from './support/ip-world.js'

interface Case {
  readonly name: string
  readonly columns?: Readonly<Record<string, number>>
  readonly saddr?: string
  readonly daddr?: string
  readonly sysctl?: Readonly<Record<string, number>>
  readonly snmp?: Readonly<Record<string, number>>
  /** `REASON@function` of the drop; none: the packet goes on. */
  readonly drop?: string
}

const ALL = 'net.ipv4.conf.all'
const BROADCAST = { IpExtInBcastPkts: 1, IpExtInBcastOctets: 46 }
const MULTICAST = { IpExtInMcastPkts: 1, IpExtInMcastOctets: 46 }
const ROUTE = 'ip_route_input_slow'

const cases: readonly Case[] = [
  { name: 'own address' },
  { name: 'own address of another device (weak host)', daddr: '203.0.113.1' },
  { name: 'foreign address', daddr: '192.0.2.77', snmp: { IpInAddrErrors: 1 }, drop: 'IP_INADDRERRORS@ip_error' },
  { name: 'no route at all', daddr: '8.8.8.8', snmp: { IpInAddrErrors: 1 }, drop: 'IP_INADDRERRORS@ip_error' },
  { name: 'subnet broadcast', daddr: '192.0.2.255', snmp: BROADCAST },
  { name: 'broadcast of another device', daddr: '203.0.113.15', snmp: BROADCAST },
  {
    name: 'lowest address is no broadcast',
    daddr: '192.0.2.0',
    snmp: { IpInAddrErrors: 1 },
    drop: 'IP_INADDRERRORS@ip_error',
  },
  { name: 'limited broadcast', daddr: '255.255.255.255', snmp: BROADCAST },
  { name: 'limited broadcast from 0.0.0.0', saddr: '0.0.0.0', daddr: '255.255.255.255', snmp: BROADCAST },
  { name: 'both zero', saddr: '0.0.0.0', daddr: '0.0.0.0', snmp: BROADCAST },
  {
    name: 'broadcast from an own address',
    saddr: '192.0.2.1',
    daddr: '192.0.2.255',
    drop: 'IP_LOCAL_SOURCE@fib_validate_source',
  },
  { name: 'all-hosts group', daddr: '224.0.0.1', snmp: MULTICAST },
  { name: 'group not joined', daddr: '239.1.2.3', drop: 'NOT_SPECIFIED@ip_route_input_rcu' },
  { name: 'group from zero source', saddr: '0.0.0.0', daddr: '224.0.0.1', snmp: MULTICAST },
  { name: 'group from a group', saddr: '224.0.0.5', daddr: '224.0.0.1', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'group from loopback', saddr: '127.0.0.5', daddr: '224.0.0.1', drop: `IP_LOCALNET@${ROUTE}` },
  { name: 'source is a group', saddr: '224.0.0.5', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'source is limited broadcast', saddr: '255.255.255.255', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'source is zero', saddr: '0.0.0.0', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'source in 0/8', saddr: '0.1.2.3', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'destination in 0/8', daddr: '0.1.2.3', drop: `IP_INVALID_DEST@${ROUTE}` },
  { name: 'destination loopback', daddr: '127.0.0.1', drop: `IP_LOCALNET@${ROUTE}` },
  { name: 'source loopback', saddr: '127.0.0.9', drop: `IP_LOCALNET@${ROUTE}` },
  { name: 'destination loopback, route_localnet', daddr: '127.9.9.9', sysctl: { [`${ALL}.route_localnet`]: 1 } },
  { name: 'source loopback, route_localnet', saddr: '127.0.0.9', sysctl: { [`${ALL}.route_localnet`]: 1 } },
  {
    name: 'source 127.0.0.1, route_localnet',
    saddr: '127.0.0.1',
    sysctl: { [`${ALL}.route_localnet`]: 1 },
    drop: 'IP_LOCAL_SOURCE@fib_validate_source',
  },
  { name: 'source is an own address', saddr: '192.0.2.1', drop: 'IP_LOCAL_SOURCE@fib_validate_source' },
  { name: 'own address as source, accept_local', saddr: '192.0.2.1', sysctl: { [`${ALL}.accept_local`]: 1 } },
  {
    name: 'strict: source behind this device',
    saddr: '192.0.2.9',
    sysctl: { [`${ALL}.rp_filter`]: 1 },
  },
  {
    name: 'strict: source behind another device',
    saddr: '203.0.113.9',
    sysctl: { [`${ALL}.rp_filter`]: 1 },
    snmp: { TcpExtIPReversePathFilter: 1 },
    drop: 'IP_RPFILTER@fib_validate_source',
  },
  { name: 'loose: source behind another device', saddr: '203.0.113.9', sysctl: { [`${ALL}.rp_filter`]: 2 } },
  {
    name: 'loose: source nowhere',
    saddr: '198.51.100.9',
    sysctl: { [`${ALL}.rp_filter`]: 2 },
    snmp: { TcpExtIPReversePathFilter: 1 },
    drop: 'IP_RPFILTER@fib_validate_source',
  },
  {
    name: 'strict: source is a broadcast address',
    saddr: '192.0.2.255',
    sysctl: { [`${ALL}.rp_filter`]: 1 },
    drop: `IP_INVALID_SOURCE@${ROUTE}`,
  },
  { name: 'off: source is a broadcast address', saddr: '192.0.2.255' },
  {
    name: 'strict with accept_local: own address of this device',
    saddr: '192.0.2.1',
    sysctl: { [`${ALL}.rp_filter`]: 1, [`${ALL}.accept_local`]: 1 },
  },
  {
    name: 'strict with accept_local: own address of another device',
    saddr: '203.0.113.1',
    sysctl: { [`${ALL}.rp_filter`]: 1, [`${ALL}.accept_local`]: 1 },
    snmp: { TcpExtIPReversePathFilter: 1 },
    drop: 'IP_RPFILTER@fib_validate_source',
  },
  {
    name: 'bad option',
    columns: { ipWord: ipWord(17, 0, 6), faults: wire.FAULT_IP_OPTIONS },
    snmp: { IpInHdrErrors: 1 },
    drop: 'IP_INHDR@ip_rcv_finish_core',
  },
  {
    name: 'a bad option comes before the refused route',
    columns: { ipWord: ipWord(17, 0, 6), faults: wire.FAULT_IP_OPTIONS },
    daddr: '8.8.8.8',
    snmp: { IpInHdrErrors: 1 },
    drop: 'IP_INHDR@ip_rcv_finish_core',
  },
  {
    name: 'source route refused',
    columns: { ipWord: ipWord(17, 0, 7), flags: SKB.sourceRoute },
    drop: 'NOT_SPECIFIED@ip_rcv_finish_core',
  },
  {
    name: 'source route accepted',
    columns: { ipWord: ipWord(17, 0, 7), flags: SKB.sourceRoute },
    sysctl: { [`${ALL}.accept_source_route`]: 1 },
  },
  { name: 'unicast in link broadcast', columns: { packetType: PACKET_TYPE.broadcast } },
  {
    name: 'unicast in link broadcast, refused',
    columns: { packetType: PACKET_TYPE.broadcast },
    sysctl: { [`${ALL}.drop_unicast_in_l2_multicast`]: 1 },
    drop: 'UNICAST_IN_L2_MULTICAST@ip_rcv_finish_core',
  },
  {
    name: 'broadcast in link broadcast is not refused',
    columns: { packetType: PACKET_TYPE.broadcast },
    daddr: '192.0.2.255',
    sysctl: { [`${ALL}.drop_unicast_in_l2_multicast`]: 1 },
    snmp: BROADCAST,
  },
]

const devices = [
  { name: 'eth0', addresses: ['192.0.2.1/24'] },
  { name: 'eth1', addresses: ['203.0.113.1/28', '10.1.2.3/32'] },
]

for (const each of cases) {
  test(`route input: ${each.name}`, () => {
    const world = makeIpWorld({ devices, sysctl: each.sysctl ?? {} })
    const addresses = { ...(each.saddr && { saddr: ip(each.saddr) }), ...(each.daddr && { daddr: ip(each.daddr) }) }
    const row = world.packet({ ...each.columns, ...addresses })
    const kept = world.run(ipRcvFinish, [row])
    assert.equal(world.drops(), each.drop === undefined ? {} : { [each.drop]: 1 })
    assert.equal(kept, each.drop === undefined ? [row] : [])
    assert.equal(world.snmp(), each.snmp ?? {})
  })
}

test('the route kind is kept in the flags, and a row used again does not inherit it', () => {
  const world = makeIpWorld()
  const { flags } = world.world.columns(Skb)
  const everybody = world.packet({ daddr: ip('192.0.2.255') })
  const group = world.packet({ daddr: ip('224.0.0.1') })
  const ours = world.packet({ flags: SKB.routeBroadcast | SKB.routeMulticast })
  world.run(ipRcvFinish, [everybody, group, ours])
  const mask = SKB.routeBroadcast | SKB.routeMulticast
  assert.equal(
    [everybody, group, ours].map((row) => flags[row] & mask),
    [SKB.routeBroadcast, SKB.routeMulticast, 0],
  )
})

const peer = { address: ip('198.51.100.1'), port: 40000 }

test('early demux finds the connected socket that is first of its list, and saves the routing', () => {
  const world = makeIpWorld({ sockets: [socket({ address: ip('192.0.2.1'), peer })] })
  const hit = world.packet()
  const miss = world.packet({ ports: 40001 * 65536 + 5000 })
  assert.equal(world.run(ipRcvFinish, [hit, miss]), [hit, miss])
  const { sock } = world.world.columns(Skb)
  assert.equal([sock[hit], sock[miss]], [1, 0])
  assert.is(world.units('ip_route_input'), 1)
})

test('early demux does not look past the first socket', () => {
  const address = ip('192.0.2.1')
  const world = makeIpWorld({ sockets: [socket({ address, peer }), socket({ address })] })
  const row = world.packet()
  world.run(ipRcvFinish, [row])
  assert.is(world.world.columns(Skb).sock[row], 0)
})

for (const name of ['net.ipv4.ip_early_demux', 'net.ipv4.udp_early_demux']) {
  test(`${name} = 0 looks nothing up before routing`, () => {
    const world = makeIpWorld({ sockets: [socket({ address: ip('192.0.2.1'), peer })], sysctl: { [name]: 0 } })
    const row = world.packet()
    world.run(ipRcvFinish, [row])
    assert.is(world.world.columns(Skb).sock[row], 0)
    assert.is(world.units('ip_route_input'), 1)
  })
}

test('fragments and group packets are not demuxed early', () => {
  const world = makeIpWorld({ sockets: [socket({ address: ip('192.0.2.1'), peer })] })
  const rows = [
    world.packet({ idFrag: wire.IP_MF }),
    world.packet({ packetType: PACKET_TYPE.multicast }),
    world.packet({ faults: wire.FAULT_L4_SHORT }),
  ]
  world.run(ipRcvFinish, rows)
  const { sock } = world.world.columns(Skb)
  assert.equal(
    rows.map((row) => sock[row]),
    [0, 0, 0],
  )
})

const SEGMENT = { ipWord: ipWord(6), tcpWord: 5 << 12 }

test('early demux of TCP looks every segment up that could have a connection', () => {
  const world = makeIpWorld()
  const rows = [
    world.packet(SEGMENT),
    world.packet({ ...SEGMENT, tcpWord: 15 << 12 }),
    world.packet({ ...SEGMENT, idFrag: wire.IP_MF }),
    world.packet({ ...SEGMENT, packetType: PACKET_TYPE.broadcast }),
    world.packet({ ...SEGMENT, faults: wire.FAULT_L4_SHORT }),
    world.packet({ ...SEGMENT, tcpWord: 4 << 12 }),
    world.packet(),
  ]
  world.run(ipRcvFinish, rows)
  assert.equal([world.units('tcp_early_demux'), world.units('ip_route_input')], [2, rows.length])
})

for (const name of ['net.ipv4.ip_early_demux', 'net.ipv4.tcp_early_demux']) {
  test(`${name} = 0 saves segments the look-up`, () => {
    const world = makeIpWorld({ sysctl: { [name]: 0 } })
    world.run(ipRcvFinish, [world.packet(SEGMENT)])
    assert.equal([world.units('tcp_early_demux'), world.units('ip_route_input')], [0, 1])
  })
}

const LSRR = 131
const ACCEPTED = { [`${ALL}.accept_source_route`]: 1 }
const stop = (text: string) => text.split('.').map(Number)

test('each stop of a source route is routed, and the last one is where the packet goes', () => {
  const world = makeIpWorld({ devices, sysctl: ACCEPTED })
  const columns = { ipWord: ipWord(17, 0, 8), flags: SKB.sourceRoute | SKB.lastStopCsumBad }
  const [row, vouched] = [
    world.packet(columns),
    world.packet({ ...columns, flags: columns.flags | SKB.csumUnnecessary }),
  ]
  for (const each of [row, vouched]) world.sourceRoute(each, [LSRR, 11, 4, ...stop('203.0.113.1'), ...stop('10.1.2.3')])
  assert.equal(world.run(ipRcvFinish, [row, vouched]), [row, vouched])
  const { daddr, flags } = world.world.columns(Skb)
  assert.is(daddr[row], ip('10.1.2.3'))
  assert.equal(
    [row, vouched].map((each) => flags[each] & SKB.csumBad),
    [SKB.csumBad, 0],
  )
  assert.is(world.units('ip_route_input'), 6)
})

test('a stop elsewhere ends the packet without a count of its own', () => {
  const world = makeIpWorld({ devices, sysctl: ACCEPTED })
  const row = world.packet({ ipWord: ipWord(17, 0, 7), flags: SKB.sourceRoute })
  world.sourceRoute(row, [LSRR, 7, 4, ...stop('8.8.8.8')])
  assert.equal(world.run(ipRcvFinish, [row]), [])
  assert.equal(world.drops(), { 'NOT_SPECIFIED@ip_rcv_finish_core': 1 })
  assert.equal(world.snmp(), {})
  assert.is(world.world.columns(Skb).daddr[row], ip('192.0.2.1'), 'the header keeps the stop before')
})

test('ten thousand local addresses are all found, and their neighbours are not', () => {
  const addresses = Array.from(
    { length: 10_000 },
    (_, i) => `10.${i >>> 12}.${(i >>> 4) & 255}.${(i & 15) * 16 + 1}/28`,
  )
  const world = makeIpWorld({ devices: [{ name: 'eth0', addresses }] })
  const table = world.binder.bind(addressTable)
  for (const text of addresses) {
    const address = ip((text.split('/') as [string])[0]) | 0
    assert.is(table.localType(0, address), LOCAL_TYPE.local)
    assert.is(table.localType(0, address + 1), LOCAL_TYPE.none)
    assert.is(table.localType(0, address + 14), LOCAL_TYPE.broadcast)
    assert.is(table.connectedDev(0, address + 5), world.devs[0])
  }
  assert.is(table.connectedDev(0, ip('11.0.0.1') | 0), -1)
})

test('the longest connected prefix decides, the first of two equal ones', () => {
  const world = makeIpWorld({
    devices: [
      { name: 'eth0', addresses: ['10.0.0.1/8'] },
      { name: 'eth1', addresses: ['10.1.0.1/16', '10.1.2.1/31'] },
      { name: 'eth2', addresses: ['10.1.0.2/16'] },
    ],
  })
  const table = world.binder.bind(addressTable)
  assert.equal(
    ['10.9.9.9', '10.1.9.9', '10.1.2.0'].map((text) => table.connectedDev(0, ip(text) | 0)),
    [world.devs[0], world.devs[1], world.devs[1]],
  )
  assert.is(table.localType(0, ip('10.1.2.0') | 0), LOCAL_TYPE.none)
})

test.run()
