import { defineSystem } from '@softnet/ecs'
import { skBuffs } from './sk-buff.js'
import { SkBuff, SkBuffHead } from './sk-buff-components.js'

/** Lists of sk_buffs; a list is a row of `SkBuffHead`, 0 as an answer means it was empty. */
export interface SkBuffLists {
  /** Kernel: include/linux/skbuff.h, __skb_queue_tail */
  queueTail(list: number, skb: number): void
  /** Kernel: include/linux/skbuff.h, __skb_queue_head */
  queueHead(list: number, skb: number): void
  /** Takes the first. Kernel: include/linux/skbuff.h, __skb_dequeue */
  dequeue(list: number): number
  /** Takes the last. Kernel: include/linux/skbuff.h, __skb_dequeue_tail */
  dequeueTail(list: number): number
  /** Takes one from anywhere in its list. Kernel: include/linux/skbuff.h, __skb_unlink */
  unlink(skb: number): void
  /** Frees all. Kernel: net/core/skbuff.c, skb_queue_purge_reason */
  purge(list: number): void
}

/** Doubly linked lists of sk_buffs with their length. Kernel: include/linux/skbuff.h, struct sk_buff_head */
export const skBuffLists = defineSystem<SkBuffLists>(
  'sk_buff_head',
  'skb',
  'include/linux/skbuff.h, struct sk_buff_head',
  (context) => {
    const { next, prev, list: listOf, users } = context.write(SkBuff)
    const { first, last, qlen } = context.write(SkBuffHead)
    const ops = context.system(skBuffs)

    function insert(what: string, list: number, before: number, after: number, skb: number): void {
      if (users[skb] === 0 || listOf[skb] !== 0) {
        throw new Error(
          `${what}: not a free-standing sk_buff (include/linux/skbuff.h, __skb_insert): skb ${skb} users ${users[skb]} on list ${listOf[skb]}`,
        )
      }
      prev[skb] = before
      next[skb] = after
      if (before === 0) first[list] = skb
      else next[before] = skb
      if (after === 0) last[list] = skb
      else prev[after] = skb
      listOf[skb] = list
      qlen[list]++
    }

    function unlink(skb: number): void {
      const list = listOf[skb]
      if (list === 0) throw new Error(`skb_unlink: on no list (include/linux/skbuff.h, __skb_unlink): skb ${skb}`)
      const before = prev[skb]
      const after = next[skb]
      if (before === 0) first[list] = after
      else next[before] = after
      if (after === 0) last[list] = before
      else prev[after] = before
      next[skb] = 0
      prev[skb] = 0
      listOf[skb] = 0
      qlen[list]--
    }

    function take(skb: number): number {
      if (skb !== 0) unlink(skb)
      return skb
    }

    return {
      queueTail: (list, skb) => insert('skb_queue_tail', list, last[list], 0, skb),
      queueHead: (list, skb) => insert('skb_queue_head', list, 0, first[list], skb),
      dequeue: (list) => take(first[list]),
      dequeueTail: (list) => take(last[list]),
      unlink,
      purge(list) {
        for (let skb = take(first[list]); skb !== 0; skb = take(first[list])) ops.kfreeSkb(skb)
      },
    }
  },
)
