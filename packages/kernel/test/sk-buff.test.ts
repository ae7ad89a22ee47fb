import { Binder, World } from '@softnet/ecs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { skBuffs } from '../src/skb/sk-buff.js'
import {
  declareSkBuffs,
  fillSkBuffs,
  SkBuff,
  SkBuffHead,
  type SkBuffLimits,
  SkbData,
  SkbHeap,
  SkbPage,
} from '../src/skb/sk-buff-components.js'
import { skBuffCopies } from '../src/skb/sk-buff-copy.js'
import { skBuffLists } from '../src/skb/sk-buff-head.js'
import { GFP } from '../src/skb/sk-buff-heap.js'

const LIMITS: SkBuffLimits = { skBuffs: 16, heads: 12, pages: 20, lists: 2, reserve: 2, smallHeadBytes: 576 }

function rig(limits: Partial<SkBuffLimits> = {}) {
  const all = { ...LIMITS, ...limits }
  const world = new World()
  declareSkBuffs(world, all)
  world.freeze()
  fillSkBuffs(world, all)
  const binder = new Binder(world)
  const s = world.columns(SkBuff)
  const data = world.columns(SkbData)
  const heap = world.columns(SkbHeap)
  const ops = { ...binder.bind(skBuffs), ...binder.bind(skBuffCopies) }
  const lists = binder.bind(skBuffLists)
  /** data, tail, end, len, data_len, truesize */
  const geometry = (skb: number) => [s.data[skb], s.tail[skb], s.end[skb], s.len[skb], s.dataLen[skb], s.truesize[skb]]
  const assertEmpty = () => {
    assert.is(heap.freeSkbs[1], all.skBuffs, 'sk_buffs')
    assert.is(heap.freeData[1], all.heads, 'heads')
    assert.is(heap.freePages[1], all.pages, 'pages')
    assert.is(heap.heldBytes[1], 0, 'bytes')
  }
  /** 100 bytes of data behind 64 of headroom in a head of 704. */
  const packet = () => {
    const skb = ops.allocSkb(700, GFP.atomic)
    ops.skbReserve(skb, 64)
    ops.skbPut(skb, 100)
    return skb
  }
  /** The same with two page fragments of 1000 and 500 bytes. */
  const paged = () => {
    const skb = packet()
    ops.skbAddRxFrag(skb, 1000, 2048, GFP.atomic)
    ops.skbAddRxFrag(skb, 500, 4096, GFP.atomic)
    return skb
  }
  return {
    world,
    s,
    data,
    pages: world.columns(SkbPage),
    heap,
    ops,
    lists,
    listHeads: world.columns(SkBuffHead),
    geometry,
    assertEmpty,
    packet,
    paged,
  }
}

test('alloc_skb: the head is what the bucket gives', () => {
  const { ops, geometry, s, data } = rig()
  const table: [number, number[]][] = [
    [0, [0, 0, 256, 0, 0, 832]],
    [256, [0, 0, 256, 0, 0, 832]],
    [257, [0, 0, 704, 0, 0, 1280]],
    [1500, [0, 0, 1728, 0, 0, 2304]],
    [9000, [0, 0, 16_064, 0, 0, 16_640]],
  ]
  for (const [bytes, expected] of table) {
    const skb = ops.allocSkb(bytes, GFP.atomic)
    assert.equal(geometry(skb), expected, String(bytes))
    assert.is(s.users[skb], 1)
    assert.is(data.dataref[s.head[skb]], 1)
    assert.is(s.cloned[skb], 0)
    ops.kfreeSkb(skb)
  }
})

