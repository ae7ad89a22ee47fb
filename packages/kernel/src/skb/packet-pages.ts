import { defineComponent, defineSystem, i32, u8, u16, u32, type World } from '@softnet/ecs'
import type { Layout } from '../build/layout.js'
import { lanePages, linkLayouts } from '../build/link-layout.js'
import type { Partitions } from '../build/partitions.js'
import { neighbourRows } from '../build/shared-tables.js'
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
/** Where ARP is spoken: requests and answers that wait in a discipline and a ring. */
const ARP_PAGES = 2048
const LARGE_PAGES = 2

/** Frames of a ring, and of the queues behind it, that a CPU of a host on a link has pages for. */
const LINKED_FRAMES_MAX = 2048

interface PageCounts {
  readonly owner: number
  readonly small: number
  readonly large: number
}

/** A host on a link gets whatever others send: a ring full of packets with real bytes is possible. */
function linkedFrames(layout: Layout, owner: number, partitions: Partitions): number {
  const members = new Set(partitions.members.get(owner))
  let frames = 0
  for (const host of layout.hosts) {
    for (const { plan } of host.devices) {
      if (plan.link === undefined || !host.cpus.some((cpu) => members.has(cpu))) continue
      frames += plan.rxRing * plan.queues.length
    }
  }
  return Math.min(frames, LINKED_FRAMES_MAX)
}

function counts(layout: Layout, partitions: Partitions): PageCounts[] {
  const asked = layout.plan.limits['packet-pages-per-cpu'] ?? SMALL_PAGES
  const stored = new Set(linkLayouts(layout).flatMap(({ rows, leader }) => (rows > 0 ? [leader] : [])))
  const owners = [...partitions.members.keys()].filter((leader) => leader < layout.firstWire || stored.has(leader))
  const speaksArp = layout.hosts.some((host) => neighbourRows(host, layout.plan) > 0)
  return owners.map((owner) => {
    const frames = stored.has(owner) ? LINKED_FRAMES_MAX : linkedFrames(layout, owner, partitions)
    const small = Math.max(asked + frames, speaksArp ? ARP_PAGES : 0)
    return { owner, small, large: Math.max(LARGE_PAGES, Math.ceil((asked + frames) / 16)) }
  })
}

/** Bytes of a page of a lane: the longest packet of any link. */
function lanePageBytes(layout: Layout): number {
  const mtus = linkLayouts(layout).flatMap(({ devices }) => devices.map(({ plan }) => plan.mtu))
  return Math.max(SMALL_BYTES, ...mtus.map((mtu) => Math.ceil((mtu + 64) / 64) * 64))
}

/** Declares the pages of all owners of packet pools, and of lanes on links. */
export function declarePages(world: World, layout: Layout, partitions: Partitions): void {
  const all = counts(layout, partitions)
  const lanes = lanePages(layout).reduce((sum, lane) => sum + lane.pages, 0)
  const pages = all.reduce((sum, { small, large }) => sum + small + large, 0)
  const bytes = all.reduce((sum, { small, large }) => sum + small * SMALL_BYTES + large * LARGE_BYTES, 0)
  world.pool(PacketPage, pages + lanes)
  world.pool(PacketByte, bytes + lanes * lanePageBytes(layout))
  world.pool(PageOwner, layout.ownerRows)
}

/** Hands the pages out to their owners; those of lanes follow. Returns the row of the first of these. */
export function fillPages(world: World, layout: Layout, partitions: Partitions): number {
  const page = world.columns(PacketPage)
  const heads = world.columns(PageOwner)
  let row = 1
  let byte = 0
  for (const { owner, small, large } of counts(layout, partitions)) {
    for (let i = 0; i < small + large; i++, row++) {
      const isLarge = i >= small
      const list = isLarge ? heads.large : heads.small
      page.first[row] = byte
      page.capacity[row] = isLarge ? LARGE_BYTES : SMALL_BYTES
      page.large[row] = isLarge ? 1 : 0
      page.next[row] = list[owner]
      list[owner] = row
      byte += page.capacity[row]
    }
  }
  const firstLane = row
  const capacity = lanePageBytes(layout)
  for (let i = lanePages(layout).reduce((sum, lane) => sum + lane.pages, 0); i > 0; i--, row++) {
    page.first[row] = byte
    page.capacity[row] = capacity
    byte += capacity
  }
  return firstLane
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
