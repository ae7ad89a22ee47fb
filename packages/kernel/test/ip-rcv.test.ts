import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DEVICE_ROWS, DeviceCount, PacketCount } from '../src/count/components.js'
import { DEVICE } from '../src/count/device.js'
import { ipRcv } from '../src/ip/ip-rcv.js'
import { PACKET_TYPE, SKB, Skb } from '../src/skb/components.js'
import { makeIpWorld } from './support/ip-world.js'
import { ipWord } from './support/sound-datagram.js'

interface Case {
  readonly name: string
  readonly columns: Readonly<Record<string, number>>
  readonly snmp: Readonly<Record<string, number>>
  readonly drops: Readonly<Record<string, number>>
}

const RECEIVED = { IpInReceives: 1, IpExtInOctets: 46 }
const HEADER_BAD = { 'IP_INHDR@ip_rcv_core': 1 }

const cases: readonly Case[] = [
  { name: 'sound', columns: {}, snmp: { ...RECEIVED, IpExtInNoECTPkts: 1 }, drops: {} },
  {
    name: 'other host',
    columns: { packetType: PACKET_TYPE.otherhost },
    snmp: {},
    drops: { 'OTHERHOST@ip_rcv_core': 1 },
  },
  {
    name: 'other host comes before a bad header',
    columns: { packetType: PACKET_TYPE.otherhost, faults: wire.FAULT_IP_IHL },
    snmp: {},
    drops: { 'OTHERHOST@ip_rcv_core': 1 },
  },
  {
    name: 'shorter than a header',
    columns: { len: 10, faults: wire.FAULT_IP_SHORT },
    snmp: { IpInReceives: 1, IpExtInOctets: 10, IpInHdrErrors: 1 },
    drops: HEADER_BAD,
  },
  { name: 'ihl 4', columns: { ipWord: ipWord(17, 0, 4) }, snmp: { ...RECEIVED, IpInHdrErrors: 1 }, drops: HEADER_BAD },
  {
    name: 'ihl fault from the parser',
    columns: { faults: wire.FAULT_IP_IHL },
    snmp: { ...RECEIVED, IpInHdrErrors: 1 },
    drops: HEADER_BAD,
  },
  {
    name: 'version 6',
    columns: { ipWord: ipWord(17, 0, 5, 6) },
    snmp: { ...RECEIVED, IpInHdrErrors: 1 },
    drops: HEADER_BAD,
  },
  {
    name: 'version fault',
    columns: { faults: wire.FAULT_IP_VERSION },
    snmp: { ...RECEIVED, IpInHdrErrors: 1 },
    drops: HEADER_BAD,
  },
  {
    name: 'options cut short count their ECN first',
    columns: { ipWord: ipWord(17, 0, 15), faults: wire.FAULT_IP_OPTIONS_SHORT },
    snmp: { ...RECEIVED, IpExtInNoECTPkts: 1, IpInHdrErrors: 1 },
    drops: HEADER_BAD,
  },
  {
    name: 'ECT(1)',
    columns: { ipWord: ipWord(17, 1) },
    snmp: { ...RECEIVED, IpExtInECT1Pkts: 1 },
    drops: {},
  },
  { name: 'ECT(0)', columns: { ipWord: ipWord(17, 2) }, snmp: { ...RECEIVED, IpExtInECT0Pkts: 1 }, drops: {} },
  { name: 'CE', columns: { ipWord: ipWord(17, 3) }, snmp: { ...RECEIVED, IpExtInCEPkts: 1 }, drops: {} },
  {
    name: 'bad checksum counts twice',
    columns: { flags: SKB.ipCsumBad },
    snmp: { ...RECEIVED, IpExtInNoECTPkts: 1, IpExtInCsumErrors: 1, IpInHdrErrors: 1 },
    drops: { 'IP_CSUM@ip_rcv_core': 1 },
  },
  {
    name: 'bad checksum comes before a bad length',
    columns: { flags: SKB.ipCsumBad, totLen: 400 },
    snmp: { ...RECEIVED, IpExtInNoECTPkts: 1, IpExtInCsumErrors: 1, IpInHdrErrors: 1 },
    drops: { 'IP_CSUM@ip_rcv_core': 1 },
  },
  {
    name: 'longer than the frame',
    columns: { totLen: 47 },
    snmp: { ...RECEIVED, IpExtInNoECTPkts: 1, IpExtInTruncatedPkts: 1 },
    drops: { 'PKT_TOO_SMALL@ip_rcv_core': 1 },
  },
  {
    name: 'total length below the header',
    columns: { totLen: 19 },
    snmp: { ...RECEIVED, IpExtInNoECTPkts: 1, IpInHdrErrors: 1 },
    drops: HEADER_BAD,
  },
  {
    name: 'GRO packet counts once, its segments by ECN',
    columns: { flags: SKB.gso, frames: 4, len: 428, totLen: 128 },
    snmp: { IpInReceives: 1, IpExtInOctets: 428, IpExtInNoECTPkts: 4 },
    drops: {},
  },
]

for (const each of cases) {
  test(`ip_rcv_core: ${each.name}`, () => {
    const world = makeIpWorld()
    const row = world.packet(each.columns)
    const kept = world.run(ipRcv, [row])
    const survives = Object.keys(each.drops).length === 0
    assert.equal(kept, survives ? [row] : [])
    assert.equal(world.snmp(), each.snmp)
    assert.equal(world.drops(), each.drops)
    assert.is(world.alive(), survives ? 1 : 0)
    assert.is(world.units('ip_rcv'), 1)
  })
}

test('a packet for another host moves the device counter', () => {
  const world = makeIpWorld({ devices: ['eth0', 'eth1'].map((name) => ({ name, addresses: [] })) })
  world.run(ipRcv, [world.packet({ packetType: PACKET_TYPE.otherhost, dev: world.devs[1] as number })])
  const { value } = world.world.columns(DeviceCount)
  const otherhost = (device: number) => value[(device * 3 + 1) * DEVICE_ROWS + DEVICE.rxOtherhost]
  assert.equal([otherhost(0), otherhost(1)], [0, 1])
})

test('padding is cut off, octets count it', () => {
  const world = makeIpWorld()
  const row = world.packet({ len: 46, totLen: 31 })
  assert.equal(world.run(ipRcv, [row]), [row])
  assert.is(world.world.columns(Skb).len[row], 31)
  assert.is(world.snmp().IpExtInOctets, 46)
})

test('survivors keep their order', () => {
  const world = makeIpWorld()
  const rows = Array.from({ length: 9 }, (_, i) => world.packet(i % 3 === 1 ? { flags: SKB.ipCsumBad } : {}))
  assert.equal(
    world.run(ipRcv, rows),
    rows.filter((_, i) => i % 3 !== 1),
  )
  assert.is(world.world.columns(PacketCount).dropped[1], 3)
})

test.run()
