import { defineSystem } from '@softnet/ecs'
import { Napi } from '../napi/components.js'
import { Skb } from '../skb/components.js'
import { bindSetting } from '../softnet/live-settings.js'
import { LIST_RECEIVER } from './list-receiver.js'

/** The batch of finished packets of a NAPI (`rx_list`). */
export interface GroNormal {
  /** Appends a finished packet that counts `segments`; hands the batch up when it has `gro_normal_batch` of them. */
  one(cpu: number, napi: number, row: number, segments: number): void
  /** Hands up what waits. Kernel: include/net/gro.h, gro_normal_list */
  list(cpu: number, napi: number): void
}

/** Batching of finished packets in units of segments, so that a large merged packet goes up at once. */
export const groNormal = defineSystem<GroNormal>(
  'gro_normal',
  'gro',
  'include/net/gro.h, gro_normal_one',
  (context) => {
    const { listHead, listTail, listCount, segCount } = context.write(Napi)
    const { next } = context.write(Skb)
    const receiveList = context.resource(LIST_RECEIVER)
    const batchSegments = bindSetting(context, 'normalBatch')

    function list(cpu: number, napi: number): void {
      if (listCount[napi] === 0) return
      receiveList(cpu, napi)
      listHead[napi] = 0
      listTail[napi] = 0
      listCount[napi] = 0
      segCount[napi] = 0
    }

    return {
      one(cpu, napi, row, segments) {
        next[row] = 0
        if (listCount[napi] === 0) listHead[napi] = row
        else next[listTail[napi]] = row
        listTail[napi] = row
        listCount[napi]++
        segCount[napi] += segments
        if (segCount[napi] >= batchSegments[cpu]) list(cpu, napi)
      },
      list,
    }
  },
)
