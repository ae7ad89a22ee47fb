import { defineSystem } from '@softnet/ecs'
import { skBuffs } from './sk-buff.js'
import { SkBuff, SkbData, SkbFrag, SkbPage } from './sk-buff-components.js'
import { endOffsetBytes, GFP, skBuffHeap } from './sk-buff-heap.js'
import { MAX_SKB_FRAGS } from './truesize.js'

/** Operations that copy bytes; each returns a new sk_buff, or 0 when memory has run out. */
export interface SkBuffCopies {
  /** Everything copied into one linear head. Kernel: net/core/skbuff.c, skb_copy */
  skbCopy(skb: number, gfp: number): number
  /** The head copied, page fragments shared. Kernel: include/linux/skbuff.h, pskb_copy */
  pskbCopy(skb: number, gfp: number): number
  /** Everything copied, with other room before and behind. Kernel: net/core/skbuff.c, skb_copy_expand */
  skbCopyExpand(skb: number, headroom: number, tailroom: number, gfp: number): number
  /** Moves the bytes of this sk_buff to a head with so much more room, which no clone shares; false without memory. Kernel: net/core/skbuff.c, pskb_expand_head */
  pskbExpandHead(skb: number, nhead: number, ntail: number, gfp: number): boolean
  /** Makes sure that no clone shares the bytes. Kernel: include/linux/skbuff.h, skb_unclone */
  skbUnclone(skb: number, gfp: number): boolean
}

/** Copies of sk_buffs. Kernel: net/core/skbuff.c, skb_copy, __pskb_copy_fclone, skb_copy_expand, pskb_expand_head */
export const skBuffCopies = defineSystem<SkBuffCopies>(
  'sk_buff_copy',
  'skb',
  'net/core/skbuff.c, skb_copy',
  (context) => {
    const { users, head, data, tail, end, len, dataLen, truesize, cloned, nohdr, pfmemalloc } = context.write(SkBuff)
    const { bytes: areaBytes, nrFrags } = context.write(SkbData)
    const { page: fragPage, bytes: fragBytes } = context.write(SkbFrag)
    const { refs } = context.write(SkbPage)
    const ops = context.system(skBuffs)
    const heap = context.system(skBuffHeap)

    /** A copy of memory from the reserve may use the reserve too. Kernel: net/core/skbuff.c, skb_alloc_rx_flag */
    function gfpOf(skb: number, gfp: number): number {
      return pfmemalloc[skb] !== 0 ? GFP.memalloc : gfp
    }

    function assertLive(what: string, skb: number): void {
      if (users[skb] === 0)
        throw new Error(`${what}: use after free (include/linux/skbuff.h, struct sk_buff): skb ${skb}`)
    }

    function linear(skb: number, bytes: number, headroom: number, gfp: number): number {
      const n = ops.allocSkb(bytes, gfpOf(skb, gfp))
      if (n === 0) return 0
      ops.skbReserve(n, headroom)
      ops.skbPut(n, len[skb])
      return n
    }

    function copyFrags(to: number, from: number, share: boolean): void {
      const count = nrFrags[from]
      for (let i = 0; i < count; i++) {
        const page = fragPage[from * MAX_SKB_FRAGS + i]
        fragPage[to * MAX_SKB_FRAGS + i] = page
        fragBytes[to * MAX_SKB_FRAGS + i] = fragBytes[from * MAX_SKB_FRAGS + i]
        if (share) refs[page]++
      }
      nrFrags[to] = count
    }

    function expandHead(skb: number, nhead: number, ntail: number, gfp: number): boolean {
      assertLive('pskb_expand_head', skb)
      const where = 'net/core/skbuff.c, pskb_expand_head'
      if (nhead < 0) throw new Error(`pskb_expand_head: BUG_ON nhead < 0 (${where}): skb ${skb} nhead ${nhead}`)
      if (users[skb] !== 1) {
        throw new Error(`pskb_expand_head: BUG_ON skb_shared (${where}): skb ${skb} users ${users[skb]}`)
      }
      const before = end[skb]
      const area = heap.takeHead(before + nhead + ntail, gfpOf(skb, gfp))
      if (area === 0) return false
      if (ops.skbCloned(skb)) {
        copyFrags(area, head[skb], true)
        heap.releaseData(skb)
      } else {
        copyFrags(area, head[skb], false)
        heap.putHead(head[skb])
      }
      head[skb] = area
      data[skb] += nhead
      tail[skb] += nhead
      end[skb] = endOffsetBytes(areaBytes[area])
      cloned[skb] = 0
      nohdr[skb] = 0
      truesize[skb] += end[skb] - before
      return true
    }

    return {
      skbCopy(skb, gfp) {
        assertLive('skb_copy', skb)
        return linear(skb, end[skb] + dataLen[skb], data[skb], gfp)
      },
      pskbCopy(skb, gfp) {
        assertLive('pskb_copy', skb)
        const headLen = len[skb] - dataLen[skb]
        const n = ops.allocSkb(headLen + data[skb], gfpOf(skb, gfp))
        if (n === 0) return 0
        ops.skbReserve(n, data[skb])
        ops.skbPut(n, headLen)
        // The copy is charged the bytes it shares, not the pages they are in.
        truesize[n] += dataLen[skb]
        dataLen[n] = dataLen[skb]
        len[n] = len[skb]
        copyFrags(head[n], head[skb], true)
        return n
      },
      skbCopyExpand(skb, headroom, tailroom, gfp) {
        assertLive('skb_copy_expand', skb)
        return linear(skb, headroom + len[skb] + tailroom, headroom, gfp)
      },
      pskbExpandHead: expandHead,
      skbUnclone: (skb, gfp) => (ops.skbCloned(skb) ? expandHead(skb, 0, 0, gfp) : true),
    }
  },
)
