import type { Ipv4Plan } from '@softnet/scenario'
import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cpu } from '../src/cpu/components.js'
import { ICMP_PEER_BURST } from '../src/icmp/icmp-limit.js'
import { icmpSend } from '../src/icmp/icmp-send.js'
import { ipLocalDeliver } from '../src/ip/ip-local-deliver.js'
import { RTCF, RTN } from '../src/route/components.js'
import { PACKET_TYPE, SKB } from '../src/skb/components.js'
import { type IpWorld, ip, makeIpWorld } from './support/ip-world.js'
import { ipWord } from './support/sound-datagram.js'

interface Case {
  readonly name: string
  readonly type: number
  readonly columns?: Readonly<Record<string, number>>
  readonly snmp: Readonly<Record<string, number>>
  readonly ipv4?: Partial<Ipv4Plan>
  /** `REASON@function`; none: used up by the kernel. */
  readonly drop?: string
}

const EVERYBODY = { flags: SKB.routeBroadcast, rtType: RTN.broadcast, rtFlags: RTCF.broadcast | RTCF.local }
/** Counters of an answer; replies of all kinds count as echo replies. */
const REPLIED = { IcmpOutMsgs: 1, IcmpOutEchoReps: 1, IpOutRequests: 1, IpOutTransmits: 1, IpExtOutOctets: 46 }
const IGNORED = 'INVALID_PROTO@icmp_rcv'

const cases: readonly Case[] = [
  { name: 'echo', type: 8, snmp: { IcmpInEchos: 1, ...REPLIED } },
  { name: 'echo with a code', type: 8 | (5 << 8), snmp: { IcmpInEchos: 1, ...REPLIED } },
  { name: 'echo, ignored', type: 8, ipv4: { icmp_echo_ignore_all: 1 }, snmp: { IcmpInEchos: 1 } },
  {
    name: 'broadcast echo, answered',
    type: 8,
    columns: EVERYBODY,
    ipv4: { icmp_echo_ignore_broadcasts: 0 },
    snmp: { IcmpInEchos: 1, ...REPLIED },
  },
  {
    name: 'bad checksum',
    type: 8,
    columns: { flags: SKB.csumBad },
    snmp: { IcmpInErrors: 1, IcmpInCsumErrors: 1 },
    drop: 'ICMP_CSUM@icmp_rcv',
  },
  {
    name: 'header cut short',
    type: 8,
    columns: { faults: wire.FAULT_L4_SHORT, len: 24, totLen: 24 },
    snmp: { IcmpInErrors: 1 },
    drop: 'NOT_SPECIFIED@icmp_rcv',
  },
  { name: 'broadcast echo', type: 8, columns: EVERYBODY, snmp: { IcmpInErrors: 1, IcmpInEchos: 1 }, drop: IGNORED },
  {
    name: 'group timestamp',
    type: 13,
    columns: { flags: SKB.routeMulticast, rtType: RTN.multicast, rtFlags: RTCF.multicast | RTCF.local },
    snmp: { IcmpInErrors: 1, IcmpInTimestamps: 1 },
    drop: IGNORED,
  },
  {
    name: 'broadcast unreachable',
    type: 3,
    columns: EVERYBODY,
    snmp: { IcmpInErrors: 1, IcmpInDestUnreachs: 1 },
    drop: IGNORED,
  },
  { name: 'broadcast address mask', type: 17, columns: EVERYBODY, snmp: { IcmpInAddrMasks: 1 } },
  { name: 'echo reply nobody waits for', type: 0, snmp: { IcmpInEchoReps: 1 }, drop: 'NO_SOCKET@ping_rcv' },
  { name: 'timestamp', type: 13, snmp: { IcmpInTimestamps: 1, ...REPLIED, IpExtOutOctets: 40 } },
  {
    name: 'timestamp too short',
    type: 13,
    columns: { len: 28 },
    snmp: { IcmpInErrors: 1, IcmpInTimestamps: 1 },
    drop: 'PKT_TOO_SMALL@icmp_rcv',
  },
  {
    name: 'unreachable for no socket',
    type: 3,
    columns: { len: 56 },
    snmp: { IcmpInErrors: 1, IcmpInDestUnreachs: 1 },
  },
  {
    name: 'time exceeded without a quote',
    type: 11,
    columns: { len: 32 },
    snmp: { IcmpInErrors: 1, IcmpInTimeExcds: 1 },
    drop: 'NOT_SPECIFIED@icmp_rcv',
  },
  {
    name: 'redirect without a quote',
    type: 5,
    columns: { len: 32 },
    snmp: { IcmpInErrors: 1, IcmpInRedirects: 1 },
    drop: 'PKT_TOO_SMALL@icmp_rcv',
  },
  { name: 'source quench', type: 4, columns: { len: 56 }, snmp: { IcmpInErrors: 1, IcmpInSrcQuenchs: 1 } },
  { name: 'parameter problem', type: 12, columns: { len: 56 }, snmp: { IcmpInErrors: 1, IcmpInParmProbs: 1 } },
  { name: 'address mask reply', type: 18, snmp: { IcmpInAddrMaskReps: 1 } },
  { name: 'timestamp reply', type: 14, snmp: { IcmpInTimestampReps: 1 } },
  { name: 'type without use', type: 6, snmp: {} },
  { name: 'type 19', type: 19, snmp: { IcmpInErrors: 1 }, drop: 'UNHANDLED_PROTO@icmp_rcv' },
  { name: 'extended echo', type: 42, snmp: {} },
  { name: 'extended echo reply', type: 43, snmp: {}, drop: 'NO_SOCKET@ping_rcv' },
]

