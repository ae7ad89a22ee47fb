import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ALONE_MS, type CrewControl, CrewPolicy, HAND_OVER_MS, LAMBDA_THRESHOLD, REST_MS } from '../src/crew.js'

/** A run whose rounds and speed are what a test says. */
function rig(given: {
  lambda: number
  perRound: number
  speedup: number
  /** Speed of threads in their first 300 ms. */
  early?: number
  cores?: number
  partitions?: number
  /** What is left of the run, ps; without it, enough. */
  restPs?: number
}) {
  const counted = { rounds: 0, partitions: 0 }
  const calls: string[] = []
  let workers = 1
  let joinedMs = 0
  const control: CrewControl = {
    cores: given.cores ?? 4,
    partitions: given.partitions ?? 8,
    rounds: () => ({ ...counted }),
    workers: () => workers,
    recruit(count) {
      calls.push(`recruit ${count}`)
      workers = 1 + count
    },
    release() {
      calls.push('release')
      workers = 1
    },
  }
  const policy = new CrewPolicy('auto', control, null)
  const slice = (ms: number) => {
    if (workers > 1) joinedMs += ms
    const speed = workers === 1 ? 1 : joinedMs <= 300 ? (given.early ?? given.speedup) : given.speedup
    if (policy.inRounds) {
      counted.rounds += Math.round(ms / (given.lambda * HAND_OVER_MS))
      counted.partitions += Math.round((ms / (given.lambda * HAND_OVER_MS)) * given.perRound)
    }
    policy.afterSlice(ms * speed * 1e6, ms, given.restPs ?? 1e6 * 2 * REST_MS)
  }
  const run = (ms: number) => {
    for (let spent = 0; spent < ms; spent += 50) slice(50)
  }
  return { policy, calls, run, workers: () => workers }
}

test('a short run stays alone', () => {
  const r = rig({ lambda: 1000, perRound: 4, speedup: 2 })
  r.run(ALONE_MS)
  assert.equal(r.calls, [])
  assert.match(r.policy.account().reason, /over before threads could help/)
})

test('a run with work in its rounds gets threads, as many as its rounds have partitions, and keeps them', () => {
  const r = rig({ lambda: 100, perRound: 2.6, speedup: 1.8 })
  r.run(2000)
  assert.equal(r.calls, ['recruit 2'])
  const { lambda, partitions_per_round: perRound, reason } = r.policy.account()
  assert.equal([lambda, perRound], [100, 2.6])
  assert.match(reason, /3 workers were 1\.80 times as fast as alone/)
})

test('rounds without work, or of one partition, are not shared', () => {
  const short = rig({ lambda: LAMBDA_THRESHOLD / 2, perRound: 8, speedup: 2 })
  short.run(2000)
  assert.equal(short.calls, [])
  assert.match(short.policy.account().reason, /lookahead between partitions is short/)
  const single = rig({ lambda: 100, perRound: 1.2, speedup: 2 })
  single.run(2000)
  assert.equal(single.calls, [])
  assert.match(single.policy.account().reason, /one partition at a time/)
})

test('threads have time to get up to speed', () => {
  const r = rig({ lambda: 100, perRound: 2, speedup: 1.5, early: 0.2 })
  r.run(3000)
  assert.equal(r.calls, ['recruit 1'])
  assert.match(r.policy.account().reason, /2 workers were 1\.50 times as fast/)
})

test('no threads are tried for the short rest of a run', () => {
  const r = rig({ lambda: 100, perRound: 2, speedup: 1.5, restPs: 1e6 * (REST_MS - 1) })
  r.run(3000)
  assert.equal(r.calls, [])
  assert.match(r.policy.account().reason, /too short for threads/)
})

test('threads that do not help are sent away', () => {
  const r = rig({ lambda: 100, perRound: 4, speedup: 0.9, cores: 2 })
  r.run(2000)
  assert.equal(r.calls, ['recruit 1', 'release'])
  assert.match(r.policy.account().reason, /2 workers were tried and were at best 0\.90 times as fast/)
})

test('one partition, one core, one capture or a given number decide at once', () => {
  const reasonOf = (asked: number | 'auto', change: Partial<CrewControl>, onlyOne: string | null = null) => {
    const control: CrewControl = {
      cores: 4,
      partitions: 8,
      rounds: () => ({ rounds: 0, partitions: 0 }),
      workers: () => 1,
      recruit() {},
      release() {},
      ...change,
    }
    return new CrewPolicy(asked, control, onlyOne).account().reason
  }
  assert.match(reasonOf('auto', { partitions: 1 }), /one partition/)
  assert.match(reasonOf('auto', { cores: 1 }), /one core/)
  assert.is(reasonOf('auto', {}, 'a capture'), 'a capture')
  assert.is(reasonOf(3, {}, 'a capture'), 'a capture')
  assert.is(reasonOf(3, {}), '3 workers were asked for')
  assert.is(reasonOf(1, {}), 'asked for')
})

test.run()
