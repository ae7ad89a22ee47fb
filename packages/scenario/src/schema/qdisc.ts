/** Schema of a queueing discipline: its name, or its name with parameters, in the words of `tc qdisc`. */
import { z } from 'zod'
import { QDISC_KINDS } from '../tx-plan.js'
import { choice, integer, quantity, time, toggle } from './fields.js'

const packets = (description: string) => integer(description, 1, 100_000_000).optional()
const bytes = (description: string) =>
  quantity('bytes', description, { min: 1, max: 4e9, words: 'from 1B to 4GB' }).optional()

const kind = <const T extends string>(name: T) => z.literal(name).describe('Discipline.')

const fifo = (name: 'pfifo' | 'pfifo_fast') =>
  z
    .strictObject({ kind: kind(name), limit: packets('Packets it holds; default txqueuelen.') })
    .describe('Packets in order.')

/** A discipline with parameters. */
export const qdiscObjectSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: kind('noqueue') }).describe('No discipline: the ring alone.'),
  fifo('pfifo_fast'),
  fifo('pfifo'),
  z
    .strictObject({ kind: kind('bfifo'), limit: bytes('Bytes it holds; default txqueuelen frames.') })
    .describe('Packets in order, counted in bytes.'),
  z
    .strictObject({
      kind: kind('fq_codel'),
      limit: packets('Packets it holds; default 10240.'),
      flows: integer('Flows it tells apart; default 1024.', 1, 65_536).optional(),
      quantum: bytes('Bytes a flow may send in its turn; default a frame.'),
      target: time('Time in the queue that is accepted; default 5ms.', {
        min: 1,
        max: 1e12,
        words: 'up to 1s',
      }).optional(),
      interval: time('How long it may be exceeded; default 100ms.', {
        min: 1,
        max: 1e13,
        words: 'up to 10s',
      }).optional(),
      memory_limit: bytes('Memory of its packets; default 32MiB.'),
      ecn: toggle('What can be marked is marked instead of dropped; default on.').optional(),
      ce_threshold: time('Packets that have waited longer are marked where they can be; default never.', {
        min: 1,
        max: 1e12,
        words: 'up to 1s',
      }).optional(),
      drop_batch: integer('Packets dropped together when it is full; default 64.', 1, 65_536).optional(),
    })
    .describe('Flows take turns, and each is kept short by CoDel.'),
  z
    .strictObject({
      kind: kind('fq'),
      limit: packets('Packets it holds; default 10000.'),
      flow_limit: packets('Packets of one flow; default 100.'),
      quantum: bytes('Bytes a flow may send in its turn; default two frames.'),
      initial_quantum: bytes('Bytes a new flow may send at first; default ten frames.'),
    })
    .describe('Flows of sockets take turns.'),
  z
    .strictObject({
      kind: kind('tbf'),
      rate: quantity('bits', 'Rate of the bucket.', { min: 1000, max: 1e12, words: 'from 1kbit to 1Tbit' }),
      burst: quantity('bytes', 'Bytes that may go at once.', { min: 64, max: 1e9, words: 'from 64B to 1GB' }),
      limit: bytes('Bytes that may wait; one of limit and latency.'),
      latency: time('Time a packet may wait at most, instead of limit.', {
        min: 1,
        max: 1e13,
        words: 'up to 10s',
      }).optional(),
    })
    .describe('Token bucket: no more than a rate.'),
])

/** A queueing discipline as a user writes it. */
export const qdiscSchema = z
  .union([choice(QDISC_KINDS, 'Discipline with its defaults.'), qdiscObjectSchema])
  .describe(`Queueing discipline of each transmit queue: one of ${QDISC_KINDS.join(', ')}, or {kind, …}.`)

/** Parsed discipline. */
export type QdiscInput = z.output<typeof qdiscSchema>