test('reserve, put, push, pull, trim: geometry before and after', () => {
  const { ops, geometry, packet } = rig()
  const skb = ops.allocSkb(700, GFP.atomic)
  ops.skbReserve(skb, 64)
  assert.equal(geometry(skb), [64, 64, 704, 0, 0, 1280])
  assert.is(ops.skbHeadroom(skb), 64)
  assert.is(ops.skbTailroom(skb), 640)
  assert.is(ops.skbPut(skb, 100), 64, 'returns the old tail')
  assert.equal(geometry(skb), [64, 164, 704, 100, 0, 1280])
  assert.is(ops.skbPush(skb, 14), 50)
  assert.equal(geometry(skb), [50, 164, 704, 114, 0, 1280])
  assert.is(ops.skbPull(skb, 34), 84)
  assert.equal(geometry(skb), [84, 164, 704, 80, 0, 1280])
  assert.is(ops.skbPull(skb, 81), -1, 'more than there is')
  assert.equal(geometry(skb), [84, 164, 704, 80, 0, 1280])
  ops.skbTrim(skb, 60)
  assert.equal(geometry(skb), [84, 144, 704, 60, 0, 1280])
  ops.skbTrim(skb, 70)
  assert.equal(geometry(skb), [84, 144, 704, 60, 0, 1280], 'never grows')
  assert.is(ops.skbPull(skb, 60), 144)
  assert.equal(geometry(skb), [144, 144, 704, 0, 0, 1280])
  const full = packet()
  ops.skbPut(full, 540)
  assert.is(ops.skbTailroom(full), 0)
  ops.skbPush(full, 64)
  assert.equal(geometry(full), [0, 704, 704, 704, 0, 1280])
  ops.skbReserve(packet(), -64)
})

test('page fragments count in len, data_len and truesize', () => {
  const { ops, geometry, paged, s, data } = rig()
  const skb = paged()
  assert.equal(geometry(skb), [64, 164, 704, 1600, 1500, 1280 + 2048 + 4096])
  assert.is(ops.skbHeadlen(skb), 100)
  assert.is(ops.skbTailroom(skb), 0)
  assert.is(data.nrFrags[s.head[skb]], 2)
  assert.is(ops.skbPull(skb, 100), 164)
  for (let i = 2; i < 17; i++) assert.ok(ops.skbAddRxFrag(skb, 10, 10, GFP.atomic))
  assert.not.ok(ops.skbAddRxFrag(skb, 10, 10, GFP.atomic), 'MAX_SKB_FRAGS')
})

test('copies: skb_copy, pskb_copy, skb_copy_expand', () => {
  const { ops, geometry, paged, s, data, pages, assertEmpty } = rig()
  const skb = paged()
  const whole = ops.skbCopy(skb, GFP.atomic)
  assert.equal(geometry(whole), [64, 1664, 3776, 1600, 0, 4352], 'linear, room for end + data_len = 2204')
  const partial = ops.pskbCopy(skb, GFP.atomic)
  assert.equal(geometry(partial), [64, 164, 256, 1600, 1500, 832 + 1500], 'charged the shared bytes')
  assert.is(data.nrFrags[s.head[partial]], 2)
  assert.equal([pages.refs[1], pages.refs[2]], [2, 2])
  const expanded = ops.skbCopyExpand(skb, 200, 30, GFP.atomic)
  assert.equal(geometry(expanded), [200, 1800, 3776, 1600, 0, 4352])
  assert.not.ok(ops.skbCloned(skb))
  ops.kfreeSkb(skb)
  assert.equal([pages.refs[1], pages.refs[2]], [1, 1], 'the copy keeps the pages')
  for (const each of [whole, partial, expanded]) ops.kfreeSkb(each)
  assertEmpty()
})

