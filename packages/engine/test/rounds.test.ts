import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRunner, type Partition, type PartitionTimes, type RunnerOptions, reach } from '../src/index.js'
import type { StepOrder } from '../src/step-order.js'

/** A ball on its way: when it arrives, where, and how often it has been thrown. */
interface Throw {
  readonly atPs: number
  readonly to: number
  readonly count: number
}

/** Players in a ring who throw balls to their neighbour; a throw takes `latencyPs`. Nothing in it is about networks. */
class Ring {
  readonly log: string[] = []
  readonly sent: Throw[][]
  readonly mail: Throw[][]
  readonly waiting: Throw[][]
  times: PartitionTimes | null = null
  /** A player who may not throw before the time given here (a full mailbox). */
  heldUntilPs = new Map<number, number>()

  readonly players: number
  readonly latencyPs: number
  readonly thinkPs: (player: number) => number

  constructor(players: number, latencyPs: number, thinkPs: (player: number) => number) {
    this.players = players
    this.latencyPs = latencyPs
    this.thinkPs = thinkPs
    this.mail = Array.from({ length: players }, () => [])
    this.sent = Array.from({ length: players }, () => [])
    this.waiting = Array.from({ length: players }, () => [])
  }

  /** Who catches what is thrown to player `to`. */
  target = (to: number): number => to

  throwTo(to: number, atPs: number, count: number): void {
    this.mail[to]?.push({ atPs, to, count })
  }

  partitions(): Partition[] {
    return Array.from({ length: this.players }, (_, id) => this.#partition(id))
  }

  #partition(id: number): Partition {
    const write = () => {
      const first = this.waiting[id]?.[0]
      if (this.times !== null) this.times.next[id] = first === undefined ? Number.POSITIVE_INFINITY : first.atPs
    }
    return {
      id,
      name: `player${id}`,
      inputs: [{ from: (id + this.players - 1) % this.players, latencyPs: this.latencyPs }],
      bounded: false,
      attach: (times) => {
        this.times = times
      },
      drain: () => {
        const waiting = this.waiting[id] ?? []
        waiting.push(...(this.mail[id]?.splice(0) ?? []))
        waiting.sort((a, b) => a.atPs - b.atPs || a.count - b.count)
        write()
      },
      run: () => {
        const waiting = this.waiting[id] ?? []
        const horizonPs = this.times?.horizon[id] ?? 0
        let progress = false
        while (waiting.length > 0 && (waiting[0] as Throw).atPs < horizonPs) {
          const ball = waiting[0] as Throw
          if (ball.atPs < (this.heldUntilPs.get(id) ?? 0)) break
          waiting.shift()
          progress = true
          this.log.push(`${ball.atPs} player${id} ${ball.count}`)
          const to = (id + 1) % this.players
          this.sent[id]?.push({ atPs: ball.atPs + this.thinkPs(id) + this.latencyPs, to, count: ball.count + 1 })
        }
        write()
        return progress
      },
      publish: () => {
        for (const { to, atPs, count } of this.sent[id]?.splice(0) ?? []) {
          this.throwTo(to, atPs, count)
          reach(this.times as PartitionTimes, this.target(to), atPs)
        }
      },
    }
  }

  runner(options: RunnerOptions = {}) {
    return createRunner(this.partitions(), options)
  }
}

function start(players: number, balls: number): Ring {
  const ring = new Ring(players, 100, (player) => 7 * player + 3)
  for (let ball = 0; ball < balls; ball++) ring.throwTo(ball % players, 1 + ball * 13, 0)
  return ring
}

test('ping-pong: every throw is caught at its time', () => {
  const ring = start(2, 1)
  ring.runner().runUntil(1000)
  assert.equal(ring.log.slice(0, 4), ['1 player0 0', '104 player1 1', '214 player0 2', '317 player1 3'])
  assert.ok(ring.log.every((line) => Number(line.split(' ')[0]) < 1000))
})

test('a run cut into pieces is the run in one', () => {
  const whole = start(7, 5)
  whole.runner().runUntil(50_000)
  const cut = start(7, 5)
  const runner = cut.runner()
  for (const untilPs of [1, 2, 777, 778, 12_345, 12_345, 49_999, 50_000]) runner.runUntil(untilPs)
  assert.equal([...cut.log].sort(), [...whole.log].sort())
})

const lastOf: StepOrder = { choose: (_ready, count) => count - 1, reach: (_fromPs, horizonPs) => horizonPs }
const oneStep: StepOrder = { choose: () => 0, reach: (fromPs) => fromPs + 1 }

