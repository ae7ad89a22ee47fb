import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ipLocalDeliver } from '../src/ip/ip-local-deliver.js'
import { PACKET_TYPE, SKB } from '../src/skb/components.js'
import { makeIpWorld } from './support/ip-world.js'
import { ipWord } from './support/sound-datagram.js'

interface Case {
  readonly name: string
  readonly columns: Readonly<Record<string, number>>
  readonly snmp: Readonly<Record<string, number>>
  readonly drop: string
  readonly frames?: number
}

const DISCARD = 'NOT_SPECIFIED@tcp_v4_rcv'
const NO_SOCKET = 'NO_SOCKET@tcp_v4_rcv'
const WORD = 5 << 12
/** Counters of the reset that answers. */
const RESET = { TcpOutSegs: 1, TcpOutRsts: 1, IpOutRequests: 1, IpOutTransmits: 1, IpExtOutOctets: 40 }

const cases: readonly Case[] = [
  { name: 'sound', columns: {}, snmp: { TcpInSegs: 1, ...RESET }, drop: NO_SOCKET },
  { name: 'a reset is not answered', columns: { tcpWord: WORD | 4 }, snmp: { TcpInSegs: 1 }, drop: NO_SOCKET },
  {
    name: 'merged segments count once',
    columns: { flags: SKB.gso, frames: 44, len: 63756 },
    snmp: { TcpInSegs: 1, ...RESET },
    drop: NO_SOCKET,
    frames: 44,
  },
  { name: 'not for us', columns: { packetType: PACKET_TYPE.broadcast }, snmp: {}, drop: DISCARD },
  {
    name: 'header cut short',
    columns: { len: 32, faults: wire.FAULT_L4_SHORT },
    snmp: { TcpInSegs: 1 },
    drop: DISCARD,
  },
  {
    name: 'data offset below five',
    columns: { tcpWord: 4 << 12 },
    snmp: { TcpInSegs: 1, TcpInErrs: 1 },
    drop: 'PKT_TOO_SMALL@tcp_v4_rcv',
  },
  {
    name: 'data offset below five, as parsed',
    columns: { faults: wire.FAULT_TCP_DOFF_SHORT },
    snmp: { TcpInSegs: 1, TcpInErrs: 1 },
    drop: 'PKT_TOO_SMALL@tcp_v4_rcv',
  },
  {
    name: 'data offset beyond the end',
    columns: { tcpWord: 15 << 12, len: 60 },
    snmp: { TcpInSegs: 1 },
    drop: DISCARD,
  },
  {
    name: 'bad checksum',
    columns: { flags: SKB.csumBad },
    snmp: { TcpInSegs: 1, TcpInErrs: 1, TcpInCsumErrors: 1 },
    drop: 'TCP_CSUM@tcp_v4_rcv',
  },
  {
    name: 'verified by the NIC',
    columns: { flags: SKB.csumUnnecessary },
    snmp: { TcpInSegs: 1, ...RESET },
    drop: NO_SOCKET,
  },
]

for (const each of cases) {
  test(`tcp_v4_rcv: ${each.name}`, () => {
    const world = makeIpWorld()
    const row = world.packet({ ipWord: ipWord(6), tcpWord: WORD, len: 1040, totLen: 1040, ...each.columns })
    assert.equal(world.run(ipLocalDeliver, [row]), [])
    assert.equal(world.snmp(), { IpInDelivers: 1, ...each.snmp })
    assert.equal(world.drops(), { [each.drop]: each.frames ?? 1 })
    assert.is(world.units('tcp_rcv'), 1)
    assert.is(world.alive(), 0)
  })
}

test.run()
