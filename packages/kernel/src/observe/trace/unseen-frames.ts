import type { Model } from '../../build/build-model.js'
import { LaneWriter, RxQueue } from '../../nic/components.js'
import { Skb } from '../../skb/components.js'

/**
 * When the first frame was due whose DMA nobody has looked at yet, ps; Infinity if there is none. What its ring will tell
 * of it has that time, so nothing later can be written before.
 */
export function firstUnseenPs({ world, layout }: Pick<Model, 'world' | 'layout'>): () => number {
  const { laneBase, laneMask, laneHead } = world.columns(RxQueue)
  const { tail: laneTail } = world.columns(LaneWriter)
  const { duePs } = world.columns(Skb)
  return () => {
    let first = Number.POSITIVE_INFINITY
    for (const queue of layout.queues) {
      if (laneHead[queue] === laneTail[queue]) continue
      const at = duePs[laneBase[queue] + ((laneHead[queue] & laneMask[queue]) >>> 0)]
      if (at < first) first = at
    }
    return first
  }
}
