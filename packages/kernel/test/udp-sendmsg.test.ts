import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { icmpRcv } from '../src/icmp/icmp-rcv.js'
import { ERRNO } from '../src/route/components.js'
import { SKB, Skb } from '../src/skb/components.js'
import { Sock } from '../src/sock/components.js'
import { udpSendmsg } from '../src/udp/udp-sendmsg.js'
import { type IpWorld, type IpWorldOptions, ip, makeIpWorld, socket } from './support/ip-world.js'

const PEER = { address: ip('192.0.2.9'), port: 40_000 }

function sender(options: IpWorldOptions = {}): IpWorld {
  const sockets = [socket(), socket({ port: 5001, address: ip('192.0.2.1'), peer: PEER })]
  return makeIpWorld({ sockets, routes: [], ...options })
}

interface Sent {
  readonly name: string
  readonly options?: IpWorldOptions
  readonly bytes?: number
  readonly to?: string
  readonly port?: number
  readonly connected?: boolean
  readonly result: number
  readonly snmp?: Readonly<Record<string, number>>
}

const NO_ROUTE = { IpOutNoRoutes: 1 }
const cases: readonly Sent[] = [
  { name: 'a neighbour', to: '192.0.2.9', result: 4 },
  { name: 'the connected peer', connected: true, port: -1, result: 4 },
  { name: 'nobody, not connected', port: -1, result: -ERRNO.EDESTADDRREQ },
  { name: 'port 0', to: '192.0.2.9', port: 0, result: -ERRNO.EINVAL },
  { name: 'too long for a length field', to: '192.0.2.9', bytes: 65_536, result: -ERRNO.EMSGSIZE },
  { name: 'too long for IP', to: '192.0.2.9', bytes: 65_508, result: -ERRNO.EMSGSIZE },
  { name: 'the longest', to: '192.0.2.9', bytes: 65_507, result: 65_507 },
  { name: 'no route', to: '198.51.100.1', result: -ERRNO.ENETUNREACH, snmp: NO_ROUTE },
  {
    name: 'unreachable',
    options: { routes: ['unreachable 198.51.100.0/24'] },
    to: '198.51.100.1',
    result: -ERRNO.EHOSTUNREACH,
  },
  { name: 'prohibit', options: { routes: ['prohibit 198.51.100.0/24'] }, to: '198.51.100.1', result: -ERRNO.EACCES },
  { name: 'blackhole', options: { routes: ['blackhole 198.51.100.0/24'] }, to: '198.51.100.1', result: -ERRNO.EINVAL },
  {
    name: 'throw',
    options: { routes: ['throw 198.51.100.0/24'] },
    to: '198.51.100.1',
    result: -ERRNO.ENETUNREACH,
    snmp: NO_ROUTE,
  },
  { name: 'broadcast without SO_BROADCAST', to: '192.0.2.255', result: -ERRNO.EACCES },
]

for (const { name, options, bytes = 4, to = '0.0.0.0', port = 40_000, connected, result, snmp } of cases) {
  test(`sendmsg: ${name}`, () => {
    const world = sender(options)
    const send = world.binder.bind(udpSendmsg).send
    assert.is(send(1, connected === true ? 2 : 1, bytes, ip(to) | 0, port, null), result)
    const counted = world.snmp()
    assert.is(counted.UdpOutDatagrams, result >= 0 ? 1 : undefined)
    if (result < 0) assert.equal(counted, snmp ?? {})
    assert.is(world.alive(), 0)
  })
}

function parse(bytes: Uint8Array): wire.ParsedFrame {
  const parsed = new wire.ParsedFrame()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  wire.parseFrame(parsed, view, 0, bytes.length, wire.LINKTYPE_RAW)
  return parsed
}

test('a datagram has the source of its route, DF, and right checksums, with bytes and without', () => {
  const world = sender()
  const { send } = world.binder.bind(udpSendmsg)
  send(1, 1, 4, PEER.address | 0, PEER.port, Uint8Array.from([112, 105, 110, 103]))
  send(1, 1, 4, PEER.address | 0, PEER.port, null)
  for (const { bytes } of world.sent) {
    const { saddr, daddr, sport, dport, fragOff, ttl, payloadBytes, ipChecksumOk, l4ChecksumState } = parse(bytes)
    assert.equal([saddr, daddr, sport, dport], [ip('192.0.2.1'), PEER.address, 5000, PEER.port])
    assert.equal([fragOff, ttl, payloadBytes], [wire.IP_DF, 64, 4])
    assert.equal([ipChecksumOk, l4ChecksumState], [1, wire.L4_CHECKSUM_OK])
  }
  assert.equal([...(world.sent[0]?.bytes.subarray(28) ?? [])], [112, 105, 110, 103])
})

