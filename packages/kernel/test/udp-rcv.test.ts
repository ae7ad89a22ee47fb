import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PacketCount } from '../src/count/components.js'
import { PACKET_TYPE, SKB, Skb } from '../src/skb/components.js'
import { Sock } from '../src/sock/components.js'
import { checksumVerifiedAtEnqueue } from '../src/udp/checksum-rule.js'
import { udpRcv } from '../src/udp/udp-rcv.js'
import { IDS_CAPACITY, ip, makeIpWorld, socket } from './support/ip-world.js'

/** Columns of a datagram as `ip_local_deliver` leaves it: `len` counts from the UDP header. */
function datagram(payloadBytes: number, columns: Readonly<Record<string, number>> = {}): Record<string, number> {
  return { len: payloadBytes + 8, udpLen: payloadBytes + 8, payload: payloadBytes, ...columns }
}

interface Case {
  readonly name: string
  readonly columns: Readonly<Record<string, number>>
  readonly snmp?: Readonly<Record<string, number>>
  readonly drop?: string
  /** No socket on the port. */
  readonly closed?: boolean
}

const UNREACHABLE = {
  UdpNoPorts: 1,
  IcmpOutMsgs: 1,
  IcmpOutDestUnreachs: 1,
  IpOutRequests: 1,
  IpOutTransmits: 1,
  IpExtOutOctets: 54,
}
const SMALL = { snmp: { UdpInErrors: 1 }, drop: 'PKT_TOO_SMALL@__udp4_lib_rcv' }
const CSUM = { snmp: { UdpInErrors: 1, UdpInCsumErrors: 1 }, drop: 'UDP_CSUM@__udp4_lib_rcv' }
const NO_SOCKET = 'NO_SOCKET@__udp4_lib_rcv'

const cases: readonly Case[] = [
  { name: 'sound', columns: datagram(18) },
  { name: 'empty', columns: datagram(0) },
  {
    name: 'header cut short',
    columns: { len: 4, faults: wire.FAULT_L4_SHORT },
    snmp: { UdpInErrors: 1 },
    drop: 'NOT_SPECIFIED@__udp4_lib_rcv',
  },
  { name: 'length beyond the packet', columns: datagram(18, { udpLen: 27 }), ...SMALL },
  {
    name: 'length beyond the packet, as parsed',
    columns: datagram(18, { faults: wire.FAULT_UDP_LENGTH_LONG }),
    ...SMALL,
  },
  { name: 'length below 8', columns: datagram(18, { udpLen: 7 }), ...SMALL },
  { name: 'length 0', columns: datagram(18, { udpLen: 0, faults: wire.FAULT_UDP_LENGTH_SHORT }), ...SMALL },
  { name: 'bad checksum of 68 bytes: found at once', columns: datagram(68, { flags: SKB.csumBad }), ...CSUM },
  { name: 'bad checksum of 69 bytes: left to recvmsg', columns: datagram(69, { flags: SKB.csumBad }) },
  { name: 'a length comes before the checksum', columns: datagram(18, { udpLen: 7, flags: SKB.csumBad }), ...SMALL },
  { name: 'checksum 0 is not checked', columns: datagram(18, { flags: SKB.csumBad | SKB.csumZero }) },
  { name: 'what the NIC verified is not checked', columns: datagram(18, { flags: SKB.csumUnnecessary }) },
  { name: 'merged datagrams keep the length of GRO', columns: { ...datagram(400), udpLen: 108, flags: SKB.gso } },
  { name: 'no socket', columns: datagram(18), closed: true, snmp: UNREACHABLE, drop: NO_SOCKET },
  { name: 'no socket, short and bad', columns: datagram(18, { flags: SKB.csumBad }), closed: true, ...CSUM },
  { name: 'no socket, long and bad', columns: datagram(1400, { flags: SKB.csumBad }), closed: true, ...CSUM },
  {
    name: 'no socket for a link-layer broadcast: no ICMP',
    columns: datagram(18, { packetType: PACKET_TYPE.broadcast }),
    closed: true,
    snmp: { UdpNoPorts: 1 },
    drop: NO_SOCKET,
  },
  {
    name: 'broadcast nobody listens to',
    columns: datagram(18, { flags: SKB.routeBroadcast }),
    closed: true,
    snmp: { UdpIgnoredMulti: 1 },
    drop: 'NOT_SPECIFIED@__udp4_lib_rcv',
  },
]

