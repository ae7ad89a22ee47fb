import type { InterfaceConf, KernelVersion } from '@softnet/scenario'
import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dstInput } from '../src/ip/dst-input.js'
import { ipRcvFinish } from '../src/ip/ip-rcv-finish.js'
import { PACKET_TYPE, SKB, Skb } from '../src/skb/components.js'
import { ip, makeIpWorld, socket } from './support/ip-world.js'
import { ipWord } from './support/sound-datagram.js'

interface Case {
  readonly name: string
  readonly columns?: Readonly<Record<string, number>>
  readonly saddr?: string
  readonly daddr?: string
  readonly conf?: Partial<InterfaceConf>
  readonly kernel?: KernelVersion
  readonly snmp?: Readonly<Record<string, number>>
  /** `REASON@function` of the drop; none: the packet goes on. */
  readonly drop?: string
}

const BROADCAST = { IpExtInBcastPkts: 1, IpExtInBcastOctets: 46 }
const MULTICAST = { IpExtInMcastPkts: 1, IpExtInMcastOctets: 46 }
const ROUTE = 'ip_rcv_finish_core'

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
    drop: 'IP_LOCAL_SOURCE@ip_rcv_finish_core',
  },
  { name: 'all-hosts group', daddr: '224.0.0.1', snmp: MULTICAST },
  { name: 'group not joined', daddr: '239.1.2.3', drop: 'NOT_SPECIFIED@ip_rcv_finish_core' },
  { name: 'group from zero source', saddr: '0.0.0.0', daddr: '224.0.0.1', snmp: MULTICAST },
  { name: 'group from a group', saddr: '224.0.0.5', daddr: '224.0.0.1', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'group from loopback', saddr: '127.0.0.5', daddr: '224.0.0.1', drop: `IP_LOCALNET@${ROUTE}` },
  { name: 'source is a group', saddr: '224.0.0.5', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'source is limited broadcast', saddr: '255.255.255.255', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'source is zero', saddr: '0.0.0.0', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'destination is zero', daddr: '0.0.0.0', drop: `IP_INVALID_DEST@${ROUTE}` },
  { name: 'source in 0/8', saddr: '0.1.2.3' },
  { name: 'source in 0/8, before 5.3', saddr: '0.1.2.3', kernel: '5.1', drop: `IP_INVALID_SOURCE@${ROUTE}` },
  { name: 'destination in 0/8', daddr: '0.1.2.3', snmp: { IpInAddrErrors: 1 }, drop: 'IP_INADDRERRORS@ip_error' },
  { name: 'destination in 0/8, before 5.3', daddr: '0.1.2.3', kernel: '5.1', drop: `IP_INVALID_DEST@${ROUTE}` },
  { name: 'destination loopback', daddr: '127.0.0.1', drop: `IP_LOCALNET@${ROUTE}` },
  { name: 'source loopback', saddr: '127.0.0.9', drop: `IP_LOCALNET@${ROUTE}` },
  { name: 'destination loopback, route_localnet', daddr: '127.9.9.9', conf: { route_localnet: 1 } },
  { name: 'source loopback, route_localnet', saddr: '127.0.0.9', conf: { route_localnet: 1 } },
  {
    name: 'source 127.0.0.1, route_localnet',
    saddr: '127.0.0.1',
    conf: { route_localnet: 1 },
    drop: 'IP_LOCAL_SOURCE@ip_rcv_finish_core',
  },
  { name: 'source is an own address', saddr: '192.0.2.1', drop: 'IP_LOCAL_SOURCE@ip_rcv_finish_core' },
  { name: 'own address as source, accept_local', saddr: '192.0.2.1', conf: { accept_local: 1 } },
  {
    name: 'strict: source behind this device',
    saddr: '192.0.2.9',
    conf: { rp_filter: 1 },
  },
  {
    name: 'strict: source behind another device',
    saddr: '203.0.113.9',
    conf: { rp_filter: 1 },
    snmp: { TcpExtIPReversePathFilter: 1 },
    drop: 'IP_RPFILTER@ip_rcv_finish_core',
  },
  { name: 'loose: source behind another device', saddr: '203.0.113.9', conf: { rp_filter: 2 } },
  {
    name: 'loose: source nowhere',
    saddr: '198.51.100.9',
    conf: { rp_filter: 2 },
    snmp: { TcpExtIPReversePathFilter: 1 },
    drop: 'IP_RPFILTER@ip_rcv_finish_core',
  },
  {
    name: 'strict: source is a broadcast address',
    saddr: '192.0.2.255',
    conf: { rp_filter: 1 },
    drop: `IP_INVALID_SOURCE@${ROUTE}`,
  },
  { name: 'off: source is a broadcast address', saddr: '192.0.2.255' },
  {
    name: 'strict with accept_local: own address of this device',
    saddr: '192.0.2.1',
    conf: { rp_filter: 1, accept_local: 1 },
  },
  {
    name: 'strict with accept_local: own address of another device',
    saddr: '203.0.113.1',
    conf: { rp_filter: 1, accept_local: 1 },
    snmp: { TcpExtIPReversePathFilter: 1 },
    drop: 'IP_RPFILTER@ip_rcv_finish_core',
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
  { name: 'unicast in link broadcast', columns: { packetType: PACKET_TYPE.broadcast } },
  {
    name: 'unicast in link broadcast, refused',
    columns: { packetType: PACKET_TYPE.broadcast },
    conf: { drop_unicast_in_l2_multicast: 1 },
    drop: 'UNICAST_IN_L2_MULTICAST@ip_rcv_finish_core',
  },
  {
    name: 'broadcast in link broadcast is not refused',
    columns: { packetType: PACKET_TYPE.broadcast },
    daddr: '192.0.2.255',
    conf: { drop_unicast_in_l2_multicast: 1 },
    snmp: BROADCAST,
  },
]

