import { defineComponent, f64, i32, u8 } from './component.js'
import { defineSystem } from './system.js'

/**
 * Pending events of all owners (CPUs, wires): one binary heap per owner over shared rows.
 * Rows `[base, base + capacity)` of an owner are its heap array. Writer: the partition that owns the owner.
 */
export const EventRow = defineComponent(
  'event_row',
  {
    /** When it is due, ps. */
    timePs: f64,
    /** Order among equal times: emitting entity × 2^40 + its sequence. */
    order: f64,
    /** What to do, a number the owner's dispatcher knows. */
    kind: u8,
    /** First argument. */
    a: i32,
    /** Second argument. */
    b: i32,
    /** Third argument, exact integers to 2^53. */
    c: f64,
  },
  { role: 'observer' },
)

/** One row per owner of an event heap. */
export const EventHeap = defineComponent('event_heap', {
  /** First row of this owner's heap. */
  base: i32,
  capacity: i32,
  count: i32,
  /** Sequence of the next event this entity emits, for `order`. */
  nextSequence: f64,
})

const ORDER_PER_ENTITY = 2 ** 40

/** Operations on event heaps; see `eventList`. */
export interface EventList {
  /** Due time, ps, and order key of the event that `pushAt`, `nextOrder` and `insert` speak of: doubles in a column are not boxed. */
  readonly due: Float64Array
  /** Adds an event due at `due[0]` to `owner`'s heap, emitted by `emitter`. */
  pushAt(owner: number, emitter: number, kind: number, a: number, b: number, c: number): void
  /** Takes the next order key of an emitter into `due[1]`. */
  nextOrder(emitter: number): void
  /** Adds an event due at `due[0]` with order key `due[1]` (a message from another partition). */
  insert(owner: number, kind: number, a: number, b: number, c: number): void
  /** Adds an event to `owner`'s heap, emitted by `emitter`. */
  push(owner: number, emitter: number, timePs: number, kind: number, a: number, b: number, c: number): void
  /** Due time of the first event, Infinity if there is none. */
  peekPs(owner: number): number
  /** Row of the first event; its columns stay readable until the next push of this owner. Removes it. */
  pop(owner: number): number
}

/**
 * Binary heap over columns, keyed by (time, emitting entity, its sequence): never by arrival.
 * A full heap is an error that names the limit.
 */
export const eventList = defineSystem<EventList>(
  'event_list',
  'engine',
  'kernel/time/hrtimer.c (order of expiry)',
  (context) => {
    const { timePs, order, kind, a, b, c } = context.write(EventRow)
    const { base, capacity, count, nextSequence } = context.write(EventHeap)

    function copy(to: number, from: number): void {
      timePs[to] = timePs[from]
      order[to] = order[from]
      kind[to] = kind[from]
      a[to] = a[from]
      b[to] = b[from]
      c[to] = c[from]
    }

    const due = new Float64Array(2)

    /** Sifts the event described by `due` up from the end of the heap. */
    function insert(owner: number, k: number, va: number, vb: number, vc: number): void {
      const t = due[0]
      const o = due[1]
      const first = base[owner]
      let index = count[owner]
      if (index >= capacity[owner] - 1) {
        throw new Error(`event list of entity ${owner} is full: raise limits.events-per-partition`)
      }
      count[owner] = index + 1
      while (index > 0) {
        const parent = (index - 1) >> 1
        const row = first + parent
        if (timePs[row] < t || (timePs[row] === t && order[row] < o)) break
        copy(first + index, row)
        index = parent
      }
      const row = first + index
      timePs[row] = t
      order[row] = o
      kind[row] = k
      a[row] = va
      b[row] = vb
      c[row] = vc
    }

    function nextOrder(emitter: number): void {
      const sequence = nextSequence[emitter]
      nextSequence[emitter] = sequence + 1
      due[1] = emitter * ORDER_PER_ENTITY + sequence
    }

    function pushAt(owner: number, emitter: number, k: number, va: number, vb: number, vc: number): void {
      nextOrder(emitter)
      insert(owner, k, va, vb, vc)
    }

    function pop(owner: number): number {
      const first = base[owner]
      const last = count[owner] - 1
      count[owner] = last
      // The popped event is parked behind the heap, where the caller reads it.
      const parked = first + capacity[owner] - 1
      copy(parked, first)
      if (last > 0) {
        const t = timePs[first + last]
        const o = order[first + last]
        const source = first + last
        let index = 0
        for (;;) {
          let child = 2 * index + 1
          if (child >= last) break
          const right = child + 1
          if (
            right < last &&
            (timePs[first + right] < timePs[first + child] ||
              (timePs[first + right] === timePs[first + child] && order[first + right] < order[first + child]))
          ) {
            child = right
          }
          const row = first + child
          if (t < timePs[row] || (t === timePs[row] && o < order[row])) break
          copy(first + index, row)
          index = child
        }
        if (index !== last) copy(first + index, source)
      }
      return parked
    }

    return {
      due,
      pushAt,
      nextOrder,
      insert,
      push(owner, emitter, t, k, va, vb, vc) {
        due[0] = t
        pushAt(owner, emitter, k, va, vb, vc)
      },
      peekPs: (owner) => (count[owner] === 0 ? Number.POSITIVE_INFINITY : timePs[base[owner]]),
      pop,
    }
  },
)
