import { defineComponent, f64, i32, u8, u32, type World } from '@softnet/ecs'
import { MAX_SKB_FRAGS } from './truesize.js'

/** Values of `SkBuff.fclone`. Kernel: include/linux/skbuff.h, SKB_FCLONE_UNAVAILABLE … SKB_FCLONE_CLONE */
export const FCLONE = { unavailable: 0, orig: 1, clone: 2 } as const

/**
 * Sk_buffs of the operations model: the descriptor with its geometry. Positions count bytes from the start of the head,
 * so `head` is 0. Kernel: include/linux/skbuff.h, struct sk_buff
 */
export const SkBuff = defineComponent('sk_buff', {
  /** 0: free, or the unused half of a fast-clone pair. */
  users: u32,
  /** 1: taken from the pool. */
  taken: u8,
  /** Row of `SkbData`: the head and the shared info behind it. */
  head: i32,
  data: u32,
  tail: u32,
  end: u32,
  len: u32,
  dataLen: u32,
  truesize: u32,
  /** 1: the head may be shared with another sk_buff. */
  cloned: u8,
  /** 1: holds a payload reference only (`skb_header_release`). */
  nohdr: u8,
  /** 1: memory came from the reserve. */
  pfmemalloc: u8,
  /** See `FCLONE`. */
  fclone: u8,
  /** References to a fast-clone pair, in the row of its first half. */
  fcloneRef: u8,
  /** The other half of a fast-clone pair, 0 for none. */
  companion: i32,
  /** Next free row, or next in a list. */
  next: i32,
  prev: i32,
  /** List it is on, 0 for none. */
  list: i32,
})

/** Heads: the memory an sk_buff's bytes are in. Kernel: include/linux/skbuff.h, struct skb_shared_info */
export const SkbData = defineComponent('skb_data', {
  /** References in the low 16 bits, payload-only ones among them in the high 16; 0: free row. */
  dataref: u32,
  /** Bytes of the head with its shared info: a kmalloc bucket or the small head. */
  bytes: u32,
  nrFrags: u8,
  /** Next free row. */
  next: i32,
})

/** Page fragments of heads: row `head * MAX_SKB_FRAGS + i`. Kernel: include/linux/skbuff.h, skb_frag_t */
export const SkbFrag = defineComponent('skb_frag', { page: i32, bytes: u32 })

/** Pages behind fragments. Kernel: include/linux/mm_types.h, struct page */
export const SkbPage = defineComponent('skb_page', {
  /** 0: free row. */
  refs: u32,
  /** Memory charged for it (truesize of the fragment that brought it). */
  bytes: u32,
  next: i32,
})

/** Free lists of the three pools, in row 1. The last rows of each (`reserve`) go to users of memory reserves only. */
export const SkbHeap = defineComponent('skb_heap', {
  firstSkb: i32,
  freeSkbs: i32,
  firstData: i32,
  freeData: i32,
  firstPage: i32,
  freePages: i32,
  reserve: i32,
  /** Small head cache, bytes; 0: none. */
  smallHeadBytes: u32,
  /** Memory held: heads, pages, and 256 bytes per sk_buff in use. */
  heldBytes: f64,
  /** Allocations that failed. */
  failed: f64,
})

/** Lists of sk_buffs. Kernel: include/linux/skbuff.h, struct sk_buff_head */
export const SkBuffHead = defineComponent('sk_buff_head', { first: i32, last: i32, qlen: u32 })

/** How much memory the sk_buffs of a world have. */
export interface SkBuffLimits {
  /** Sk_buff descriptors; a fast-clone pair takes two. */
  readonly skBuffs: number
  readonly heads: number
  readonly pages: number
  readonly lists: number
  /** Rows of each of the three that only memory-reserve users may take. */
  readonly reserve: number
  /** Small head cache of the kernel version, bytes (`VersionPolicy.smallHeadBytes`). */
  readonly smallHeadBytes: number
}

/** Declares the tables of sk_buffs; before `freeze`. */
export function declareSkBuffs(world: World, limits: SkBuffLimits): void {
  world.pool(SkBuff, limits.skBuffs, 'taken')
  world.pool(SkbData, limits.heads, 'dataref')
  world.pool(SkbFrag, (limits.heads + 1) * MAX_SKB_FRAGS)
  world.pool(SkbPage, limits.pages, 'refs')
  world.pool(SkBuffHead, limits.lists)
  world.pool(SkbHeap, 1)
}

function chain(next: Int32Array, rows: number): void {
  for (let row = 1; row < rows; row++) next[row] = row + 1
  next[rows] = 0
}

/** Puts every row on its free list; after `freeze`. */
export function fillSkBuffs(world: World, limits: SkBuffLimits): void {
  const heap = world.columns(SkbHeap)
  chain(world.columns(SkBuff).next, limits.skBuffs)
  chain(world.columns(SkbData).next, limits.heads)
  chain(world.columns(SkbPage).next, limits.pages)
  heap.firstSkb[1] = limits.skBuffs > 0 ? 1 : 0
  heap.freeSkbs[1] = limits.skBuffs
  heap.firstData[1] = limits.heads > 0 ? 1 : 0
  heap.freeData[1] = limits.heads
  heap.firstPage[1] = limits.pages > 0 ? 1 : 0
  heap.freePages[1] = limits.pages
  heap.reserve[1] = limits.reserve
  heap.smallHeadBytes[1] = limits.smallHeadBytes
}
