import { defineSystem } from '@softnet/ecs'
import { FCLONE, SkBuff, SkbData, SkbFrag, SkbHeap } from './sk-buff-components.js'
import { endOffsetBytes, GFP, skBuffHeap } from './sk-buff-heap.js'
import { MAX_SKB_FRAGS, SK_BUFF_BYTES } from './truesize.js'

/** Payload-only references are counted from this bit on. Kernel: include/linux/skbuff.h, SKB_DATAREF_SHIFT */
export const SKB_DATAREF_SHIFT = 16
const DATAREF_MASK = (1 << SKB_DATAREF_SHIFT) - 1

/** Operations on sk_buffs. A row of `SkBuff` stands for the pointer; 0 is NULL, −1 a data position that is NULL. */
export interface SkBuffs {
  /** An sk_buff whose head has room for `bytes`, or 0. Kernel: include/linux/skbuff.h, alloc_skb */
  allocSkb(bytes: number, gfp: number): number
  /** The same with room for one fast clone behind it. Kernel: include/linux/skbuff.h, alloc_skb_fclone */
  allocSkbFclone(bytes: number, gfp: number): number
  /** Makes headroom; `len` may be negative. Kernel: include/linux/skbuff.h, skb_reserve */
  skbReserve(skb: number, len: number): void
  /** Adds bytes behind the data, returns their position. Kernel: net/core/skbuff.c, skb_put */
  skbPut(skb: number, len: number): number
  /** Adds bytes before the data, returns the new start. Kernel: net/core/skbuff.c, skb_push */
  skbPush(skb: number, len: number): number
  /** Takes bytes from the front, returns the new start or −1 if there are not so many. Kernel: net/core/skbuff.c, skb_pull */
  skbPull(skb: number, len: number): number
  /** Cuts to `len` bytes; a shorter sk_buff stays as it is. Kernel: net/core/skbuff.c, skb_trim */
  skbTrim(skb: number, len: number): void
  /** Appends a page fragment of `bytes`, charged as `truesizeBytes`; false if no page or slot is left. Kernel: net/core/skbuff.c, skb_add_rx_frag */
  skbAddRxFrag(skb: number, bytes: number, truesizeBytes: number, gfp: number): boolean
  /** One more user of the same descriptor. Kernel: include/linux/skbuff.h, skb_get */
  skbGet(skb: number): number
  /** A second descriptor of the same bytes, or 0. Kernel: net/core/skbuff.c, skb_clone */
  skbClone(skb: number, gfp: number): number
  /** Drops a user; the last one frees. NULL is allowed. Kernel: net/core/skbuff.c, sk_skb_reason_drop */
  kfreeSkb(skb: number): void
  /** Gives up the headers: others may change them, this one keeps the payload. Kernel: include/linux/skbuff.h, __skb_header_release */
  skbHeaderRelease(skb: number): void
  /** Kernel: include/linux/skbuff.h, skb_header_cloned */
  skbHeaderCloned(skb: number): boolean
  /** Kernel: include/linux/skbuff.h, skb_cloned */
  skbCloned(skb: number): boolean
  /** Kernel: include/linux/skbuff.h, skb_shared */
  skbShared(skb: number): boolean
  /** Kernel: include/linux/skbuff.h, skb_headroom */
  skbHeadroom(skb: number): number
  /** Bytes that fit behind linear data; 0 with fragments. Kernel: include/linux/skbuff.h, skb_tailroom */
  skbTailroom(skb: number): number
  /** Bytes in the head. Kernel: include/linux/skbuff.h, skb_headlen */
  skbHeadlen(skb: number): number
}

