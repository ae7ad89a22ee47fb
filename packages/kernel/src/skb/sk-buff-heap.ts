import { defineSystem } from '@softnet/ecs'
import { FCLONE, SkBuff, SkbData, SkbFrag, SkbHeap, SkbPage } from './sk-buff-components.js'
import { headBytes, MAX_SKB_FRAGS, SHARED_INFO_BYTES, SK_BUFF_BYTES } from './truesize.js'

/** Who asks for memory. `memalloc`: a task with PF_MEMALLOC or a socket with SO_MEMALLOC may take the reserve. Kernel: include/linux/gfp_types.h */
export const GFP = { atomic: 0, memalloc: 1 } as const

const HEAP = 1

/** Memory behind sk_buffs: descriptors, heads and pages. Each `take` returns 0 when nothing is left for `gfp`. */
export interface SkBuffHeap {
  takeSkb(gfp: number): number
  /** Two descriptors, halves of a fast-clone pair; returns the first. */
  takePair(gfp: number): number
  /** A head with room for `bytes`; `lastFromReserve` tells then whether it came from the reserve. */
  takeHead(bytes: number, gfp: number): number
  takePage(bytes: number, gfp: number): number
  lastFromReserve(): boolean
  /** Gives a descriptor back, or counts a fast-clone pair down. Kernel: net/core/skbuff.c, kfree_skbmem */
  putSkb(skb: number): void
  /** Gives a head back, not its pages. Kernel: net/core/skbuff.c, skb_free_head */
  putHead(head: number): void
  putPage(page: number): void
  /** Lets go of an sk_buff's head; the last reference frees it and its pages. Kernel: net/core/skbuff.c, skb_release_data */
  releaseData(skb: number): void
}

/** Free lists of sk_buff memory; what was freed last is taken first. */
export const skBuffHeap = defineSystem<SkBuffHeap>(
  'sk_buff_heap',
  'skb',
  'net/core/skbuff.c, kmalloc_reserve',
  (context) => {
    const { taken, next, fclone, fcloneRef, companion, head, cloned, nohdr } = context.write(SkBuff)
    const { dataref, bytes: areaBytes, nrFrags, next: nextData } = context.write(SkbData)
    const { page: fragPage } = context.read(SkbFrag)
    const { refs, bytes: pageBytes, next: nextPage } = context.write(SkbPage)
    const heap = context.write(SkbHeap)
    const { firstSkb, freeSkbs, firstData, freeData, firstPage, freePages, heldBytes, failed, reserve } = heap
    const { smallHeadBytes } = heap
    let fromReserve = false

    /** True if `wanted` of `free` rows may go to `gfp`. */
    function granted(free: number, wanted: number, gfp: number): boolean {
      if (free - wanted >= reserve[HEAP]) {
        fromReserve = false
        return true
      }
      if (gfp === GFP.memalloc && free >= wanted) {
        fromReserve = true
        return true
      }
      failed[HEAP]++
      return false
    }

    function popSkb(): number {
      const skb = firstSkb[HEAP]
      firstSkb[HEAP] = next[skb]
      freeSkbs[HEAP]--
      taken[skb] = 1
      next[skb] = 0
      return skb
    }

    function pushSkb(skb: number): void {
      taken[skb] = 0
      fclone[skb] = FCLONE.unavailable
      companion[skb] = 0
      next[skb] = firstSkb[HEAP]
      firstSkb[HEAP] = skb
      freeSkbs[HEAP]++
    }

    function putPage(page: number): void {
      refs[page]--
      if (refs[page] > 0) return
      heldBytes[HEAP] -= pageBytes[page]
      nextPage[page] = firstPage[HEAP]
      firstPage[HEAP] = page
      freePages[HEAP]++
    }

    function putHead(area: number): void {
      heldBytes[HEAP] -= areaBytes[area]
      dataref[area] = 0
      nrFrags[area] = 0
      nextData[area] = firstData[HEAP]
      firstData[HEAP] = area
      freeData[HEAP]++
    }

    return {
      takeSkb: (gfp) => (granted(freeSkbs[HEAP], 1, gfp) ? popSkb() : 0),
      takePair(gfp) {
        if (!granted(freeSkbs[HEAP], 2, gfp)) return 0
        const first = popSkb()
        const second = popSkb()
        fclone[first] = FCLONE.orig
        fcloneRef[first] = 1
        companion[first] = second
        companion[second] = first
        return first
      },
      takeHead(bytes, gfp) {
        if (!granted(freeData[HEAP], 1, gfp)) return 0
        const area = firstData[HEAP]
        firstData[HEAP] = nextData[area]
        freeData[HEAP]--
        dataref[area] = 1
        nrFrags[area] = 0
        areaBytes[area] = headBytes(bytes, smallHeadBytes[HEAP])
        heldBytes[HEAP] += areaBytes[area]
        return area
      },
      takePage(bytes, gfp) {
        if (!granted(freePages[HEAP], 1, gfp)) return 0
        const page = firstPage[HEAP]
        firstPage[HEAP] = nextPage[page]
        freePages[HEAP]--
        refs[page] = 1
        pageBytes[page] = bytes
        heldBytes[HEAP] += bytes
        return page
      },
      lastFromReserve: () => fromReserve,
      putSkb(skb) {
        heldBytes[HEAP] -= SK_BUFF_BYTES
        if (fclone[skb] === FCLONE.unavailable) {
          pushSkb(skb)
          return
        }
        const first = fclone[skb] === FCLONE.orig ? skb : companion[skb]
        fcloneRef[first]--
        if (fcloneRef[first] > 0) return
        pushSkb(companion[first])
        pushSkb(first)
      },
      putHead,
      putPage,
      releaseData(skb) {
        const area = head[skb]
        if (cloned[skb] !== 0) {
          dataref[area] -= nohdr[skb] !== 0 ? 0x10001 : 1
          if (dataref[area] !== 0) return
        }
        const first = area * MAX_SKB_FRAGS
        for (let i = 0; i < nrFrags[area]; i++) putPage(fragPage[first + i])
        putHead(area)
      },
    }
  },
)

/** Bytes of a head before its shared info: where `end` points. Kernel: include/linux/skbuff.h, SKB_WITH_OVERHEAD */
export function endOffsetBytes(headAndInfoBytes: number): number {
  return headAndInfoBytes - SHARED_INFO_BYTES
}