test('clone: same bytes, dataref 2, freed by the last', () => {
  const { ops, geometry, paged, s, data, heap, assertEmpty } = rig()
  const skb = paged()
  const n = ops.skbClone(skb, GFP.atomic)
  assert.equal(geometry(n), geometry(skb))
  assert.is(s.head[n], s.head[skb])
  assert.is(data.dataref[s.head[skb]], 2)
  assert.ok(ops.skbCloned(skb) && ops.skbCloned(n))
  assert.ok(ops.skbHeaderCloned(skb))
  ops.skbPull(n, 14)
  assert.is(s.data[skb], 64, 'each has its own pointers')
  ops.kfreeSkb(skb)
  assert.not.ok(ops.skbCloned(n), 'the flag stays but nobody else holds the head')
  assert.is(s.cloned[n], 1)
  assert.is(heap.freeData[1], LIMITS.heads - 1)
  ops.kfreeSkb(n)
  assertEmpty()
})

test('users: skb_get and kfree_skb', () => {
  const { ops, packet, s, assertEmpty } = rig()
  const skb = packet()
  assert.is(ops.skbGet(skb), skb)
  assert.is(s.users[skb], 2)
  assert.ok(ops.skbShared(skb))
  ops.kfreeSkb(skb)
  assert.not.ok(ops.skbShared(skb))
  ops.kfreeSkb(skb)
  ops.kfreeSkb(0)
  assertEmpty()
})

test('payload-only references leave the headers to the clone', () => {
  const { ops, packet, s, data, assertEmpty } = rig()
  const skb = packet()
  ops.skbHeaderRelease(skb)
  assert.is(data.dataref[s.head[skb]], 0x10001)
  const n = ops.skbClone(skb, GFP.atomic)
  assert.is(data.dataref[s.head[skb]], 0x10002)
  assert.ok(ops.skbCloned(n))
  assert.not.ok(ops.skbHeaderCloned(n), 'the clone may write headers')
  ops.kfreeSkb(skb)
  assert.is(data.dataref[s.head[n]], 1)
  ops.kfreeSkb(n)
  const alone = packet()
  ops.skbHeaderRelease(alone)
  ops.kfreeSkb(alone)
  assertEmpty()
})

test('fast clones: the pair is one allocation, either half may go first', () => {
  for (const cloneFirst of [true, false]) {
    const { ops, heap, s, assertEmpty } = rig()
    const skb = ops.allocSkbFclone(100, GFP.atomic)
    assert.is(heap.freeSkbs[1], LIMITS.skBuffs - 2)
    const fast = ops.skbClone(skb, GFP.atomic)
    assert.is(fast, s.companion[skb])
    assert.is(heap.freeSkbs[1], LIMITS.skBuffs - 2, 'no allocation')
    const slow = ops.skbClone(skb, GFP.atomic)
    assert.is(heap.freeSkbs[1], LIMITS.skBuffs - 3, 'the second clone needs one')
    ops.kfreeSkb(slow)
    ops.kfreeSkb(cloneFirst ? fast : skb)
    assert.is(heap.freeSkbs[1], LIMITS.skBuffs - 2, 'half a pair is not free')
    if (cloneFirst) {
      assert.is(ops.skbClone(skb, GFP.atomic), fast, 'the companion is used again')
      ops.kfreeSkb(fast)
    }
    ops.kfreeSkb(cloneFirst ? skb : fast)
    assertEmpty()
  }
})

test('pskb_expand_head: own bytes, more room, truesize by the difference', () => {
  const { ops, geometry, paged, s, data, pages, assertEmpty } = rig()
  const skb = paged()
  assert.ok(ops.pskbExpandHead(skb, 32, 100, GFP.atomic))
  assert.equal(geometry(skb), [96, 196, 1728, 1600, 1500, 1280 + 6144 + 1024])
  assert.is(data.nrFrags[s.head[skb]], 2)
  assert.is(pages.refs[1], 1)
  const n = ops.skbClone(skb, GFP.atomic)
  assert.ok(ops.skbUnclone(n, GFP.atomic))
  assert.is.not(s.head[n], s.head[skb])
  assert.is(pages.refs[1], 2, 'both heads refer to the page')
  assert.not.ok(ops.skbCloned(skb))
  assert.equal(geometry(n), [96, 196, 1728, 1600, 1500, 1280 + 6144 + 1024], 'the same bucket again')
  ops.kfreeSkb(skb)
  ops.kfreeSkb(n)
  assertEmpty()
})