/** Sk_buffs with the kernel's geometry and reference rules. What panics in Linux is an assertion here. */
export const skBuffs = defineSystem<SkBuffs>('sk_buff', 'skb', 'net/core/skbuff.c, __alloc_skb', (context) => {
  const s = context.write(SkBuff)
  const { users, head, data, tail, end, len, dataLen, truesize, cloned, nohdr, pfmemalloc, fclone, fcloneRef } = s
  const { companion, list } = s
  const { dataref, bytes: areaBytes, nrFrags } = context.write(SkbData)
  const { page: fragPage, bytes: fragBytes } = context.write(SkbFrag)
  const { heldBytes } = context.write(SkbHeap)
  const heap = context.system(skBuffHeap)

  function fail(what: string, file: string, skb: number, by: number): never {
    throw new Error(
      `${what} (${file}): skb ${skb} len ${len[skb]} data_len ${dataLen[skb]} by ${by} head 0 data ${data[skb]} tail ${tail[skb]} end ${end[skb]} users ${users[skb]}`,
    )
  }

  function check(what: string, skb: number, amount: number): void {
    if (users[skb] === 0) fail(`${what}: use after free`, 'include/linux/skbuff.h, struct sk_buff', skb, amount)
    if (amount < 0 || amount > 0x7fffffff) fail(`${what}: length not in [0, 2^31)`, 'net/core/skbuff.c', skb, amount)
  }

  function build(skb: number, area: number): number {
    users[skb] = 1
    head[skb] = area
    data[skb] = 0
    tail[skb] = 0
    end[skb] = endOffsetBytes(areaBytes[area])
    len[skb] = 0
    dataLen[skb] = 0
    truesize[skb] = areaBytes[area] + SK_BUFF_BYTES
    cloned[skb] = 0
    nohdr[skb] = 0
    pfmemalloc[skb] = heap.lastFromReserve() ? 1 : 0
    list[skb] = 0
    heldBytes[1] += SK_BUFF_BYTES
    return skb
  }

  function alloc(skb: number, bytes: number, gfp: number): number {
    if (skb === 0) return 0
    const area = heap.takeHead(bytes, gfp)
    if (area !== 0) return build(skb, area)
    // putSkb takes back what build would have added.
    heldBytes[1] += SK_BUFF_BYTES
    heap.putSkb(skb)
    return 0
  }

  function isCloned(skb: number): boolean {
    return cloned[skb] !== 0 && (dataref[head[skb]] & DATAREF_MASK) !== 1
  }

  /** Kernel: net/core/skbuff.c, __skb_clone */
  function shareHead(n: number, skb: number): number {
    users[n] = 1
    head[n] = head[skb]
    data[n] = data[skb]
    tail[n] = tail[skb]
    end[n] = end[skb]
    len[n] = len[skb]
    dataLen[n] = dataLen[skb]
    truesize[n] = truesize[skb]
    pfmemalloc[n] = pfmemalloc[skb]
    cloned[n] = 1
    nohdr[n] = 0
    list[n] = 0
    dataref[head[skb]]++
    cloned[skb] = 1
    heldBytes[1] += SK_BUFF_BYTES
    return n
  }

  return {
    allocSkb: (bytes, gfp) => alloc(heap.takeSkb(gfp), bytes, gfp),
    allocSkbFclone: (bytes, gfp) => alloc(heap.takePair(gfp), bytes, gfp),
    skbReserve(skb, by) {
      check('skb_reserve', skb, 0)
      // Linux does not look and would write outside the head later.
      if (data[skb] + by < 0 || tail[skb] + by > end[skb]) {
        fail('skb_reserve: outside the head', 'include/linux/skbuff.h, skb_reserve', skb, by)
      }
      data[skb] += by
      tail[skb] += by
    },
    skbPut(skb, by) {
      check('skb_put', skb, by)
      if (dataLen[skb] !== 0) fail('skb_put: BUG on a non-linear skb', 'net/core/skbuff.c, SKB_LINEAR_ASSERT', skb, by)
      const at = tail[skb]
      if (at + by > end[skb]) fail('skb_put: skb_over_panic', 'net/core/skbuff.c, skb_over_panic', skb, by)
      tail[skb] = at + by
      len[skb] += by
      return at
    },
    skbPush(skb, by) {
      check('skb_push', skb, by)
      if (by > data[skb]) fail('skb_push: skb_under_panic', 'net/core/skbuff.c, skb_under_panic', skb, by)
      data[skb] -= by
      len[skb] += by
      return data[skb]
    },
    skbPull(skb, by) {
      check('skb_pull', skb, by)
      if (by > len[skb]) return -1
      if (len[skb] - by < dataLen[skb])
        fail('skb_pull: BUG past the head', 'include/linux/skbuff.h, __skb_pull', skb, by)
      len[skb] -= by
      data[skb] += by
      return data[skb]
    },
    skbTrim(skb, to) {
      check('skb_trim', skb, to)
      if (len[skb] <= to) return
      if (dataLen[skb] !== 0) fail('skb_trim: WARN_ON non-linear', 'include/linux/skbuff.h, __skb_set_length', skb, to)
      len[skb] = to
      tail[skb] = data[skb] + to
    },
    skbAddRxFrag(skb, bytes, truesizeBytes, gfp) {
      check('skb_add_rx_frag', skb, bytes)
      const area = head[skb]
      // Another descriptor would share the fragment without its length.
      if (isCloned(skb)) fail('skb_add_rx_frag: cloned', 'net/core/skbuff.c, skb_add_rx_frag_netmem', skb, bytes)
      if (bytes > truesizeBytes) {
        fail('skb_add_rx_frag: size above truesize', 'net/core/skbuff.c, skb_add_rx_frag_netmem', skb, bytes)
      }
      const i = nrFrags[area]
      if (i === MAX_SKB_FRAGS) return false
      const page = heap.takePage(truesizeBytes, gfp)
      if (page === 0) return false
      if (heap.lastFromReserve()) pfmemalloc[skb] = 1
      fragPage[area * MAX_SKB_FRAGS + i] = page
      fragBytes[area * MAX_SKB_FRAGS + i] = bytes
      nrFrags[area] = i + 1
      len[skb] += bytes
      dataLen[skb] += bytes
      truesize[skb] += truesizeBytes
      return true
    },
    skbGet(skb) {
      check('skb_get', skb, 0)
      users[skb]++
      return skb
    },
    skbClone(skb, gfp) {
      check('skb_clone', skb, 0)
      if (fclone[skb] === FCLONE.orig && fcloneRef[skb] === 1) {
        fcloneRef[skb] = 2
        const n = companion[skb]
        fclone[n] = FCLONE.clone
        return shareHead(n, skb)
      }
      const n = heap.takeSkb(pfmemalloc[skb] !== 0 ? GFP.memalloc : gfp)
      return n === 0 ? 0 : shareHead(n, skb)
    },
    kfreeSkb(skb) {
      if (skb === 0) return
      check('kfree_skb', skb, 0)
      if (users[skb] === 1 && list[skb] !== 0)
        fail('kfree_skb: still on a list', 'net/core/skbuff.c, skb_unlink', skb, 0)
      users[skb]--
      if (users[skb] > 0) return
      heap.releaseData(skb)
      heap.putSkb(skb)
    },
    skbHeaderRelease(skb) {
      check('__skb_header_release', skb, 0)
      if (isCloned(skb)) fail('__skb_header_release: cloned', 'include/linux/skbuff.h, __skb_header_release', skb, 0)
      nohdr[skb] = 1
      dataref[head[skb]] = 1 + (1 << SKB_DATAREF_SHIFT)
    },
    skbHeaderCloned(skb) {
      if (cloned[skb] === 0) return false
      const refs = dataref[head[skb]]
      return (refs & DATAREF_MASK) - (refs >>> SKB_DATAREF_SHIFT) !== 1
    },
    skbCloned: isCloned,
    skbShared: (skb) => users[skb] !== 1,
    skbHeadroom: (skb) => data[skb],
    skbTailroom: (skb) => (dataLen[skb] !== 0 ? 0 : end[skb] - tail[skb]),
    skbHeadlen: (skb) => len[skb] - dataLen[skb],
  }
})
