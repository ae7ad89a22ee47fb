import { defineComponent, defineSystem, i32, u8, u16, u32, type World } from '@softnet/ecs'
import type { Layout } from '../build/layout.js'
import type { Partitions } from '../build/partitions.js'
import { ReplayFrame } from '../traffic/components.js'

/**
 * Memory for packets whose bytes are real: those written by a program, and those the host makes with contents that
 * columns cannot say (quotes of ICMP errors, IP options). A page holds one packet from its network header on.
 * Ids in `Skb.page` above those of replayed frames are pages of this table.
 */
export const PacketPage = defineComponent(
  'packet_page',
  {
    /** Packets that share it; 0: free. */
    refs: u16,
    /** First row in `PacketByte` and how many there are. */
    first: u32,
    capacity: u32,
    /** Bytes in use. */
    bytes: u32,
    /** Next free page of its owner. */
    next: i32,
    /** 1: one of the few large ones. */
    large: u8,
  },
  { role: 'observer' },
)

/** Bytes of all pages. */
export const PacketByte = defineComponent('packet_byte', { value: u8 }, { role: 'observer' })

/** Free pages by owner of a packet pool. */
export const PageOwner = defineComponent('page_owner', { small: i32, large: i32 }, { role: 'observer' })

/** A small page holds a packet of the usual MTU with room for options. */
const SMALL_BYTES = 2048
/** A large one holds any IPv4 packet. */
const LARGE_BYTES = 65_536
const SMALL_PAGES = 64
const LARGE_PAGES = 2

function counts(layout: Layout): { readonly small: number; readonly large: number } {
  const small = layout.plan.limits['packet-pages-per-cpu'] ?? SMALL_PAGES
  return { small, large: Math.max(LARGE_PAGES, Math.ceil(small / 16)) }
}

function owners(layout: Layout, partitions: Partitions): number[] {
  return [...partitions.members.keys()].filter((leader) => leader < layout.firstWire)
}

/** Declares the pages of all owners of packet pools. */
export function declarePages(world: World, layout: Layout, partitions: Partitions): void {
  const { small, large } = counts(layout)
  const pools = owners(layout, partitions).length
  world.pool(PacketPage, pools * (small + large))
  world.pool(PacketByte, pools * (small * SMALL_BYTES + large * LARGE_BYTES))
  world.pool(PageOwner, layout.ownerRows)
}

/** Hands the pages out to their owners. */
export function fillPages(world: World, layout: Layout, partitions: Partitions): void {
  const page = world.columns(PacketPage)
  const owner = world.columns(PageOwner)
  const { small, large } = counts(layout)
  let row = 1
  let byte = 0
  for (const leader of owners(layout, partitions)) {
    for (let i = 0; i < small + large; i++, row++) {
      const isLarge = i >= small
      const list = isLarge ? owner.large : owner.small
      page.first[row] = byte
      page.capacity[row] = isLarge ? LARGE_BYTES : SMALL_BYTES
      page.large[row] = isLarge ? 1 : 0
      page.next[row] = list[leader]
      list[leader] = row
      byte += page.capacity[row]
    }
  }
}

/** Pages for packets; ids are those of `Skb.page`. */
export interface PacketPages {
  /** True if an id is one of these pages, and not a replayed frame or none. */
  owns(id: number): boolean
  /** A page for `bytes` bytes with one user, or 0. Its contents are what the last packet left. */
  take(owner: number, bytes: number): number
  /** One more packet shares the page. */
  get(id: number): void
  /** One packet less; the last one gives it back to `owner`. */
  put(id: number, owner: number): void
  /** Row of its first byte in `bytes`. */
  first(id: number): number
  length(id: number): number
  setLength(id: number, bytes: number): void
  isShared(id: number): boolean
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Pool of pages. Kernel: net/core/skbuff.c, __alloc_skb (the head's bytes) */
export const packetPages = defineSystem<PacketPages>(
  'packet_pages',
  'skb',
  'net/core/skbuff.c, __alloc_skb',
  (context) => {
    const { refs, first, capacity, bytes, next, large } = context.write(PacketPage)
    const { small: smallHead, large: largeHead } = context.write(PageOwner)
    const { value } = context.write(PacketByte)
    // Frames of a replay have the lower ids.
    const base = context.world.has(ReplayFrame as never) ? context.read(ReplayFrame).offsetPs.length - 1 : 0
    return {
      owns: (id) => id > base,
      take(owner, wanted) {
        let row = wanted <= SMALL_BYTES ? smallHead[owner] : 0
        if (row !== 0) smallHead[owner] = next[row]
        else {
          row = largeHead[owner]
          if (row === 0 || wanted > capacity[row]) return 0
          largeHead[owner] = next[row]
        }
        refs[row] = 1
        bytes[row] = wanted
        next[row] = 0
        return base + row
      },
      get(id) {
        refs[id - base]++
      },
      put(id, owner) {
        const row = id - base
        if (--refs[row] !== 0) return
        const list = large[row] !== 0 ? largeHead : smallHead
        next[row] = list[owner]
        list[owner] = row
      },
      first: (id) => first[id - base],
      length: (id) => bytes[id - base],
      setLength(id, length) {
        bytes[id - base] = length
      },
      isShared: (id) => refs[id - base] > 1,
      bytes: value,
      view: new DataView(value.buffer, value.byteOffset, value.length),
    }
  },
)