test('what panics in Linux is an assertion that names operation, numbers and function', () => {
  const { ops, packet, paged, lists, assertEmpty } = rig()
  const skb = packet()
  const table: [string, () => unknown, RegExp][] = [
    [
      'put',
      () => ops.skbPut(skb, 541),
      /^skb_put: skb_over_panic \(net\/core\/skbuff.c, skb_over_panic\): skb \d+ len 100 .* by 541 head 0 data 64 tail 164 end 704/,
    ],
    ['push', () => ops.skbPush(skb, 65), /^skb_push: skb_under_panic .* len 100 .* by 65 head 0 data 64/],
    ['reserve', () => ops.skbReserve(skb, 541), /^skb_reserve: outside the head .* by 541/],
    ['reserve back', () => ops.skbReserve(skb, -65), /^skb_reserve: outside the head/],
    ['negative', () => ops.skbPut(skb, -1), /^skb_put: length not in/],
    ['nhead', () => ops.pskbExpandHead(skb, -1, 0, GFP.atomic), /BUG_ON nhead < 0 .* nhead -1/],
    ['unlink', () => lists.unlink(skb), /^skb_unlink: on no list/],
  ]
  for (const [name, run, message] of table) assert.throws(run, message, name)
  const p = paged()
  assert.throws(() => ops.skbPut(p, 1), /^skb_put: BUG on a non-linear skb \(net\/core\/skbuff.c, SKB_LINEAR_ASSERT\)/)
  assert.throws(
    () => ops.skbPull(p, 101),
    /^skb_pull: BUG past the head .*__skb_pull\): skb \d+ len 1600 data_len 1500 by 101/,
  )
  assert.throws(() => ops.skbTrim(p, 100), /^skb_trim: WARN_ON non-linear/)
  assert.throws(() => ops.skbAddRxFrag(p, 11, 10, GFP.atomic), /^skb_add_rx_frag: size above truesize/)
  const n = ops.skbClone(p, GFP.atomic)
  assert.throws(() => ops.skbAddRxFrag(p, 1, 1, GFP.atomic), /^skb_add_rx_frag: cloned/)
  assert.throws(() => ops.skbHeaderRelease(p), /^__skb_header_release: cloned/)
  ops.skbGet(n)
  assert.throws(
    () => ops.pskbExpandHead(n, 0, 0, GFP.atomic),
    /BUG_ON skb_shared \(net\/core\/skbuff.c, pskb_expand_head\): skb \d+ users 2/,
  )
  ops.kfreeSkb(n)
  for (const each of [skb, p, n]) ops.kfreeSkb(each)
  assertEmpty()
  for (const run of [
    () => ops.kfreeSkb(skb),
    () => ops.skbPut(skb, 1),
    () => ops.skbClone(skb, 0),
    () => ops.skbGet(skb),
    () => ops.skbCopy(skb, 0),
  ]) {
    assert.throws(run, /use after free/)
  }
})

test('a failed operation changes nothing', () => {
  const { ops, packet, geometry } = rig()
  const skb = packet()
  const before = geometry(skb)
  assert.throws(() => ops.skbPut(skb, 9999))
  assert.throws(() => ops.skbPush(skb, 9999))
  assert.throws(() => ops.skbReserve(skb, 9999))
  assert.equal(geometry(skb), before)
})