for (const each of cases) {
  test(`__udp4_lib_rcv: ${each.name}`, () => {
    const world = makeIpWorld({ sockets: each.closed ? [] : [socket()] })
    const row = world.packet(each.columns)
    assert.equal(world.run(udpRcv, [row]), each.drop === undefined ? [row] : [])
    assert.equal(world.snmp(), each.snmp ?? {})
    assert.equal(world.drops(), each.drop === undefined ? {} : { [each.drop]: 1 })
    assert.is(world.alive(), each.drop === undefined ? 1 : 0)
    assert.is(world.units('udp_rcv'), 1)
    assert.is(world.units('no_socket'), each.snmp?.UdpNoPorts ?? 0)
    if (each.drop === undefined) assert.is(world.world.columns(Skb).sock[row], 1)
  })
}

test('the break between summing at once and while copying is at 76 bytes with the header', () => {
  assert.equal([0, 68, 69, 1472].map(checksumVerifiedAtEnqueue), [true, true, false, false])
})

test('a datagram is trimmed to its length field', () => {
  const world = makeIpWorld({ sockets: [socket()] })
  const row = world.packet(datagram(18, { udpLen: 13 }))
  world.run(udpRcv, [row])
  const { len, payload } = world.world.columns(Skb)
  assert.equal([len[row], payload[row]], [13, 5])
})

test('the socket of early demux is taken as it is', () => {
  const world = makeIpWorld({ sockets: [socket(), socket()] })
  const row = world.packet(datagram(18, { sock: 1 }))
  world.run(udpRcv, [row])
  assert.is(world.world.columns(Skb).sock[row], 1)
})

const broadcast = { daddr: ip('192.0.2.255'), flags: SKB.routeBroadcast }

test('a broadcast reaches every matching socket: clones first, the datagram itself last', () => {
  const peer = { address: ip('198.51.100.1'), port: 40000 }
  const stranger = { address: ip('198.51.100.2'), port: 40000 }
  const sockets = [
    socket(),
    socket({ address: ip('192.0.2.1') }),
    socket({ address: ip('192.0.2.255') }),
    socket({ address: ip('192.0.2.255'), peer }),
    socket({ address: ip('192.0.2.255'), peer: stranger }),
    socket({ device: 'eth0' }),
    socket({ port: 5001 }),
  ]
  const world = makeIpWorld({ sockets })
  const row = world.packet(datagram(18, { ...broadcast, frames: 1, serial: 77 }))
  const kept = world.run(udpRcv, [row])
  const { sock, serial } = world.world.columns(Skb)
  assert.equal(
    kept.map((each) => sock[each]),
    [3, 6, 1, 4],
  )
  assert.is(kept.at(-1), row)
  assert.equal([...new Set(kept.map((each) => serial[each]))], [77])
  assert.is(world.world.columns(PacketCount).created[1], 3)
  assert.is(world.alive(), 4)
  assert.equal(world.snmp(), {})
})

test('neighbours of a broadcast keep their order', () => {
  const world = makeIpWorld({ sockets: [socket(), socket()] })
  const first = world.packet(datagram(1))
  const everybody = world.packet(datagram(2, broadcast))
  const last = world.packet(datagram(3))
  const kept = world.run(udpRcv, [first, everybody, last])
  const { payload } = world.world.columns(Skb)
  assert.equal(
    kept.map((each) => payload[each]),
    [1, 2, 2, 3],
  )
})

test('clones that no row is left for count as full sockets', () => {
  const world = makeIpWorld({ sockets: [socket(), socket(), socket()], skbRows: 2 })
  const kept = world.run(udpRcv, [world.packet(datagram(18, broadcast))])
  assert.is(kept.length, 2)
  assert.equal(world.snmp(), { UdpInErrors: 1, UdpRcvbufErrors: 1 })
  assert.equal([...world.world.columns(Sock).drops], [0, 1, 0, 0])
})

test('a batch never outgrows its list of ids', () => {
  const sockets = Array.from({ length: IDS_CAPACITY + 100 }, () => socket())
  const world = makeIpWorld({ sockets, skbRows: 2000 })
  const rows = [world.packet(datagram(18, broadcast)), world.packet(datagram(18))]
  const kept = world.run(udpRcv, rows)
  assert.is(kept.length, IDS_CAPACITY)
  assert.is(world.snmp().UdpRcvbufErrors, sockets.length + 1 - IDS_CAPACITY)
})

test.run()
