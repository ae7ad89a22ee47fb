import * as wire from '@softnet/wire'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PacketCount } from '../src/count/components.js'
import { ipLocalDeliver } from '../src/ip/ip-local-deliver.js'
import { ipRcv } from '../src/ip/ip-rcv.js'
import { ipRcvFinish } from '../src/ip/ip-rcv-finish.js'
import { PACKET_TYPE, SKB, Skb } from '../src/skb/components.js'
import { udpRcv } from '../src/udp/udp-rcv.js'
import { type IpWorld, ip, makeIpWorld, socket } from './support/ip-world.js'
import { ipWord } from './support/sound-datagram.js'

const IGMP = 2
const GRE = 47

interface Case {
  readonly name: string
  readonly columns: Readonly<Record<string, number>>
  readonly rawProtocols?: readonly number[]
  readonly snmp: Readonly<Record<string, number>>
  readonly drops?: Readonly<Record<string, number>>
  readonly consumed?: number
  readonly survives?: boolean
}

const ECHO = { ipWord: ipWord(1), tcpWord: 8 }

/** Counters of the answer to an echo. */
const REPLIED = { IcmpOutMsgs: 1, IcmpOutEchoReps: 1, IpOutRequests: 1, IpOutTransmits: 1, IpExtOutOctets: 46 }

const cases: readonly Case[] = [
  { name: 'UDP goes on', columns: {}, snmp: { IpInDelivers: 1 }, survives: true },
  { name: 'a fragment is held', columns: { idFrag: wire.IP_MF }, snmp: { IpReasmReqds: 1 } },
  { name: 'DF is no fragment', columns: { idFrag: wire.IP_DF }, snmp: { IpInDelivers: 1 }, survives: true },
  {
    name: 'TCP',
    columns: { ipWord: ipWord(6), tcpWord: (5 << 12) | 4 },
    snmp: { IpInDelivers: 1, TcpInSegs: 1 },
    drops: { 'NO_SOCKET@tcp_v4_rcv': 1 },
  },
  {
    name: 'ICMP',
    columns: ECHO,
    snmp: { IpInDelivers: 1, IcmpInMsgs: 1, IcmpInEchos: 1, ...REPLIED },
    consumed: 1,
  },
  { name: 'IGMP', columns: { ipWord: ipWord(IGMP) }, snmp: { IpInDelivers: 1 }, consumed: 1 },
  {
    name: 'unknown protocol',
    columns: { ipWord: ipWord(GRE) },
    snmp: {
      IpInUnknownProtos: 1,
      IcmpOutMsgs: 1,
      IcmpOutDestUnreachs: 1,
      IpOutRequests: 1,
      IpOutTransmits: 1,
      IpExtOutOctets: 74,
    },
    drops: { 'IP_NOPROTO@ip_local_deliver_finish': 1 },
  },
  {
    name: 'unknown protocol with a raw socket',
    columns: { ipWord: ipWord(GRE) },
    rawProtocols: [GRE],
    snmp: { IpInDelivers: 1 },
    consumed: 2,
  },
  {
    name: 'two raw sockets get clones beside the protocol',
    columns: ECHO,
    rawProtocols: [1, 1, GRE],
    snmp: { IpInDelivers: 1, IcmpInMsgs: 1, IcmpInEchos: 1, ...REPLIED },
    consumed: 3,
  },
]

for (const each of cases) {
  test(`ip_local_deliver: ${each.name}`, () => {
    const world = makeIpWorld({ rawProtocols: each.rawProtocols ?? [] })
    const row = world.packet(each.columns)
    assert.equal(world.run(ipLocalDeliver, [row]), each.survives ? [row] : [])
    assert.equal(world.snmp(), each.snmp)
    assert.equal(world.drops(), each.drops ?? {})
    const packets = world.world.columns(PacketCount)
    assert.is(packets.consumed[1], each.consumed ?? 0)
    const clones = each.rawProtocols?.filter((protocol) => protocol === (each.columns.ipWord ?? 0) % 256).length ?? 0
    assert.is(packets.created[1], clones + world.sent.length)
    assert.is(world.units('raw_deliver'), clones)
    if (each.survives) assert.is(world.world.columns(Skb).len[row], 26)
  })
}

