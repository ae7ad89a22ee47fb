import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { dstInput } from '../src/ip/dst-input.js'
import { ipRcv } from '../src/ip/ip-rcv.js'
import { ipRcvFinish } from '../src/ip/ip-rcv-finish.js'
import { Skb } from '../src/skb/components.js'
import { type IpWorld, type IpWorldOptions, ip, makeIpWorld } from './support/ip-world.js'

const devices = [
  { name: 'in', addresses: ['10.9.0.1/24'] },
  { name: 'out', addresses: ['10.8.0.1/24'], mtu: 600 },
]

function router(options: IpWorldOptions = {}): IpWorld {
  const conf = { forwarding: 1 }
  return makeIpWorld({ devices: devices.map((each) => ({ ...each, conf })), routes: [], ...options })
}

/** What a router is made of that takes source routes. */
const SOURCE_ROUTES: IpWorldOptions = {
  conf: { accept_source_route: 1 },
  devices: devices.map((each) => ({ ...each, conf: { forwarding: 1, accept_source_route: 1 } })),
}

interface Header {
  readonly daddr?: string
  readonly ttl?: number
  readonly df?: boolean
  readonly options?: readonly number[]
}

/** A raw UDP packet from 10.9.0.2 of `payload` bytes. */
function datagram(payload: number, given: Header = {}): Uint8Array {
  const options = given.options ?? []
  const header = 20 + options.length
  const bytes = new Uint8Array(header + 8 + payload)
  const view = new DataView(bytes.buffer)
  const daddr = ip(given.daddr ?? '10.8.0.2')
  const saddr = ip('10.9.0.2')
  for (let i = 0; i < payload; i++) bytes[header + 8 + i] = i
  wire.emitIpv4(view, 0, 0, bytes.length, 7, given.df === true ? wire.IP_DF : 0, given.ttl ?? 64, 17, saddr, daddr)
  bytes.set(options, 20)
  bytes[0] = 0x40 | (header / 4)
  wire.emitIpv4Checksum(view, 0, header)
  wire.emitUdp(view, header, 40_000, 5000, 8 + payload)
  wire.emitUdpChecksum(view, header, 8 + payload, saddr, daddr)
  return bytes
}

function pass(world: IpWorld, ...rows: number[]): void {
  world.run(dstInput, world.run(ipRcvFinish, world.run(ipRcv, rows)))
}

function parse(bytes: Uint8Array): wire.ParsedFrame {
  const parsed = new wire.ParsedFrame()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  wire.parseFrame(parsed, view, 0, bytes.length, wire.LINKTYPE_RAW)
  return parsed
}

test('a packet leaves by the device of its route, one hop older, otherwise as it came', () => {
  const world = router()
  const given = datagram(5)
  pass(world, world.real(given))
  assert.is(world.sent.length, 1)
  const [{ dev, bytes }] = world.sent as [IpWorld['sent'][number]]
  assert.is(dev, world.devs[1])
  const parsed = parse(bytes)
  assert.equal([parsed.ttl, parsed.ipChecksumOk, parsed.ipId, parsed.l4ChecksumState], [63, 1, 7, wire.L4_CHECKSUM_OK])
  assert.equal([...bytes.subarray(12)], [...given.subarray(12)])
  assert.equal(world.snmp(), {
    IpInReceives: 1,
    IpForwDatagrams: 1,
    IpOutTransmits: 1,
    IpExtInOctets: 33,
    IpExtOutOctets: 33,
    IpExtInNoECTPkts: 1,
  })
  assert.is(world.alive(), 0)
})

test('without DF a long packet is cut into fragments that join to the whole', () => {
  const world = router()
  const given = datagram(1000)
  pass(world, world.real(given))
  const parts = world.sent.map(({ bytes }) => parse(bytes))
  assert.equal(
    parts.map((part) => [part.fragOff & wire.IP_OFFSET, part.fragOff & wire.IP_MF, part.totLenBytes]),
    [
      [0, wire.IP_MF, 596],
      [72, 0, 452],
    ],
  )
  const joined = world.sent.flatMap(({ bytes }) => [...bytes.subarray(20)])
  assert.equal(joined, [...given.subarray(20)])
  const { IpFragOKs, IpFragCreates, IpOutTransmits } = world.snmp()
  assert.equal([IpFragOKs, IpFragCreates, IpOutTransmits], [1, 2, 2])
  assert.is(world.alive(), 0)
})