test('partitions advanced in another order, one step at a time, or in rounds do the same', () => {
  const usual = start(7, 5)
  usual.runner().runUntil(50_000)
  for (const options of [{ order: lastOf }, { order: oneStep }, { inRounds: true }]) {
    const ring = start(7, 5)
    const runner = ring.runner(options)
    for (const untilPs of [20_000, 50_000]) runner.runUntil(untilPs)
    assert.equal([...ring.log].sort(), [...usual.log].sort())
    if (options.order !== oneStep) assert.not.equal(ring.log, usual.log, 'the option has no effect')
    else assert.ok(runner.steps() >= ring.log.length, 'a step did more than one thing')
  }
})

test('an order chooses among partitions that have something to do before the end, and goes no further than it says', () => {
  const ring = start(4, 3)
  let asked = 0
  const order: StepOrder = {
    choose(ready, count, nextPs) {
      asked++
      assert.ok(count > 0)
      for (let i = 0; i < count; i++) assert.ok((nextPs[ready[i] as number] as number) < 5000)
      return asked % count
    },
    reach(fromPs, horizonPs) {
      assert.ok(fromPs < horizonPs && horizonPs <= 5000)
      return horizonPs
    },
  }
  ring.runner({ order }).runUntil(5000)
  assert.ok(asked > 20)
})

test('an idle partition may be woken by a bounded one and send on: nobody runs ahead of that', () => {
  // A wire (bounded) sends to p1 at 12; p1, idle until then, sends on to p2, which has a timer at 1000 of its own.
  for (const options of [{}, { inRounds: true }, { order: lastOf }]) {
    const log: string[] = []
    let shared: PartitionTimes | null = null
    const due: number[][] = [[10], [], [1000]]
    const sent: number[][] = [[], [], []]
    const partition = (id: number, bounded: boolean, inputs: Partition['inputs'], latencyPs: number): Partition => {
      const times = () => shared as PartitionTimes
      const write = () => {
        const own = due[id]?.[0] ?? Number.POSITIVE_INFINITY
        times().next[id] = own
        times().bound[id] = own + latencyPs
      }
      return {
        id,
        name: `p${id}`,
        inputs,
        bounded,
        attach: (given) => {
          shared = given
        },
        drain: write,
        run() {
          let progress = false
          for (const own = due[id] as number[]; (own[0] as number) < (times().horizon[id] as number); progress = true) {
            const atPs = own.shift() as number
            log.push(`p${id} at ${atPs}`)
            if (id < 2) sent[id]?.push(atPs + latencyPs)
          }
          write()
          return progress
        },
        publish() {
          for (const atPs of sent[id]?.splice(0) ?? []) {
            due[id + 1]?.push(atPs)
            due[id + 1]?.sort((a, b) => a - b)
            reach(times(), id + 1, atPs)
          }
        },
      }
    }
    const chain = [
      partition(0, true, [], 2),
      partition(1, false, [{ from: 0, latencyPs: 2 }], 3),
      partition(2, false, [{ from: 1, latencyPs: 3 }], 0),
    ]
    createRunner(chain, options).runUntil(5000)
    assert.equal(
      log.filter((line) => line.startsWith('p2')),
      ['p2 at 15', 'p2 at 1000'],
    )
  }
})

test('each player catches in order of time', () => {
  const ring = start(5, 9)
  ring.runner().runUntil(30_000)
  for (let player = 0; player < 5; player++) {
    const times = ring.log.filter((line) => line.includes(`player${player} `)).map((line) => Number(line.split(' ')[0]))
    assert.ok(times.length > 100)
    assert.equal(
      times,
      [...times].sort((a, b) => a - b),
    )
  }
})

test('an input without latency is refused with the names of both', () => {
  const ring = new Ring(2, 0, () => 1)
  assert.throws(() => ring.runner(), /player0 has an input without latency: player1/)
})

test('a ring in which nobody can go on says who waits, and does not hang', () => {
  const ring = start(2, 1)
  ring.heldUntilPs.set(0, 500)
  assert.throws(() => ring.runner().runUntil(1000), /no partition can go on before 1000 ps: player0 at 1 ps/)
})

test('idle partitions are not advanced', () => {
  const few = start(2, 1)
  const runner = few.runner()
  runner.runUntil(100_000)
  const steps = runner.steps()
  const many = new Ring(1002, 100, (player) => 7 * player + 3)
  const partitions = many.partitions().map((partition, id) => ({
    ...partition,
    // Players 0 and 1 play; a thousand others only watch.
    inputs: id < 2 ? [{ from: 1 - id, latencyPs: 100 }] : [],
  }))
  many.throwTo(0, 1, 0)
  const original = many.throwTo.bind(many)
  many.target = (to) => (to === 2 ? 0 : to)
  many.throwTo = (to, atPs, count) => original(many.target(to), atPs, count)
  const crowded = createRunner(partitions)
  crowded.runUntil(100_000)
  assert.is(crowded.steps(), steps)
})

test.run()