test('what is longer than the MTU leaves in fragments without DF', () => {
  const world = sender()
  world.binder.bind(udpSendmsg).send(1, 1, 3000, PEER.address | 0, PEER.port, null)
  assert.equal(
    world.sent.map(({ bytes }) => parse(bytes).fragOff),
    [wire.IP_MF, wire.IP_MF | 185, 370],
  )
  assert.equal([world.snmp().IpFragCreates, world.snmp().UdpOutDatagrams], [3, 1])
})

test('a connected socket counts its ids', () => {
  const world = sender()
  for (let i = 0; i < 3; i++) world.binder.bind(udpSendmsg).send(1, 2, 4, 0, -1, null)
  const [a = 0, b, c] = world.sent.map(({ bytes }) => parse(bytes).ipId)
  assert.equal([b, c], [(a + 1) & 0xffff, (a + 2) & 0xffff])
})

test('a broadcast with SO_BROADCAST leaves and comes back; own addresses go by loopback', () => {
  const world = sender()
  world.world.columns(Sock).broadcast[1] = 1
  const { send } = world.binder.bind(udpSendmsg)
  assert.is(send(1, 1, 4, ip('192.0.2.255') | 0, 9, null), 4)
  assert.equal([world.sent.length, world.looped.length], [1, 1])
  assert.ok(((world.world.columns(Skb).flags[world.looped[0] ?? 0] as number) & SKB.looped) !== 0)
  assert.is(send(1, 1, 4, ip('192.0.2.1') | 0, 9, null), 4)
  assert.equal([world.sent.length, world.looped.length], [1, 2])
})

/** The ICMP error of a type and code about the packet sent last. */
function answer(world: IpWorld, type: number, code: number): void {
  const quoted = (world.sent.at(-1) as IpWorld['sent'][number]).bytes
  const bytes = new Uint8Array(28 + quoted.length)
  const view = new DataView(bytes.buffer)
  wire.emitIpv4(view, 0, 0xc0, bytes.length, 1, 0, 64, wire.IPPROTO_ICMP, PEER.address, ip('192.0.2.1'))
  bytes.set(quoted, 28)
  wire.emitIcmp(view, 20, type, code, 0, 8 + quoted.length)
  const row = world.real(bytes)
  const { len, flags } = world.world.columns(Skb)
  len[row] = (len[row] as number) - 20
  flags[row] = (flags[row] as number) | SKB.pulled
  world.binder.bind(icmpRcv)(1, row)
}

const errors: readonly (readonly [number, number, number])[] = [
  [3, 0, 0],
  [3, 1, 0],
  [3, 2, ERRNO.ENOPROTOOPT],
  [3, 3, ERRNO.ECONNREFUSED],
  [3, 4, ERRNO.EMSGSIZE],
  [3, 5, 0],
  [3, 6, ERRNO.ENETUNREACH],
  [3, 7, ERRNO.EHOSTDOWN],
  [3, 8, ERRNO.ENONET],
  [3, 13, ERRNO.EHOSTUNREACH],
  [3, 16, 0],
  [4, 0, 0],
  [5, 1, 0],
  [11, 0, 0],
  [12, 0, ERRNO.EPROTO],
]

for (const [type, code, errno] of errors) {
  test(`ICMP ${type}/${code} about a connected socket's datagram gives errno ${errno}`, () => {
    const world = sender()
    const { send, takeError } = world.binder.bind(udpSendmsg)
    send(1, 2, 4, 0, -1, null)
    answer(world, type, code)
    assert.is(world.snmp().IcmpInErrors, undefined, 'the socket was found')
    const { err } = world.world.columns(Sock)
    assert.is(err[2], errno)
    if (errno !== 0) assert.is(send(1, 2, 4, 0, -1, null), -errno, 'the next call fails with it')
    assert.is(takeError(2), 0, 'once')
    assert.is(world.alive(), 0)
  })
}

test('a socket that is not connected hears nothing, and no socket counts an error', () => {
  const world = sender()
  world.binder.bind(udpSendmsg).send(1, 1, 4, PEER.address | 0, PEER.port, null)
  answer(world, 3, 3)
  assert.equal([world.world.columns(Sock).err[1], world.snmp().IcmpInErrors], [0, undefined])
  // A datagram from a port that no table knows a socket for.
  world.world.columns(Sock).port[1] = 5999
  world.binder.bind(udpSendmsg).send(1, 1, 4, PEER.address | 0, PEER.port, null)
  answer(world, 3, 3)
  assert.is(world.snmp().IcmpInErrors, 1)
})

test.run()
