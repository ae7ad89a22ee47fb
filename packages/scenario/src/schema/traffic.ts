/** Schema of offered traffic: open-loop sources, closed-loop clients, and replay of captures. */
import { z } from 'zod'
import { accepts } from './accepted.js'
import {
  choice,
  decimal,
  integer,
  ipv4,
  MAX_PACKETS_PER_SEC,
  mac,
  offeredRate,
  quantity,
  text,
  time,
  toggle,
} from './fields.js'

const flows = z
  .strictObject({
    count: integer('Flows at any time.', 1, 16_777_216).optional(),
    pick: choice(
      ['roundrobin', 'uniform', 'zipf', 'churn'],
      'How a packet chooses its flow; churn lets flows end and new ones begin.',
    ).optional(),
    'zipf-exponent': decimal('Exponent of Zipf: flow i has weight 1 / i^exponent.', 0.01, 4).optional(),
    'packets-per-flow': integer('Mean packets of a flow before it ends (churn).', 1, 1_000_000_000).optional(),
    src: ipv4('First source address; default 198.51.100.1.').optional(),
    'src-count': integer('Source addresses: flow i has src + i modulo this.', 1, 16_777_216).optional(),
    dst: ipv4('First destination address; default the first address of the device.').optional(),
    'dst-count': integer('Destination addresses: flow i has dst + i modulo this.', 1, 65_536).optional(),
    sport: integer('First source port; default 10000.', 0, 65_535).optional(),
    'sport-count': integer(
      'Source ports: flow i has sport + i modulo this; default one per flow.',
      1,
      65_536,
    ).optional(),
    dport: integer(
      'First destination port; default that of the first socket of the host, else 9000.',
      0,
      65_535,
    ).optional(),
    'dport-count': integer('Destination ports: flow i has dport + i modulo this.', 1, 65_536).optional(),
  })
  .describe('Flows of a source.')

const frame = () => {
  const bytes = () => integer('Frame on the wire, FCS included, bytes.', 64, 65_553)
  const words = 'bytes on the wire with FCS from 64, imix, or a list of {bytes, weight}'
  return accepts(
    z
      .union([
        bytes(),
        quantity('bytes', 'Frame on the wire, FCS included.', { min: 64, max: 65_553, words: 'from 64B' }),
        z.literal('imix'),
        z
          .array(z.strictObject({ bytes: bytes(), weight: decimal('Share of this length.', 1e-9, 1e9) }))
          .min(1)
          .max(256),
      ])
      .describe(`Length of frames. Accepts ${words}.`),
    words,
  )
}

const malform = z
  .strictObject({
    'ip-checksum': decimal('Share of packets with a wrong IP checksum.', 0, 1).optional(),
    'udp-checksum': decimal('Share of packets with a wrong UDP checksum.', 0, 1).optional(),
    truncated: decimal('Share of packets cut short of their IP length.', 0, 1).optional(),
    'bad-version': decimal('Share of packets whose IP version is not 4.', 0, 1).optional(),
    'other-host': decimal('Share of frames for another hardware address.', 0, 1).optional(),
  })
  .describe('Faults put into packets, each a share from 0 to 1.')

const datagram = () =>
  quantity('bytes', 'UDP payload of each datagram, instead of frame; longer than the MTU, it comes in fragments.', {
    min: 0,
    max: 65_507,
    words: 'up to 65507B',
  })

const fragment = z
  .strictObject({
    mtu: integer('MTU that datagrams are cut for; default that of the device.', 68, 65_535).optional(),
    order: choice(['forward', 'reverse'], 'First fragment first, or last first.').optional(),
    send: choice(['all', 'first', 'rest'], 'All fragments, only the first, or all but the first.').optional(),
    lose: decimal('Share of fragments lost on their way.', 0, 0.99).optional(),
  })
  .describe('How datagrams longer than the MTU are sent.')

const common = {
  to: text(
    'Where the frames arrive: host/device, host/namespace/device; may be left out with one device.',
    160,
  ).optional(),
  start: time('When the first frame is sent.', { max: 9e15, words: 'at most 2.5 hours' }).optional(),
}

