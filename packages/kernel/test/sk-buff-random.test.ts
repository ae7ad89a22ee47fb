import { Binder, World } from '@softnet/ecs'
import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { skBuffs } from '../src/skb/sk-buff.js'
import { declareSkBuffs, fillSkBuffs, SkBuff, SkbData, SkbHeap } from '../src/skb/sk-buff-components.js'
import { skBuffCopies } from '../src/skb/sk-buff-copy.js'
import { GFP } from '../src/skb/sk-buff-heap.js'

const LIMITS = { skBuffs: 12, heads: 9, pages: 10, lists: 0, reserve: 2, smallHeadBytes: 576 }

interface Page {
  readonly bytes: number
}
interface Head {
  readonly bytes: number
  readonly frags: { readonly page: Page; readonly bytes: number }[]
}
/** Two descriptors that are allocated together. */
interface Pair {
  readonly halves: [number, number]
}
interface Model {
  row: number
  head: Head
  data: number
  tail: number
  dataLen: number
  truesize: number
  users: number
  reserve: boolean
  pair: Pair | null
}

/** Plain objects; what is free follows from what is reachable. */
class Reference {
  readonly live: Model[] = []

  heads(): Set<Head> {
    return new Set(this.live.map((m) => m.head))
  }
  pages(): Set<Page> {
    return new Set([...this.heads()].flatMap((head) => head.frags.map((frag) => frag.page)))
  }
  descriptors(): number {
    const pairs = new Set(this.live.flatMap((m) => (m.pair === null ? [] : [m.pair])))
    return this.live.filter((m) => m.pair === null).length + 2 * pairs.size
  }
  heldBytes(): number {
    let sum = 256 * this.live.length
    for (const head of this.heads()) sum += head.bytes
    for (const page of this.pages()) sum += page.bytes
    return sum
  }
  shares(head: Head): number {
    return this.live.filter((m) => m.head === head).length
  }
}

function bucket(bytes: number): number {
  const need = Math.ceil(bytes / 64) * 64 + 320
  return [576, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072].find((size) => size >= need) as number
}

function granted(free: number, wanted: number, memalloc: boolean): boolean {
  return free >= wanted + (memalloc ? 0 : LIMITS.reserve)
}

class Machine {
  readonly reference = new Reference()
  readonly s
  readonly data
  readonly heap
  readonly ops

  constructor() {
    const world = new World()
    declareSkBuffs(world, LIMITS)
    world.freeze()
    fillSkBuffs(world, LIMITS)
    const binder = new Binder(world)
    this.s = world.columns(SkBuff)
    this.data = world.columns(SkbData)
    this.heap = world.columns(SkbHeap)
    this.ops = { ...binder.bind(skBuffs), ...binder.bind(skBuffCopies) }
  }

  /** What the model says about memory: null, or whether the head comes from the reserve. */
  room(descriptors: number, heads: number, memalloc: boolean): { reserve: boolean } | null {
    const freeSkbs = LIMITS.skBuffs - this.reference.descriptors()
    const freeHeads = LIMITS.heads - this.reference.heads().size
    if (!granted(freeSkbs, descriptors, memalloc) || !granted(freeHeads, heads, memalloc)) return null
    return { reserve: heads > 0 && freeHeads - heads < LIMITS.reserve }
  }

  alloc(bytes: number, memalloc: boolean, pair: boolean): void {
    const room = this.room(pair ? 2 : 1, 1, memalloc)
    const gfp = memalloc ? GFP.memalloc : GFP.atomic
    const row = pair ? this.ops.allocSkbFclone(bytes, gfp) : this.ops.allocSkb(bytes, gfp)
    assert.is(row !== 0, room !== null, 'alloc')
    if (room === null) return
    const head: Head = { bytes: bucket(bytes), frags: [] }
    const halves: Pair | null = pair ? { halves: [row, this.s.companion[row] as number] } : null
    this.reference.live.push(this.fresh(row, head, room.reserve, halves))
  }

  fresh(row: number, head: Head, reserve: boolean, pair: Pair | null): Model {
    return { row, head, data: 0, tail: 0, dataLen: 0, truesize: head.bytes + 256, users: 1, reserve, pair }
  }