test('exhaustion: NULL, except for users of the memory reserve, marked pfmemalloc', () => {
  const { ops, s, heap, assertEmpty } = rig({ skBuffs: 6, heads: 6, reserve: 2 })
  const all = Array.from({ length: 4 }, () => ops.allocSkb(100, GFP.atomic))
  assert.ok(all.every((skb) => skb !== 0 && s.pfmemalloc[skb] === 0))
  assert.is(ops.allocSkb(100, GFP.atomic), 0)
  assert.is(ops.skbClone(all[0] as number, GFP.atomic), 0)
  assert.is(ops.skbCopy(all[0] as number, GFP.atomic), 0)
  assert.is(ops.allocSkbFclone(100, GFP.atomic), 0)
  assert.is(heap.failed[1], 4)
  const saved = ops.allocSkb(100, GFP.memalloc)
  assert.is(s.pfmemalloc[saved], 1)
  const copy = ops.skbClone(saved, GFP.atomic)
  assert.is.not(copy, 0, 'a clone of reserve memory may use the reserve')
  assert.is(s.pfmemalloc[copy], 1)
  assert.is(ops.allocSkb(100, GFP.memalloc), 0, 'the reserve ends too')
  for (const skb of [...all, saved, copy]) ops.kfreeSkb(skb)
  assertEmpty()
  const again = ops.allocSkb(100, GFP.memalloc)
  assert.is(s.pfmemalloc[again], 0, 'the mark says where the memory came from, not who asked')
})

test('heads may run out before sk_buffs: nothing leaks', () => {
  const { ops, heap, assertEmpty } = rig({ skBuffs: 16, heads: 3, reserve: 0 })
  const all = [1, 2, 3].map(() => ops.allocSkb(100, GFP.atomic))
  assert.is(ops.allocSkb(100, GFP.atomic), 0)
  assert.is(ops.allocSkbFclone(100, GFP.atomic), 0)
  assert.not.ok(ops.pskbExpandHead(all[0] as number, 0, 0, GFP.atomic))
  assert.is(heap.freeSkbs[1], 13)
  const clone = ops.skbClone(all[0] as number, GFP.atomic)
  assert.is.not(clone, 0)
  assert.is(heap.freeSkbs[1], 12)
  ops.kfreeSkb(clone)
  for (const skb of all) ops.kfreeSkb(skb)
  assertEmpty()
})

test('pages run out: no fragment, nothing charged; the reserve marks the sk_buff', () => {
  const { ops, s, packet, geometry, assertEmpty } = rig({ pages: 2, reserve: 1 })
  const skb = packet()
  assert.ok(ops.skbAddRxFrag(skb, 10, 4096, GFP.atomic))
  const before = geometry(skb)
  assert.not.ok(ops.skbAddRxFrag(skb, 10, 4096, GFP.atomic))
  assert.equal(geometry(skb), before)
  assert.is(s.pfmemalloc[skb], 0)
  assert.ok(ops.skbAddRxFrag(skb, 10, 4096, GFP.memalloc))
  assert.is(s.pfmemalloc[skb], 1)
  ops.kfreeSkb(skb)
  assertEmpty()
})

test('lists keep order and length, and own what is on them', () => {
  const { ops, lists, listHeads, packet, assertEmpty } = rig()
  const [a, b, c, d] = [packet(), packet(), packet(), packet()] as [number, number, number, number]
  lists.queueTail(1, a)
  lists.queueTail(1, b)
  lists.queueHead(1, c)
  assert.is(listHeads.qlen[1], 3)
  assert.throws(() => lists.queueTail(2, a), /^skb_queue_tail: not a free-standing sk_buff/)
  assert.throws(() => ops.kfreeSkb(a), /^kfree_skb: still on a list/)
  lists.unlink(a)
  lists.queueTail(2, a)
  assert.is(lists.dequeueTail(1), b)
  assert.is(lists.dequeue(1), c)
  assert.is(lists.dequeue(1), 0)
  assert.is(lists.dequeueTail(1), 0)
  lists.queueTail(2, d)
  lists.purge(2)
  assert.is(listHeads.qlen[2], 0)
  ops.kfreeSkb(b)
  ops.kfreeSkb(c)
  assertEmpty()
})

test.run()