const devices = [
  { name: 'eth0', addresses: ['192.0.2.1/24'] },
  { name: 'eth1', addresses: ['203.0.113.1/28', '10.1.2.3/32'] },
]

for (const each of cases) {
  test(`route input: ${each.name}`, () => {
    const world = makeIpWorld({ devices, conf: each.conf ?? {}, kernel: each.kernel ?? '6.18', routes: [] })
    const addresses = { ...(each.saddr && { saddr: ip(each.saddr) }), ...(each.daddr && { daddr: ip(each.daddr) }) }
    const row = world.packet({ ...each.columns, ...addresses })
    const kept = world.run(dstInput, world.run(ipRcvFinish, [row]))
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
const ACCEPTED = { conf: { accept_source_route: 1 } }
const routed = devices.map((each) => ({ ...each, conf: { accept_source_route: 1 } }))
const stop = (text: string) => text.split('.').map(Number)

/** A datagram with options, whose checksum is right for a destination behind the one in its header. */
function sourceRouted(options: readonly number[], summedFor: string): Uint8Array {
  const header = 20 + options.length
  const bytes = new Uint8Array(header + 26)
  const view = new DataView(bytes.buffer)
  const saddr = ip('198.51.100.1')
  wire.emitIpv4(view, 0, 0, bytes.length, 7, 0, 64, 17, saddr, ip('192.0.2.1'))
  bytes.set(options, 20)
  bytes[0] = 0x40 | (header / 4)
  wire.emitIpv4Checksum(view, 0, header)
  wire.emitUdp(view, header, 40_000, 5000, 26)
  wire.emitUdpChecksum(view, header, 26, saddr, ip(summedFor))
  return bytes
}

test('each stop of a source route is routed, and the last one is where the packet goes', () => {
  const world = makeIpWorld({ ...ACCEPTED, devices: routed })
  const options = [LSRR, 11, 4, ...stop('203.0.113.1'), ...stop('10.1.2.3'), 0]
  const [bad, good, vouched] = [
    world.real(sourceRouted(options, '192.0.2.1')),
    world.real(sourceRouted(options, '10.1.2.3')),
    world.real(sourceRouted(options, '192.0.2.1')),
  ]
  const { daddr, flags } = world.world.columns(Skb)
  assert.equal(
    [bad, good].map((each) => flags[each] & SKB.csumBad),
    [0, SKB.csumBad],
  )
  flags[vouched] |= SKB.csumUnnecessary
  assert.equal(world.run(ipRcvFinish, [bad, good, vouched]), [bad, good, vouched])
  assert.is(daddr[bad], ip('10.1.2.3'))
  assert.equal(
    [bad, good, vouched].map((each) => flags[each] & SKB.csumBad),
    [SKB.csumBad, 0, 0],
  )
  assert.is(world.units('ip_route_input'), 9)
})

test('a stop elsewhere goes nowhere on a host that does not forward', () => {
  const world = makeIpWorld({ ...ACCEPTED, devices: routed })
  const row = world.real(sourceRouted([LSRR, 7, 4, ...stop('8.8.8.8'), 0], '192.0.2.1'))
  assert.equal(world.run(ipRcvFinish, [row]), [])
  assert.equal(world.drops(), { 'NOT_SPECIFIED@ip_rcv_finish_core': 1 })
  assert.equal(world.snmp(), {})
  assert.is(world.world.columns(Skb).daddr[row], ip('192.0.2.1'), 'the header keeps the stop before')
})

test.run()
