/** Random IPv4 packets for two devices: valid, broken, fragments, options, quotes of datagrams, broadcasts, forwarded. */
import type { Draw } from '../support/draw.js'
import { icmpMessage, ipPacket, tcpSegment, udpDatagram } from './packet-bytes.js'

const BYTE_VALUES = 256
const DATA_BYTES = [0, 1, 3, 5, 40, 63, 64, 65, 68, 69, 100, 552, 600, 1000, 1400, 1471]
const OWN = '10.9.0.1'
const PEER = '10.9.0.2'
const OTHER_OWN = '10.8.0.1'
const OTHER_PEER = '10.8.0.2'
const GROUPS = ['224.0.0.1', '239.1.2.3', '239.1.1.1', '224.0.0.251']
const ODD_SOURCES = [
  ...['10.9.0.3', OTHER_PEER, '192.0.2.1', '127.0.0.1', '0.0.0.0', '255.255.255.255', '224.0.0.1', OWN, '10.9.0.255'],
  ...['10.9.0.0', '198.51.100.2', '0.1.2.3', '240.0.0.1'],
]
const ODD_TARGETS = [
  ...[OTHER_OWN, OTHER_PEER, OTHER_PEER, '10.9.0.7', '10.9.0.255', '255.255.255.255', ...GROUPS, '198.51.100.5'],
  ...['198.51.101.5', '198.51.102.5', '198.51.103.5', '203.0.113.1', '127.0.0.1', '0.0.0.0', '10.9.0.0', '240.0.0.1'],
  ...['0.1.2.3', '172.16.0.1', '203.0.113.129'],
]
const PROTOCOL = { icmp: 1, igmp: 2, tcp: 6, udp: 17 } as const
/** Protocols nobody listens to; UDP-Lite (136) is left out, its counters are a table of their own. */
const UNKNOWN_PROTOCOLS = [2, 253, 47, 50, 132, 255, 0]
const ICMP_TYPES = [8, 8, 8, 13, 13, 0, 3, 3, 3, 4, 5, 11, 12, 17, 18, 14, 6, 19, 43, 255, 15, 10]
const ERROR_TYPES: readonly number[] = [3, 4, 5, 11, 12]
const OPTION_TYPES = [7, 7, 68, 68, 131, 137, 148, 1, 0, 0x5e, 130, 136, 134]
const MAX_OPTION_BYTES = 40
const FLAGS = { df: 0x4000, evil: 0x8000, more: 0x2000 } as const

function words(draw: Draw, from: readonly string[]): number[] {
  return draw.pick(from).split('.').map(Number)
}

function lengths(draw: Draw, usual: readonly number[]): number {
  return draw.chance(0.85) ? draw.pick(usual) : draw.below(20)
}

function noise(draw: Draw, count: number): number[] {
  return Array.from({ length: Math.max(0, count) }, () => (draw.chance(0.6) ? 0 : draw.below(BYTE_VALUES)))
}

function drawOption(draw: Draw): number[] {
  const type = draw.pick(OPTION_TYPES)
  if (type <= 1) return [type]
  if (type === 7) {
    const length = lengths(draw, [3, 7, 7, 11, 11, 15])
    return [type, length, lengths(draw, [4, 4, 4, 8, 12, 16]), ...noise(draw, length - 3)]
  }
  if (type === 68) {
    const length = lengths(draw, [4, 8, 12, 12, 20])
    const flags = draw.pick([0, 0, 1, 1, 3, 3, 2]) | (draw.pick([0, 0, 0, 1, 15]) << 4)
    const body = noise(draw, length - 4)
    const named = words(draw, [OWN, OTHER_OWN, PEER, '192.0.2.1'])
    if ((flags & 15) === 3) body.splice(0, Math.min(4, body.length), ...named.slice(0, body.length))
    return [type, length, lengths(draw, [5, 5, 9, 13, 21]), flags, ...body]
  }
  if (type === 131 || type === 137) {
    const length = lengths(draw, [3, 7, 7, 11, 11])
    const hops = Array.from({ length: 4 }, () => words(draw, [OWN, OTHER_OWN, '10.9.0.7', OTHER_PEER, PEER])).flat()
    return [type, length, lengths(draw, [4, 4, 4, 8, 12]), ...hops.slice(0, Math.max(0, length - 3))]
  }
  const length = lengths(draw, [4, 4, 2])
  return [type, length, ...noise(draw, length - 2)]
}