const open = z
  .strictObject({
    kind: z.literal('open').optional().describe('Sends at a rate, whatever comes back.'),
    ...common,
    protocol: choice(
      ['udp', 'tcp', 'icmp', 'arp'],
      'What frames carry: tcp sends synthetic segments, icmp echo requests, arp messages of frames of 64 bytes.',
    ).optional(),
    arp: choice(
      ['request', 'reply', 'gratuitous'],
      'arp: requests for dst and gratuitous messages go to everybody, replies to the device; src is the sender.',
    ).optional(),
    pattern: choice(
      ['constant', 'poisson', 'onoff', 'ramp', 'burst'],
      'How frames follow each other; default constant.',
    ).optional(),
    rate: offeredRate('Offered rate (constant, poisson, and onoff while on).').optional(),
    on: time('onoff: length of an on period.', { min: 1, max: 9e15, words: 'above 0' }).optional(),
    off: time('onoff: length of an off period.', { max: 9e15, words: 'at most 2.5 hours' }).optional(),
    random: toggle('onoff: exponential instead of fixed period lengths.').optional(),
    'rate-from': quantity('rate', 'ramp: rate at the start.', {
      max: MAX_PACKETS_PER_SEC,
      words: 'at most 2 Gpps',
    }).optional(),
    'rate-to': quantity('rate', 'ramp: rate at the end.', {
      max: MAX_PACKETS_PER_SEC,
      words: 'at most 2 Gpps',
    }).optional(),
    count: integer('burst: frames at once.', 1, 10_000_000).optional(),
    every: time('burst: time from one burst to the next.', { min: 1, max: 9e15, words: 'above 0' }).optional(),
    frame: frame().optional(),
    flows: flows.optional(),
    stop: time('When the source ends; default the end of the run.', {
      max: 9e15,
      words: 'at most 2.5 hours',
    }).optional(),
    packets: integer('Stop after this many packets; 0 is no such limit.', 0, Number.MAX_SAFE_INTEGER).optional(),
    vlan: integer('VLAN tag; 0 is untagged.', 0, 4094).optional(),
    'zero-checksum': toggle('UDP without checksum.').optional(),
    malform: malform.optional(),
    datagram: datagram().optional(),
    fragment: fragment.optional(),
    train: integer('tcp: segments of a flow before the next flow’s turn.', 1, 65_536).optional(),
  })
  .describe('Open-loop source.')

const closed = z
  .strictObject({
    kind: z.literal('closed').describe('Clients that wait for each reply.'),
    ...common,
    clients: integer('Clients.', 1, 1_048_576).optional(),
    depth: integer('Requests a client may have outstanding.', 1, 1024).optional(),
    think: time('Mean time from a reply to the next request.', { max: 9e15, words: 'at most 2.5 hours' }).optional(),
    'think-random': toggle('Exponential instead of fixed think time.').optional(),
    timeout: time('A request without reply is sent again after this time.', {
      min: 1,
      max: 9e15,
      words: 'above 0',
    }).optional(),
    frame: frame().optional(),
    flows: flows.optional(),
  })
  .describe('Closed-loop request/response clients.')

const replay = z
  .strictObject({
    kind: z.literal('replay').describe('Sends the frames of a capture.'),
    ...common,
    capture: text('pcap or pcapng file, relative to the scenario.', 4096),
    speed: decimal('Gaps between frames are divided by this.', 1e-6, 1e6).optional(),
    repeat: integer('Times the capture is sent.', 1, 1_000_000).optional(),
    rewrite: z
      .strictObject({
        'dst-ip': ipv4('New destination address.').optional(),
        'src-ip': ipv4('New source address.').optional(),
        'dst-mac': mac('New destination hardware address.').optional(),
        'dst-port': integer('New destination port.', 1, 65_535).optional(),
      })
      .optional()
      .describe('Fields changed in each frame; checksums follow.'),
  })
  .describe('Replay of a capture.')

/** One source of traffic as a user writes it. */
export const trafficSchema = z
  .discriminatedUnion('kind', [open, closed, replay])
  .describe('A source of traffic: kind open (default), closed or replay.')

/** Parsed source of traffic. */
export type TrafficInput = z.output<typeof trafficSchema>
/** Parsed open-loop source. */
export type OpenInput = z.output<typeof open>
/** Parsed closed-loop clients. */
export type ClosedInput = z.output<typeof closed>
/** Parsed replay. */
export type ReplayInput = z.output<typeof replay>
/** Parsed flows. */
export type FlowsInput = z.output<typeof flows>