for (const each of cases) {
  test(`icmp_rcv: ${each.name}`, () => {
    const world = makeIpWorld({ ipv4: each.ipv4 ?? {} })
    const row = world.packet({ ipWord: ipWord(1), tcpWord: each.type, ...each.columns })
    assert.equal(world.run(ipLocalDeliver, [row]), [])
    assert.equal(world.snmp(), { IpInDelivers: 1, IcmpInMsgs: 1, ...each.snmp })
    assert.equal(world.drops(), each.drop === undefined ? {} : { [each.drop]: 1 })
    assert.is(world.units('icmp_rcv'), 1)
    assert.is(world.alive(), 0)
  })
}

/** Asks for `count` errors about packets of `peers` sources in turn; returns how many the limits let. */
function sendMany(world: IpWorld, count: number, peers: number): number {
  const send = world.binder.bind(icmpSend)
  const before = world.sent.length
  for (let i = 0; i < count; i++) {
    const row = world.packet({ saddr: ip('198.51.100.1') + (i % peers) })
    send(1, row, 3, 3, 0)
    world.free(row)
  }
  return world.sent.length - before
}

test('a peer gets six errors at once, then one a second', () => {
  const world = makeIpWorld()
  const { clockPs } = world.world.columns(Cpu)
  assert.is(sendMany(world, 20, 1), ICMP_PEER_BURST)
  const bytes = 6 * (46 + 28)
  const ipOut = { IpOutRequests: 6, IpOutTransmits: 6, IpExtOutOctets: bytes }
  assert.equal(world.snmp(), { ...ipOut, IcmpOutMsgs: 6, IcmpOutDestUnreachs: 6, IcmpOutRateLimitHost: 14 })
  for (const [atMs, sent] of [
    [999, 0],
    [1000, 1],
    [1500, 0],
    [3000, 2],
    [100_000, 6],
  ] as const) {
    clockPs[1] = atMs * 1e9
    assert.is(sendMany(world, 10, 1), sent, `at ${atMs} ms`)
  }
})

test('many peers share fifty at once: each takes 0, 1 or 2 by chance', () => {
  const world = makeIpWorld()
  const sent = sendMany(world, 400, 400)
  assert.ok(sent >= 25 && sent < 100, `${sent} were sent at once`)
  assert.is(world.snmp().IcmpOutRateLimitGlobal, 400 - sent)
  assert.is(sendMany(world, 10, 400), 0)
})

test('the shared limit is refilled after a fiftieth of a second, with a thousandth of a second each', () => {
  const world = makeIpWorld()
  const { clockPs } = world.world.columns(Cpu)
  sendMany(world, 400, 400)
  clockPs[1] = 19.9e9
  assert.is(sendMany(world, 40, 400), 0)
  clockPs[1] = 20e9
  const sent = sendMany(world, 200, 400)
  assert.ok(sent >= 10 && sent <= 60, `${sent} were sent after the refill`)
})

test('over ten seconds about a thousand a second leave', () => {
  const world = makeIpWorld()
  const { clockPs } = world.world.columns(Cpu)
  for (let ms = 0; ms < 10_000; ms++) {
    clockPs[1] = ms * 1e9
    const send = world.binder.bind(icmpSend)
    for (let i = 0; i < 3; i++) {
      const row = world.packet({ saddr: ip('10.0.0.0') + ms * 3 + i })
      send(1, row, 3, 3, 0)
      world.free(row)
    }
  }
  const sent = world.sent.length
  assert.ok(sent > 9000 && sent < 11_000, `${sent} were sent in ten seconds`)
})

test('chance comes from the seed', () => {
  const count = (seed: number): number => sendMany(makeIpWorld({ seed }), 400, 400)
  const counts = [1, 2, 3, 4, 5, 6].map(count)
  assert.is(count(1), counts[0])
  assert.ok(new Set(counts).size > 1, `every seed let ${counts[0]} pass`)
})

test('no error answers a broadcast, a group, another link address or a later fragment', () => {
  const world = makeIpWorld()
  const send = world.binder.bind(icmpSend)
  const refused = [
    { packetType: PACKET_TYPE.broadcast },
    { packetType: PACKET_TYPE.multicast },
    { rtFlags: RTCF.broadcast },
    { rtFlags: RTCF.multicast },
    { idFrag: 1 },
  ]
  for (const columns of refused) send(1, world.packet(columns), 3, 3, 0)
  assert.equal(world.snmp(), {})
  send(1, world.packet(), 3, 3, 0)
  assert.is(world.sent.length, 1)
})

test.run()
