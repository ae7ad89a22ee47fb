/** Schema of programs that send by themselves, and of the socket options that matter to sending. */
import { z } from 'zod'
import { PMTUDISC_NAMES } from '../send-plan.js'
import { accepts } from './accepted.js'
import {
  choice,
  decimal,
  endpoint,
  integer,
  ipv4,
  MAX_PACKETS_PER_SEC,
  quantity,
  text,
  time,
  toggle,
} from './fields.js'

/** Largest UDP payload of IPv4, bytes. */
const MAX_PAYLOAD = 65_507

/** Socket options of sending, for every kind of program. */
export const sendOptionKeys = {
  SO_BROADCAST: toggle('May send to broadcast addresses; else that fails with EACCES.').optional(),
  SO_MAX_PACING_RATE: integer(
    'Bytes per second at which the fq discipline sends its packets; without fq it has no effect.',
    1,
    4_294_967_294,
  ).optional(),
  SO_NO_CHECK: toggle('Datagrams without UDP checksum.').optional(),
  IP_TTL: integer('TTL of its packets; default net.ipv4.ip_default_ttl, 64.', 1, 255).optional(),
  IP_TOS: integer('TOS byte of its packets, ECN bits included.', 0, 255).optional(),
  UDP_SEGMENT: integer(
    'A message is cut into datagrams of this payload behind the stack (UDP GSO), 128 at most; 0 is off.',
    0,
    65_535,
  ).optional(),
  IP_MULTICAST_TTL: integer(
    'TTL of its packets to groups; default 1. 0 stays on the host where it has joined.',
    0,
    255,
  ).optional(),
  IP_MULTICAST_LOOP: toggle('Packets to groups the host has joined come back to it; default on.').optional(),
  IP_MULTICAST_ALL: toggle(
    'Takes datagrams to every group that is joined on the host; default on. Off: only to those the socket has joined itself.',
  ).optional(),
  IP_MULTICAST_IF: text(
    'Device, or its address, by which packets to groups leave; default by the routes. An address is their source too.',
    15,
  ).optional(),
  SO_DONTROUTE: toggle('Sends without gateways: only to who is on a link.').optional(),
  IP_MTU_DISCOVER: choice(
    PMTUDISC_NAMES,
    'DF bit and what is longer than the path: want (default) sets DF and fragments what is longer, do refuses it (EMSGSIZE), dont never sets DF, probe and interface ignore learnt path MTUs.',
  ).optional(),
}

const payload = () => {
  const words = 'bytes up to 65507, or a list of {bytes, weight}'
  const bytes = () =>
    quantity('bytes', 'UDP payload.', { max: MAX_PAYLOAD + 28, words: 'up to 65535B; more than 65507 is EMSGSIZE' })
  return accepts(
    z
      .union([
        bytes(),
        z
          .array(z.strictObject({ bytes: bytes(), weight: decimal('Share of this length.', 1e-9, 1e9) }))
          .min(1)
          .max(256),
      ])
      .describe(`UDP payload of a message. Accepts ${words}.`),
    words,
  )
}

const PS_MAX = 9e15

/** What senders and clients have in common. */
const common = {
  to: endpoint('Receiver of the first message; left out where the sockets are connected.').optional(),
  'to-address-count': integer('Receivers: message i goes to the address + i modulo this.', 1, 65_536).optional(),
  'to-port-count': integer('Receiving ports: message i goes to the port + i modulo this.', 1, 65_536).optional(),
  payload: payload().optional(),
  start: time('When it begins.', { max: PS_MAX, words: 'at most 2.5 hours' }).optional(),
  stop: time('When it ends; default the end of the run.', { max: PS_MAX, words: 'at most 2.5 hours' }).optional(),
  messages: integer(
    'Messages of each task after which it ends; 0 is no such limit.',
    0,
    Number.MAX_SAFE_INTEGER,
  ).optional(),
  work: time('User code per message.', { max: 1e12, words: 'at most 1s' }).optional(),
  'timer-slack': time('PR_SET_TIMERSLACK: how much longer a sleep lasts; default 50us.', {
    max: 1e12,
    words: 'at most 1s',
  }).optional(),
}

/** Ancillary data of messages. */
const cmsg = z
  .strictObject({
    UDP_SEGMENT: integer('Payload of the datagrams its messages are cut into; 0 is not cut.', 0, 65_535).optional(),
    IP_TTL: integer('TTL of its messages, to groups too.', 1, 255).optional(),
    IP_TOS: integer('TOS byte of its messages, which sets their priority.', 0, 255).optional(),
    IP_PKTINFO: z
      .strictObject({
        device: text('Device they leave by.', 15).optional(),
        source: ipv4('Address they come from, one of the host (ipi_spec_dst).').optional(),
      })
      .optional()
      .describe('Device and source of its messages, whatever the socket is bound to.'),
  })
  .describe('Ancillary data (cmsg) that goes with every message; it has precedence over the options of sockets.')

/** Keys of `udp_sender`. */
export const senderKeys = {
  ...common,
  cmsg: cmsg.optional(),
  pieces: integer('sendto calls that a message is written in (corking); default 1.', 1, 1024).optional(),
  cork: choice(
    ['MSG_MORE', 'UDP_CORK'],
    'pieces: how calls say that more will come. MSG_MORE on all but the last (default), or the option UDP_CORK set before and cleared behind them.',
  ).optional(),
  MSG_DONTROUTE: toggle('Sends without gateways: only to who is on a link.').optional(),
  pattern: choice(
    ['flood', 'constant', 'poisson', 'burst'],
    'When messages are sent: as fast as it can (default without rate), at a rate (default with one), in bursts.',
  ).optional(),
  rate: quantity('rate', 'constant, poisson: messages per second of each task.', {
    min: 1e-6,
    max: MAX_PACKETS_PER_SEC,
    words: 'above 0 and at most 2 Gpps',
  }).optional(),
  count: integer('burst: messages at once.', 1, 10_000_000).optional(),
  every: time('burst: time from one burst to the next.', { min: 1, max: PS_MAX, words: 'above 0' }).optional(),
  call: choice(['sendto', 'sendmmsg'], 'Call that sends; default sendto.').optional(),
  batch: integer('Messages per sendmmsg (vlen); default 32.', 1, 1024).optional(),
  nonblocking: toggle('MSG_DONTWAIT: a full send buffer fails with EAGAIN.').optional(),
}

/** Keys of `udp_client`. */
export const clientKeys = {
  ...common,
  think: time('Mean time from a reply to the next request.', { max: PS_MAX, words: 'at most 2.5 hours' }).optional(),
  'think-random': toggle('Exponential instead of fixed think time.').optional(),
  timeout: time('SO_RCVTIMEO: how long a reply is waited for; default 1s.', {
    min: 1,
    max: PS_MAX,
    words: 'above 0',
  }).optional(),
  buffer: quantity('bytes', 'Buffer of a receive call; longer messages are truncated.', {
    min: 1,
    max: 1_048_576,
    words: 'from 1B to 1MiB',
  }).optional(),
}