  clone(m: Model): void {
    const { live } = this.reference
    const first = m.pair !== null && m.row === m.pair.halves[0]
    const companion = first && !live.some((o) => o.pair === m.pair && o !== m)
    const room = companion ? { reserve: false } : this.room(1, 0, m.reserve)
    const row = this.ops.skbClone(m.row, GFP.atomic)
    assert.is(row !== 0, room !== null, 'clone')
    if (room === null) return
    if (companion) assert.is(row, m.pair?.halves[1])
    live.push({ ...m, row, users: 1, pair: companion ? m.pair : null })
  }

  free(m: Model): void {
    this.ops.kfreeSkb(m.row)
    m.users--
    if (m.users === 0) this.reference.live.splice(this.reference.live.indexOf(m), 1)
  }

  copy(m: Model, kind: number, amount: number): void {
    const len = m.tail - m.data + m.dataLen
    const end = m.head.bytes - 320
    const headroom = kind === 2 ? amount % 300 : m.data
    const sizes = [end + m.dataLen, m.tail, headroom + len + 50]
    const room = this.room(1, 1, m.reserve)
    const row =
      kind === 0
        ? this.ops.skbCopy(m.row, GFP.atomic)
        : kind === 1
          ? this.ops.pskbCopy(m.row, GFP.atomic)
          : this.ops.skbCopyExpand(m.row, headroom, 50, GFP.atomic)
    assert.is(row !== 0, room !== null, `copy ${kind}`)
    if (room === null) return
    const head: Head = { bytes: bucket(sizes[kind] as number), frags: kind === 1 ? [...m.head.frags] : [] }
    const n = this.fresh(row, head, room.reserve, null)
    n.data = headroom
    n.tail = headroom + (kind === 1 ? m.tail - m.data : len)
    if (kind === 1) {
      n.dataLen = m.dataLen
      n.truesize += m.dataLen
    }
    this.reference.live.push(n)
  }

  expand(m: Model, nhead: number, ntail: number): void {
    if (m.users > 1) {
      assert.throws(() => this.ops.pskbExpandHead(m.row, nhead, ntail, GFP.atomic), /skb_shared/)
      return
    }
    const room = this.room(0, 1, m.reserve)
    assert.is(this.ops.pskbExpandHead(m.row, nhead, ntail, GFP.atomic), room !== null, 'expand')
    if (room === null) return
    const head: Head = { bytes: bucket(m.head.bytes - 320 + nhead + ntail), frags: [...m.head.frags] }
    m.truesize += head.bytes - m.head.bytes
    m.data += nhead
    m.tail += nhead
    m.head = head
  }

  move(m: Model, op: number, amount: number): void {
    const { ops } = this
    const end = m.head.bytes - 320
    const headLen = m.tail - m.data
    if (op === 0) {
      if (m.tail + amount > end) assert.throws(() => ops.skbReserve(m.row, amount), /outside/)
      else {
        ops.skbReserve(m.row, amount)
        m.data += amount
        m.tail += amount
      }
    } else if (op === 1) {
      if (m.dataLen > 0 || m.tail + amount > end) assert.throws(() => ops.skbPut(m.row, amount), /skb_put/)
      else {
        assert.is(ops.skbPut(m.row, amount), m.tail)
        m.tail += amount
      }
    } else if (op === 2) {
      if (amount > m.data) assert.throws(() => ops.skbPush(m.row, amount), /skb_under_panic/)
      else {
        m.data -= amount
        assert.is(ops.skbPush(m.row, amount), m.data)
      }
    } else if (op === 3) {
      if (amount > headLen + m.dataLen) assert.is(ops.skbPull(m.row, amount), -1)
      else if (amount > headLen) assert.throws(() => ops.skbPull(m.row, amount), /past the head/)
      else {
        m.data += amount
        assert.is(ops.skbPull(m.row, amount), m.data)
      }
    } else if (amount < headLen + m.dataLen) {
      if (m.dataLen > 0) assert.throws(() => ops.skbTrim(m.row, amount), /non-linear/)
      else {
        ops.skbTrim(m.row, amount)
        m.tail = m.data + amount
      }
    } else ops.skbTrim(m.row, amount)
  }