test('a packet without bytes is cut the same way', () => {
  const world = router()
  const row = world.packet({ daddr: ip('10.8.0.2'), saddr: ip('10.9.0.2'), len: 1028, totLen: 1028, udpLen: 1008 })
  pass(world, row)
  assert.equal(
    world.sent.map(({ bytes }) => bytes.length),
    [596, 452],
  )
  const joined = world.sent.flatMap(({ bytes }) => [...bytes.subarray(20)])
  assert.equal(joined.slice(8, 12), [0, 1, 2, 3])
  assert.is(joined[1007], 999 & 255)
})

test('options that fragments do not carry become padding in the later ones', () => {
  const world = router()
  // Record route is not copied, a stream id (136) is.
  const options = [7, 7, 8, 0, 0, 0, 0, 136, 4, 1, 2, 0]
  pass(world, world.real(datagram(1000, { options })))
  const [first, second] = world.sent.map(({ bytes }) => [...bytes.subarray(20, 32)])
  assert.equal(first, options)
  assert.equal(second, [1, 1, 1, 1, 1, 1, 1, 136, 4, 1, 2, 0])
})

interface Refusal {
  readonly name: string
  readonly bytes: Uint8Array
  readonly options?: IpWorldOptions
  readonly drop: string
  /** Type, code and second word of the ICMP answer; none: silence. */
  readonly answer?: readonly [number, number, number]
  readonly snmp: Readonly<Record<string, number>>
}

const to = (daddr: string) => datagram(5, { daddr })
const withRoutes = (...routes: string[]) => ({ routes })
const refusals: readonly Refusal[] = [
  {
    name: 'ttl 1',
    bytes: datagram(5, { ttl: 1 }),
    drop: 'IP_INHDR@ip_forward',
    answer: [11, 0, 0],
    snmp: { IpInHdrErrors: 1 },
  },
  {
    name: 'ttl 0',
    bytes: datagram(5, { ttl: 0 }),
    drop: 'IP_INHDR@ip_forward',
    answer: [11, 0, 0],
    snmp: { IpInHdrErrors: 1 },
  },
  {
    name: 'DF and too long',
    bytes: datagram(1000, { df: true }),
    drop: 'PKT_TOO_BIG@ip_forward',
    answer: [3, 4, 600],
    snmp: { IpForwDatagrams: 1, IpFragFails: 1 },
  },
  {
    name: 'the mtu of the route is smaller than that of the device',
    bytes: datagram(600, { df: true, daddr: '198.51.100.1' }),
    options: withRoutes('198.51.100.0/24 via 10.8.0.2 mtu 500'),
    drop: 'PKT_TOO_BIG@ip_forward',
    answer: [3, 4, 500],
    snmp: { IpForwDatagrams: 1, IpFragFails: 1 },
  },
  {
    name: 'no route',
    bytes: to('198.51.100.1'),
    drop: 'IP_INNOROUTES@ip_error',
    answer: [3, 0, 0],
    snmp: { IpExtInNoRoutes: 1 },
  },
  {
    name: 'unreachable',
    bytes: to('198.51.100.1'),
    options: withRoutes('unreachable 198.51.100.0/24'),
    drop: 'NOT_SPECIFIED@ip_error',
    answer: [3, 1, 0],
    snmp: {},
  },
  {
    name: 'prohibit',
    bytes: to('198.51.100.1'),
    options: withRoutes('prohibit 198.51.100.0/24'),
    drop: 'NOT_SPECIFIED@ip_error',
    answer: [3, 13, 0],
    snmp: {},
  },
  {
    name: 'blackhole',
    bytes: to('198.51.100.1'),
    options: withRoutes('blackhole 198.51.100.0/24'),
    drop: 'NOT_SPECIFIED@ip_error',
    snmp: {},
  },
  {
    name: 'strict source route by a gateway',
    bytes: datagram(5, { daddr: '10.9.0.1', options: [137, 7, 4, 198, 51, 100, 1, 0] }),
    options: { routes: ['198.51.100.0/24 via 10.8.0.2'], ...SOURCE_ROUTES },
    drop: 'NOT_SPECIFIED@ip_forward',
    answer: [3, 5, 0],
    snmp: {},
  },
  {
    name: 'source route that is not accepted',
    bytes: datagram(5, { daddr: '10.9.0.1', options: [131, 7, 4, 10, 9, 0, 7, 0] }),
    drop: 'NOT_SPECIFIED@ip_rcv_finish_core',
    snmp: {},
  },
  {
    name: 'source route with half a hop',
    bytes: datagram(5, { daddr: '10.9.0.1', options: [131, 6, 4, 10, 9, 0, 0, 0] }),
    options: SOURCE_ROUTES,
    drop: 'NOT_SPECIFIED@ip_rcv_finish_core',
    answer: [12, 0, 22 * 2 ** 24],
    snmp: {},
  },
]

