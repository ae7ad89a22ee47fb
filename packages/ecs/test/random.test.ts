import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Binder, exponential, naturalLog, power, RandomStream, randomStreams, World } from '../src/index.js'

function streams(count: number, seed: number) {
  const world = new World()
  world.pool(RandomStream, count)
  world.freeze()
  const random = new Binder(world).bind(randomStreams)
  for (let stream = 1; stream <= count; stream++) random.seed(stream, seed, stream, 1)
  return random
}

test('a stream depends on its key and position, not on who draws when', () => {
  const together = streams(2, 5)
  const alone = streams(2, 5)
  const mixed: number[] = []
  for (let i = 0; i < 100; i++) {
    mixed.push(together.word(1))
    together.word(2)
  }
  assert.equal(
    mixed,
    Array.from({ length: 100 }, () => alone.word(1)),
  )
  assert.is.not(streams(1, 6).word(1), streams(1, 5).word(1))
})

test('uniform and exponential have the moments they should', () => {
  const random = streams(3, 42)
  const n = 200_000
  let sum = 0
  let exponentialSum = 0
  for (let i = 0; i < n; i++) {
    const u = random.uniform(1)
    assert.ok(u >= 0 && u < 1)
    sum += u
    exponentialSum += random.exponential(3)
  }
  assert.ok(Math.abs(sum / n - 0.5) < 0.005, `mean ${sum / n}`)
  assert.ok(Math.abs(exponentialSum / n - 1) < 0.01, `mean ${exponentialSum / n}`)
})

test('below is even', () => {
  const random = streams(1, 9)
  const faces = new Float64Array(6)
  const n = 60_000
  for (let i = 0; i < n; i++) {
    const face = random.below(1, 6)
    faces[face] = (faces[face] as number) + 1
  }
  for (const face of faces) assert.ok(Math.abs(face - n / 6) < 400, `${face} of ${n / 6}`)
})

test('the arithmetic functions agree with the engine to the last places', () => {
  for (const x of [1e-12, 0.1, 0.5, 0.999999, 1, 1.5, 2, 10, 12345.678, 1e15]) {
    assert.ok(Math.abs(naturalLog(x) - Math.log(x)) <= 1e-13 * Math.max(1, Math.abs(Math.log(x))), `ln ${x}`)
  }
  for (const x of [-20, -1, 0, 0.3, 1, 5, 50]) {
    assert.ok(Math.abs(exponential(x) / Math.exp(x) - 1) < 1e-13, `exp ${x}`)
  }
  assert.ok(Math.abs(power(1.25, -5) / 1.25 ** -5 - 1) < 1e-13)
})

test.run()