function drawOptions(draw: Draw): number[] {
  const options = Array.from({ length: draw.pick([1, 1, 1, 2, 2, 3]) }, () => drawOption(draw)).flat()
  const cut = options.slice(0, MAX_OPTION_BYTES)
  while (cut.length % 4 !== 0) cut.push(0)
  return cut
}

/** What an ICMP error quotes: a datagram of the host, or something nobody sent. */
function drawQuote(draw: Draw, cut: readonly number[]): number[] {
  const source = draw.pick([OWN, OWN, OWN, PEER])
  const target = draw.pick([PEER, PEER, '10.9.0.255', '192.0.2.1'])
  const ports = draw.pick([
    [5000, 40_000],
    [5001, 40_000],
    [5000, 53],
  ])
  const inner = ipPacket({
    source,
    target,
    protocol: draw.pick([17, 17, 17, 6, 1, 253]),
    body: udpDatagram(source, target, ports[0] as number, ports[1] as number, [0x78]),
    ident: 1,
  })
  if (draw.chance(0.1)) inner[0] = 0x44
  return inner.slice(0, draw.pick(cut))
}

function drawIcmp(draw: Draw, data: readonly number[]): number[] {
  const type = draw.pick(ICMP_TYPES)
  const isError = ERROR_TYPES.includes(type)
  const code = isError ? draw.pick([0, 1, 2, 3, 3, 4, 5, 13, 15, 16]) : draw.pick([0, 0, 0, 3, 13])
  const rest = isError ? draw.pick([0, 576, 1400, 0x14000000]) : draw.pick([0x12340001, 0])
  const body = isError && draw.chance(0.8) ? drawQuote(draw, [28, 29, 28, 24, 20, 19, 27]) : data
  const message = icmpMessage(type, code, rest, body, draw.chance(0.05))
  return draw.chance(0.05) ? message.slice(0, draw.below(8)) : message
}

function drawUdp(draw: Draw, source: string, target: string, data: readonly number[]): number[] {
  const length = draw.chance(0.92) ? null : draw.pick([0, 7, 8, 100])
  const port = draw.pick([5000, 5000, 5001, 9, 0])
  const from = draw.pick([40_000, 40_000, 53])
  const datagram = udpDatagram(source, target, from, port, data, { length, bad: draw.chance(0.06) })
  return draw.chance(0.04) ? datagram.slice(0, draw.below(8)) : datagram
}

function drawTcp(draw: Draw, source: string, target: string, data: readonly number[]): number[] {
  const flags = draw.pick([2, 2, 16, 17, 1, 4, 20, 18, 0, 0x18, 0x29, 0xc2])
  const segment = tcpSegment(source, target, 40_000, draw.pick([80, 5000]), flags, data.slice(0, 64), draw.chance(0.05))
  if (draw.chance(0.04)) segment[12] = draw.pick([0x40, 0xf0])
  return draw.chance(0.04) ? segment.slice(0, draw.below(20)) : segment
}

/** A query, a report or something else, short or with bytes behind it. */
function drawIgmp(draw: Draw, data: readonly number[]): number[] {
  const type = draw.pick([0x11, 0x11, 0x12, 0x16, 0x17, 0x22, 0x13])
  const group = draw.pick([0, 0, 0xef010203, 0xef010204, 0xe0000001])
  const behind = draw.pick([0, 0, 4, 4, 8, 2])
  const message = icmpMessage(type, draw.pick([0, 10, 100, 200]), group, noise(draw, behind), draw.chance(0.05))
  return draw.chance(0.1) ? data.slice(0, 7) : message
}

function drawBody(draw: Draw, protocol: number, source: string, target: string): number[] {
  const data = Array.from({ length: draw.pick(DATA_BYTES) }, (_, i) => i & 255)
  if (protocol === PROTOCOL.icmp) return drawIcmp(draw, data)
  if (protocol === PROTOCOL.udp) return drawUdp(draw, source, target, data)
  if (protocol === PROTOCOL.igmp) return drawIgmp(draw, data)
  return protocol === PROTOCOL.tcp ? drawTcp(draw, source, target, data) : data
}