  frag(m: Model, amount: number): void {
    if (this.reference.shares(m.head) > 1) {
      assert.throws(() => this.ops.skbAddRxFrag(m.row, amount, 4096, GFP.atomic), /cloned/)
      return
    }
    const fits = m.head.frags.length < 17 && granted(LIMITS.pages - this.reference.pages().size, 1, false)
    assert.is(this.ops.skbAddRxFrag(m.row, amount, 4096, GFP.atomic), fits, 'frag')
    if (!fits) return
    m.head.frags.push({ page: { bytes: 4096 }, bytes: amount })
    m.dataLen += amount
    m.truesize += 4096
  }

  step(op: number, pick: number, amount: number): void {
    const { live } = this.reference
    const m = live[pick % Math.max(1, live.length)]
    if (op < 3 || m === undefined) this.alloc(amount, op === 1, op === 2)
    else if (op < 6) this.free(m)
    else if (op < 8) this.clone(m)
    else if (op === 8) {
      assert.is(this.ops.skbGet(m.row), m.row)
      m.users++
    } else if (op < 12) this.copy(m, op - 9, amount)
    else if (op === 12) this.expand(m, amount % 100, pick % 200)
    else if (op === 13) this.frag(m, amount)
    else this.move(m, op % 5, op < 17 ? amount % 200 : amount)
  }

  check(): void {
    const { s, data, heap, reference } = this
    for (const m of reference.live) {
      const end = m.head.bytes - 320
      assert.equal(
        [
          s.data[m.row],
          s.tail[m.row],
          s.end[m.row],
          s.len[m.row],
          s.dataLen[m.row],
          s.truesize[m.row],
          s.users[m.row],
          s.pfmemalloc[m.row],
        ],
        [m.data, m.tail, end, m.tail - m.data + m.dataLen, m.dataLen, m.truesize, m.users, m.reserve ? 1 : 0],
      )
      assert.ok(0 <= m.data && m.data <= m.tail && m.tail <= end, 'head <= data <= tail <= end')
      const area = s.head[m.row] as number
      assert.is(data.dataref[area], reference.shares(m.head), 'dataref')
      assert.is(data.nrFrags[area], m.head.frags.length)
      assert.is(
        m.head.frags.reduce((sum, frag) => sum + frag.bytes, 0),
        m.dataLen,
        'data_len is the fragments',
      )
    }
    assert.is(heap.freeSkbs[1], LIMITS.skBuffs - reference.descriptors(), 'free sk_buffs')
    assert.is(heap.freeData[1], LIMITS.heads - reference.heads().size, 'free heads')
    assert.is(heap.freePages[1], LIMITS.pages - reference.pages().size, 'free pages')
    assert.is(heap.heldBytes[1], reference.heldBytes(), 'memory held')
  }

  drain(): void {
    const { live } = this.reference
    while (live.length > 0) this.free(live[live.length - 1] as Model)
    this.check()
    assert.is(this.heap.heldBytes[1], 0)
  }
}

const steps = (ops: fc.Arbitrary<number>) =>
  fc.array(fc.tuple(ops, fc.nat(1000), fc.oneof(fc.nat(64), fc.nat(1800))), { maxLength: 80 })

test('random operations agree with plain objects, and nothing leaks', () => {
  const seen = new Set<number>()
  fc.assert(
    fc.property(steps(fc.nat(21)), (sequence) => {
      const machine = new Machine()
      for (const [op, pick, amount] of sequence) {
        seen.add(op)
        machine.step(op, pick, amount)
        machine.check()
      }
      machine.drain()
    }),
    { numRuns: 400, seed: 20 },
  )
  assert.is(seen.size, 22)
})

test('where nothing is shared, truesize is exactly the memory held', () => {
  // Allocation, frees, fragments, moves, expansion and full copies: every byte has one owner.
  const unshared = fc.constantFrom(0, 1, 3, 9, 11, 12, 13, 14, 15, 16, 17, 18)
  fc.assert(
    fc.property(steps(unshared), (sequence) => {
      const machine = new Machine()
      for (const [op, pick, amount] of sequence) {
        machine.step(op, pick, amount)
        const { live } = machine.reference
        const truesize = live.reduce((sum, m) => sum + (machine.s.truesize[m.row] as number), 0)
        assert.is(truesize, machine.heap.heldBytes[1])
      }
    }),
    { numRuns: 200, seed: 21 },
  )
})

test.run()
