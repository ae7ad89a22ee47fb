import { defineSystem } from '@softnet/ecs'
import { counters } from '../count/counters.js'
import { Napi } from '../napi/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groComplete } from './gro-complete.js'
import { groHeld } from './gro-held.js'

const ALL_AGES = -1

/** Finishes held packets, buckets in ascending order and the oldest of each first; `oldOnly` spares this jiffy's. */
export const groFlush = defineSystem<(cpu: number, napi: number, oldOnly: boolean) => void>(
  'napi_gro_flush',
  'gro',
  'net/core/gro.c, __gro_flush, __gro_flush_chain',
  (context) => {
    const { GRO, GRO_BUCKETS } = NUMBERS

    const { groBitmap } = context.read(Napi)
    const { next } = context.read(Skb)
    const count = context.system(counters)
    const held = context.system(groHeld)
    const complete = context.system(groComplete)
    return (cpu, napi, oldOnly) => {
      if (groBitmap[napi] === 0) return
      const young = oldOnly ? held.age(cpu) : ALL_AGES
      for (let bucket = 0; bucket < GRO_BUCKETS; bucket++) {
        if ((groBitmap[napi] & (1 << bucket)) === 0) continue
        let each = held.takeOld(napi, napi * GRO_BUCKETS + bucket, young)
        while (each !== 0) {
          const newer = next[each]
          if (oldOnly) count.gro(cpu, GRO.flushedAge, 1)
          complete(cpu, napi, each)
          each = newer
        }
      }
    }
  },
)
