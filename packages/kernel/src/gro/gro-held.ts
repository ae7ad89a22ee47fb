import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { GroBucket, Napi } from '../napi/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groSameFlow } from './gro-same-flow.js'

/** The lists of held packets: row `napi * 8 + bucket` of `GroBucket`, newest packet first. */
export interface GroHeld {
  /** The newest held packet of the same flow, or 0. */
  find(bucketRow: number, row: number): number
  /** Takes a packet off its bucket. */
  unlink(napi: number, bucketRow: number, held: number): void
  /** Takes off the oldest packet of a bucket and returns it. */
  unlinkOldest(napi: number, bucketRow: number): number
  /** Puts a packet at the head of a bucket; `list` marks it as one that chains whole packets. */
  hold(cpu: number, napi: number, bucketRow: number, row: number, list: boolean): void
  /**
   * Takes off the packets older than `age`, or all of them if `age` is −1, and returns the oldest, with the others
   * linked behind it by age.
   */
  takeOld(napi: number, bucketRow: number, age: number): number
  /** Jiffy of the CPU's clock, low 32 bits: what `Skb.groAge` is compared with. */
  age(cpu: number): number
}

/** Buckets of held packets. */
export const groHeld = defineSystem<GroHeld>(
  'gro_held',
  'gro',
  'net/core/gro.c, gro_list_prepare, gro_flush_oldest',
  (context) => {
    const { GRO_BUCKETS, SKB } = NUMBERS

    const { flags, next, groAge, groFrags, groIdMode } = context.write(Skb)
    const { groBitmap } = context.write(Napi)
    const { head, count } = context.write(GroBucket)
    const { clockPs } = context.read(Cpu)
    const same = context.system(groSameFlow)
    const { jiffyPs } = context.resource(PLAN_CONSTANTS)

    function shrink(napi: number, bucketRow: number): void {
      count[bucketRow]--
      if (count[bucketRow] === 0) groBitmap[napi] &= ~(1 << (bucketRow - napi * GRO_BUCKETS))
    }

    function age(cpu: number): number {
      return Math.floor(clockPs[cpu] / jiffyPs[cpu]) >>> 0
    }

    return {
      age,
      find(bucketRow, row) {
        for (let held = head[bucketRow]; held !== 0; held = next[held]) if (same(held, row)) return held
        return 0
      },
      unlink(napi, bucketRow, held) {
        if (head[bucketRow] === held) head[bucketRow] = next[held]
        else {
          let before = head[bucketRow]
          while (next[before] !== held) before = next[before]
          next[before] = next[held]
        }
        shrink(napi, bucketRow)
      },
      unlinkOldest(napi, bucketRow) {
        let before = 0
        let oldest = head[bucketRow]
        while (next[oldest] !== 0) {
          before = oldest
          oldest = next[oldest]
        }
        if (before === 0) head[bucketRow] = 0
        else next[before] = 0
        shrink(napi, bucketRow)
        return oldest
      },
      hold(cpu, napi, bucketRow, row, list) {
        if (list) flags[row] |= SKB.fragList
        groAge[row] = age(cpu)
        groFrags[row] = 0
        groIdMode[row] = 0
        next[row] = head[bucketRow]
        head[bucketRow] = row
        count[bucketRow]++
        groBitmap[napi] |= 1 << (bucketRow - napi * GRO_BUCKETS)
      },
      takeOld(napi, bucketRow, young) {
        // Ages only fall along the list, so the old ones are its tail; turning the tail round puts the oldest first.
        let kept = 0
        let at = head[bucketRow]
        while (at !== 0 && groAge[at] === young) {
          kept = at
          at = next[at]
        }
        if (kept === 0) head[bucketRow] = 0
        else next[kept] = 0
        let oldest = 0
        while (at !== 0) {
          const older = next[at]
          next[at] = oldest
          oldest = at
          at = older
          shrink(napi, bucketRow)
        }
        return oldest
      },
    }
  },
)