for (const each of refusals) {
  test(`refused: ${each.name}`, () => {
    const world = router(each.options ?? {})
    pass(world, world.real(each.bytes))
    assert.equal(world.drops(), { [each.drop]: 1 })
    const counted = world.snmp()
    for (const [name, value] of Object.entries(each.snmp)) assert.is(counted[name], value, name)
    assert.is(world.sent.length, each.answer === undefined ? 0 : 1)
    assert.is(world.alive(), 0)
    if (each.answer === undefined) return
    const parsed = parse((world.sent[0] as IpWorld['sent'][number]).bytes)
    assert.equal([parsed.icmpType, parsed.icmpCode, parsed.icmpRest], each.answer)
    assert.equal([parsed.saddr, parsed.daddr, parsed.tos], [ip('10.9.0.1'), ip('10.9.0.2'), 0xc0])
    assert.is(parsed.payloadBytes, Math.min(each.bytes.length, 548))
    assert.is(parsed.l4ChecksumState, wire.L4_CHECKSUM_OK)
  })
}

test('a packet that leaves by where it came is passed on, and its sender told, less and less often', () => {
  const world = router()
  const back = () => world.real(datagram(5, { daddr: '10.9.0.9' }))
  pass(world, back())
  const kinds = () => world.sent.map(({ bytes }) => parse(bytes).protocol)
  assert.equal(kinds(), [wire.IPPROTO_ICMP, wire.IPPROTO_UDP])
  const redirect = parse((world.sent[0] as IpWorld['sent'][number]).bytes)
  assert.equal([redirect.icmpType, redirect.icmpCode, redirect.icmpRest], [5, 1, ip('10.9.0.9')])
  pass(world, back())
  assert.equal(kinds().slice(2), [wire.IPPROTO_UDP], 'not again at once')
})

test('a redirect quotes cleared options with the checksum that came, less one hop', () => {
  const world = router()
  const given = datagram(5, { daddr: '10.9.0.9', options: [0, 7, 7, 3] })
  pass(world, world.real(given))
  const [redirect, passed] = world.sent.map(({ bytes }) => bytes) as [Uint8Array, Uint8Array]
  const came = new DataView(given.buffer).getUint16(10) + 0x100
  const quote = redirect.subarray(28)
  assert.equal([...quote.subarray(20, 24)], [0, 0, 0, 0])
  assert.is(new DataView(redirect.buffer, redirect.byteOffset + 28).getUint16(10), (came & 0xffff) + (came >>> 16))
  assert.is(parse(passed).ipChecksumOk, 1)
})

test('send_redirects 0 keeps silent', () => {
  const conf = { send_redirects: 0 }
  const world = router({
    conf,
    devices: devices.map((each) => ({ ...each, conf: { forwarding: 1, send_redirects: 0 } })),
  })
  pass(world, world.real(datagram(5, { daddr: '10.9.0.9' })))
  assert.is(world.sent.length, 1)
})

test('a loose source route goes on to its next hop with our address left behind', () => {
  const options = [131, 7, 4, 10, 9, 0, 7, 0]
  const world = router(SOURCE_ROUTES)
  pass(world, world.real(datagram(5, { daddr: '10.9.0.1', options })))
  const [{ bytes }] = world.sent as [IpWorld['sent'][number]]
  assert.is(parse(bytes).daddr, ip('10.9.0.7'))
  assert.equal([...bytes.subarray(20, 28)], [131, 7, 8, 10, 9, 0, 1, 0])
})

test('the priority of a forwarded packet follows its type of service', () => {
  const world = router()
  const { priority, ipWord } = world.world.columns(Skb)
  const row = world.packet({ daddr: ip('10.8.0.2'), saddr: ip('10.9.0.2') })
  ipWord[row] |= 0x10 << 8
  pass(world, row)
  assert.is(priority[row], 6)
})

test.run()
