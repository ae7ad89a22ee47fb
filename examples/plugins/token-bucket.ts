/** A queue that sends no faster than a rate, with one port that goes first: pfifo_fast with a bucket of tokens. */
import {
  defineComponent,
  defineCounters,
  definePlugin,
  defineSystem,
  EnqueueVerdict,
  f64,
  option,
  Qdisc,
  QueueVerdict,
  Skb,
} from 'softnet/plugin'

/** The bucket of a transmit queue. */
const Bucket = defineComponent(
  'token_bucket',
  {
    /** Tokens, bytes; at most the burst. */ tokensBytes: f64,
    /** When they were counted last, ps. */ filledPs: f64,
  },
  { per: 'txqueue' },
)

const Counts = defineCounters(
  'token_bucket_counts',
  {
    sent: 'Packets for which there were tokens',
    held: 'Times a packet had to wait for tokens',
  },
  { per: 'txqueue' },
)

const First = defineCounters('token_bucket_first', { first: 'Packets that go before others' })

const PS_PER_SEC = 1e12

export default definePlugin('token_bucket', {
  about: 'Limits each transmit queue to a rate, and lets packets of one port go first.',
  options: {
    rate: option.bits('Rate of each transmit queue.', { min: 1000, words: 'from 1kbit' }),
    burst: option.bytes('Bytes that may go at once.', { min: 1514, max: 1e9, words: 'from 1514B' }, '8KiB'),
    'first-port': option.integer('Packets from this port go first; 0: none.', { min: 0, max: 65535 }, 0),
  },
  components: [Bucket, Counts, First],
  setup({ write, places }, { burst }) {
    const { tokensBytes } = write(Bucket)
    for (const { id } of places.txqueue) tokensBytes[id] = burst
  },
  systems: ({ rate, burst, 'first-port': firstPort }) => [
    defineSystem('classify', 'qdisc_enqueue', ({ read, write }) => {
      const { ports } = read(Skb)
      const { band } = write(EnqueueVerdict)
      const { first } = write(First)
      return (ids, count, cpu) => {
        for (let i = 0; i < count; i++) {
          if (firstPort === 0 || ports[ids[i]] >>> 16 !== firstPort) continue
          band[ids[i]] = 0
          first[cpu]++
        }
      }
    }),
    defineSystem('shape', 'qdisc_dequeue', ({ read, write }) => {
      const { wireBytes } = read(Skb)
      const { nowPs } = read(Qdisc)
      const { packet, waitPs } = write(QueueVerdict)
      const { tokensBytes, filledPs } = write(Bucket)
      const { sent, held } = write(Counts)
      const psPerByte = (8 * PS_PER_SEC) / rate
      return (ids, count) => {
        for (let i = 0; i < count; i++) {
          const queue = ids[i]
          const earnedBytes = (nowPs[queue] - filledPs[queue]) / psPerByte
          const tokens = Math.min(burst, tokensBytes[queue] + earnedBytes)
          const left = tokens - wireBytes[packet[queue]]
          filledPs[queue] = nowPs[queue]
          if (left >= 0) {
            tokensBytes[queue] = left
            sent[queue]++
          } else {
            tokensBytes[queue] = tokens
            waitPs[queue] = -left * psPerByte
            held[queue]++
          }
        }
      }
    }),
  ],
})
