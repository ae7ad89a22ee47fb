import { naturalLog } from './arithmetic.js'
import { type Columns, defineComponent, f64, u32 } from './component.js'
import { defineSystem } from './system.js'

/** A counter-based random stream: value n is a function of the key and n only. One row per entity that draws. */
export const RandomStream = defineComponent('random_stream', {
  keyLow: u32,
  keyHigh: u32,
  /** Values drawn so far. */
  drawn: f64,
})

/** As `mix32`, signed: a small integer, which is not boxed where the call is not joined into its caller. */
export function mixSigned32(low: number, high: number): number {
  let h = Math.imul(low ^ (high >>> 15), 0x85ebca6b) ^ Math.imul(high, 0xc2b2ae35)
  h ^= h >>> 16
  h = Math.imul(h, 0x7feb352d)
  h ^= h >>> 15
  h = Math.imul(h, 0x846ca68b)
  h ^= h >>> 16
  return h
}

/** Mixes two 32-bit words into one, unsigned; the finalizer of MurmurHash3 applied twice with different constants. */
export function mix32(low: number, high: number): number {
  return mixSigned32(low, high) >>> 0
}

/** Key of the stream of `entity` and `purpose` under a run's seed: [low, high], each unsigned 32 bits. */
export function streamKey(seed: number, entity: number, purpose: number): readonly [number, number] {
  const low = mix32(mix32(seed >>> 0, 0x9e3779b9), mix32(entity >>> 0, purpose >>> 0))
  const high = mix32(mix32(entity >>> 0, 0x243f6a88), mix32(seed >>> 0, (purpose + 0x5bd1e995) >>> 0))
  return [low, high]
}

/** Draws from streams; see `randomStreams` and `drawFrom`. */
export interface RandomStreams {
  /** Sets the key of a stream and starts it over. */
  seed(stream: number, seed: number, entity: number, purpose: number): void
  /** Uniform integer in [0, 2^32). */
  word(stream: number): number
  /** Uniform number in [0, 1) with 53 bits. */
  uniform(stream: number): number
  /** Uniform integer in [0, n), n ≤ 2^32. */
  below(stream: number, n: number): number
  /** Exponential with mean 1. */
  exponential(stream: number): number
}

/** Columns of a component of streams, as `RandomStream` has them. */
export type StreamColumns = Columns<typeof RandomStream.schema>

/** Draws from the streams of some columns, by row. */
export function drawFrom({ keyLow, keyHigh, drawn }: StreamColumns): RandomStreams {
  function word(stream: number): number {
    const n = drawn[stream]
    drawn[stream] = n + 1
    const nHigh = Math.floor(n / 4294967296)
    return mix32(keyLow[stream] ^ (n >>> 0), keyHigh[stream] + nHigh + Math.imul(n | 0, 0x9e3779b1))
  }

  function uniform(stream: number): number {
    const high = word(stream) >>> 5
    const low = word(stream) >>> 6
    return (high * 67108864 + low) / 9007199254740992
  }

  return {
    seed(stream, seed, entity, purpose) {
      const [low, high] = streamKey(seed, entity, purpose)
      keyLow[stream] = low
      keyHigh[stream] = high
      drawn[stream] = 0
    },
    word,
    uniform,
    below: (stream, n) => Math.floor((word(stream) * n) / 4294967296),
    exponential: (stream) => -naturalLog(1 - uniform(stream)),
  }
}

/** Random streams of a world: counter-based, so that no result depends on who draws first. */
export const randomStreams = defineSystem<RandomStreams>(
  'random_streams',
  'engine',
  'lib/random32.c (no counterpart)',
  (context) => drawFrom(context.write(RandomStream)),
)