function drawProtocol(draw: Draw): number {
  const share = draw.share()
  if (share < 0.3) return PROTOCOL.icmp
  if (share < 0.72) return PROTOCOL.udp
  return share < 0.86 ? PROTOCOL.tcp : draw.pick(UNKNOWN_PROTOCOLS)
}

/** Addresses of a packet, mostly of the host and its neighbour. */
function drawEnds(draw: Draw): readonly [string, string] {
  const source = draw.chance(0.75) ? PEER : draw.pick(ODD_SOURCES)
  return [source, draw.chance(0.5) ? OWN : draw.pick(ODD_TARGETS)]
}

/** One packet of random kind; broken in some field now and then. */
export function drawPacket(draw: Draw): Uint8Array {
  const [source, target] = drawEnds(draw)
  const protocol = drawProtocol(draw)
  return Uint8Array.from(
    ipPacket({
      source,
      target,
      protocol,
      body: drawBody(draw, protocol, source, target),
      ident: draw.below(65_536),
      ttl: draw.chance(0.7) ? 64 : draw.pick([1, 1, 2, 0, 255]),
      tos: draw.chance(0.6) ? 0 : draw.pick([0x10, 0xb8, 1, 2, 3, 0xff, 0x1e]),
      fragment: draw.chance(0.8) ? 0 : draw.pick([FLAGS.df, FLAGS.df, FLAGS.evil, FLAGS.df | FLAGS.evil]),
      options: draw.chance(0.25) ? drawOptions(draw) : [],
      totalBytes: draw.chance(0.95) ? null : draw.pick([0, 19, 20, 21, 1500, 28]),
      badChecksum: draw.chance(0.03),
      headerWords: draw.chance(0.97) ? null : draw.pick([4, 6, 15, 0]),
    }),
  )
}

/** A packet cut into fragments, some missing, twice there, or out of order. */
export function drawFragments(draw: Draw): Uint8Array[] {
  const [source, target] = drawEnds(draw)
  const protocol = draw.pick([PROTOCOL.udp, PROTOCOL.udp, PROTOCOL.icmp, PROTOCOL.tcp])
  const body = drawBody(draw, protocol, source, target)
  const pieceBytes = draw.pick([8, 16, 24, 200, 400, 1000])
  const most = 8
  const step = Math.max(pieceBytes, Math.ceil(body.length / most / 8) * 8)
  const ident = draw.below(65_536)
  const tos = draw.chance(0.8) ? [0] : [0, 1, 2, 3]
  const flag = draw.chance(0.8) ? 0 : FLAGS.df
  const pieces: Uint8Array[] = []
  for (let at = 0; at < body.length || at === 0; at += step) {
    const isLast = at + step >= body.length
    const shifted = draw.chance(0.03) ? at + 8 : at
    pieces.push(
      Uint8Array.from(
        ipPacket({
          source,
          target,
          protocol,
          body: body.slice(at, at + step),
          ident,
          tos: draw.pick(tos),
          fragment: flag | (isLast ? 0 : FLAGS.more) | (shifted / 8),
          options: draw.chance(0.05) ? drawOptions(draw) : [],
        }),
      ),
    )
  }
  const kept = pieces.filter(() => draw.chance(0.95))
  const again = kept.filter(() => draw.chance(0.05))
  const all = [...kept, ...again]
  for (let i = all.length - 1; i > 0; i--) {
    if (draw.chance(0.7)) continue
    const other = draw.below(i + 1)
    const moved = all[i] as Uint8Array
    all[i] = all[other] as Uint8Array
    all[other] = moved
  }
  return all
}

/** A packet with some bytes changed at random, its length too. */
export function mutatePacket(draw: Draw, packet: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(packet)
  for (let i = draw.between(1, 4); i > 0 && changed.length > 0; i--) {
    // The first bytes decide most.
    const reach = draw.chance(0.7) ? Math.min(60, changed.length) : changed.length
    changed[draw.below(reach)] = draw.below(BYTE_VALUES)
  }
  return draw.chance(0.15) ? changed.slice(0, draw.below(changed.length + 1)) : changed
}
