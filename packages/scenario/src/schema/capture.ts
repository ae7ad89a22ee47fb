/** Schema of `packet_capture`. */
import { z } from 'zod'
import { FANOUT_MODES } from '../packet-plan.js'
import { accepts } from './accepted.js'
import { bpfProgram, choice, integer, quantity, text, time, toggle } from './fields.js'

const S32_MAX = 2_147_483_647
const WORDS = 'all, ip, arp, or a number from 1536 to 65535'

const protocol = () =>
  accepts(
    z
      .union([z.enum(['all', 'ip', 'arp']), z.int().min(1536).max(65_535)])
      .describe(`EtherType that is captured; only all sees what is sent. Default all. Accepts ${WORDS}.`),
    WORDS,
  )

/** Keys of `packet_capture`. */
export const captureKeys = {
  dev: text('Device that is captured (-i), or any.', 15),
  protocol: protocol().optional(),
  socket: choice(['raw', 'dgram'], 'SOCK_RAW (default), or SOCK_DGRAM: without the link header.').optional(),
  snaplen: quantity('bytes', 'Bytes kept of a packet (-s); default 262144.', {
    min: 1,
    max: 262_144,
    words: 'from 1B to 256KiB',
  }).optional(),
  SO_ATTACH_FILTER: bpfProgram(
    'Classic BPF program that sees each packet from its link header on (tcpdump -ddd prints one): a list of [code, jt, jf, k].',
  ).optional(),
  PACKET_IGNORE_OUTGOING: toggle('What the host sends is not seen.').optional(),
  ring: choice(
    ['tpacket_v3', 'tpacket_v2', 'none'],
    'Ring that the program maps: blocks (tpacket_v3, default, as tcpdump has it), a slot per packet (tpacket_v2), or the queue of the socket.',
  ).optional(),
  buffer: quantity('bytes', 'Bytes of the ring (-B); default 2MiB.', {
    min: 4096,
    max: S32_MAX,
    words: 'from 4096B to 2147483647B',
  }).optional(),
  'block-size': quantity(
    'bytes',
    'tpacket_v3: bytes of a block; default 256KiB, or the whole buffer if that is less.',
    {
      min: 4096,
      max: S32_MAX,
      words: 'from 4096B to 2147483647B, a power of two',
    },
  ).optional(),
  'frame-size': quantity('bytes', 'tpacket_v2: bytes of a slot; default 2048.', {
    min: 128,
    max: 1_048_576,
    words: 'from 128B to 1MiB, a multiple of 16',
  }).optional(),
  'retire-timeout': time('tpacket_v3: a block that has waited so long is given to the program; default 1s.', {
    min: 1e9,
    max: 9e15,
    words: 'from 1ms to 2.5 hours',
  }).optional(),
  SO_RCVBUF: quantity('bytes', 'ring: none: receive buffer asked for; Linux doubles it and applies rmem_max.', {
    max: S32_MAX,
    words: 'at most 2147483647',
  }).optional(),
  PACKET_FANOUT: choice(
    FANOUT_MODES,
    'The tasks share the packets: by flow (hash), in turn (lb), by CPU (cpu), by receive queue (qm), or to the first with room (rollover). Default every task gets every packet.',
  ).optional(),
  work: time('User code per packet.', { max: 1e12, words: 'at most 1s' }).optional(),
  'work-per-byte': time('User code per byte kept.', { max: 1e9, words: 'at most 1ms' }).optional(),
  'max-packets': integer(
    'Packets after which a task ends (-c); 0 is no such limit.',
    0,
    Number.MAX_SAFE_INTEGER,
  ).optional(),
}