/** The whole pipeline over a batch; what reaches a socket is returned. */
function receive(world: IpWorld, rows: readonly number[], cpu: number): number[] {
  let batch = [...rows]
  for (const stage of [ipRcv, ipRcvFinish, ipLocalDeliver, udpRcv]) batch = world.run(stage, batch, cpu)
  return batch
}

const FAULTS = [
  wire.FAULT_IP_SHORT,
  wire.FAULT_IP_VERSION,
  wire.FAULT_IP_IHL,
  wire.FAULT_IP_OPTIONS_SHORT,
  wire.FAULT_IP_OPTIONS,
  wire.FAULT_IP_TOT_LEN_LONG,
  wire.FAULT_IP_TOT_LEN_SHORT,
  wire.FAULT_L4_SHORT,
  wire.FAULT_UDP_LENGTH_SHORT,
  wire.FAULT_UDP_LENGTH_LONG,
  wire.FAULT_TCP_DOFF_SHORT,
  wire.FAULT_TCP_DOFF_LONG,
]

const anyPacket = fc.record({
  saddr: fc.constantFrom(...['198.51.100.1', '192.0.2.1', '127.0.0.1', '0.0.0.0', '224.1.1.1'].map(ip)),
  daddr: fc.constantFrom(...['192.0.2.1', '192.0.2.255', '224.0.0.1', '8.8.8.8', '127.0.0.1', '239.1.1.1'].map(ip)),
  ipWord: fc
    .tuple(fc.constantFrom(17, 17, 17, 6, 1, IGMP, GRE), fc.nat(3), fc.constantFrom(5, 5, 5, 4, 6))
    .map(([protocol, tos, ihl]) => ipWord(protocol, tos, ihl)),
  packetType: fc.constantFrom(...Object.values(PACKET_TYPE)),
  faults: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(...FAULTS) }),
  flags: fc.constantFrom(0, 0, SKB.csumBad, SKB.ipCsumBad, SKB.csumUnnecessary, SKB.gso),
  idFrag: fc.constantFrom(0, 0, 0, wire.IP_MF, 3),
  frames: fc.integer({ min: 1, max: 5 }),
  tcpWord: fc.nat(0xffff),
  len: fc.integer({ min: 20, max: 100 }),
  totLen: fc.integer({ min: 20, max: 60 }),
  udpLen: fc.integer({ min: 0, max: 40 }),
  ports: fc.constantFrom(5000, 6000, 7000).map((port) => 40000 * 65536 + port),
})

test('every packet ends exactly once, whatever is in it', () => {
  const sockets = [socket(), socket(), socket({ port: 6000, address: ip('192.0.2.1') }), socket({ port: 6000 })]
  const world = makeIpWorld({ sockets, rawProtocols: [GRE, 1], skbRows: 512 })
  const packets = world.world.columns(PacketCount)
  const { frames, sock } = world.world.columns(Skb)
  const heldFrames = () => world.held().reduce((sum, row) => sum + frames[row], 0)
  const total = (column: ArrayLike<number>): number => Array.from(column).reduce((sum, each) => sum + each, 0)
  fc.assert(
    fc.property(fc.array(anyPacket, { minLength: 1, maxLength: 64 }), fc.integer({ min: 1, max: 2 }), (given, cpu) => {
      const heldBefore = heldFrames()
      // What the host answers is created and sent.
      const ended = () =>
        total(packets.dropped) + total(packets.consumed) + total(packets.sent) - total(packets.created)
      const before = ended()
      const rows = given.map((columns) => world.packet(columns))
      const delivered = receive(world, rows, cpu)
      assert.is(new Set(delivered).size, delivered.length)
      assert.is(world.alive(), delivered.length + world.held().length)
      for (const row of delivered) assert.ok(sock[row] > 0)
      const reached = delivered.reduce((sum, row) => sum + frames[row], 0)
      const after = heldFrames() - heldBefore + ended()
      assert.is(
        after - before + reached,
        given.reduce((sum, each) => sum + each.frames, 0),
      )
      for (const row of delivered) world.free(row)
    }),
    { numRuns: 300, seed: 7 },
  )
  const lost = Object.values(world.drops()).reduce((sum, each) => sum + each, 0)
  assert.is(lost, total(packets.dropped))
})

test.run()
