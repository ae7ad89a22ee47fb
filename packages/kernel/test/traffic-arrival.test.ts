import type { Arrival } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PacketCount } from '../src/count/components.js'
import { Skb } from '../src/skb/components.js'
import { MICROSECOND, MILLISECOND, open, SECOND, wireWorld } from './support/wire-world.js'

/** Times frames left their source, counted from the start of the link's 67.2 ns and delay. */
function departures(arrival: Arrival, stopPs: number, change: Parameters<typeof open>[0] = {}, seed = 1): number[] {
  const w = wireWorld({ traffic: [open({ arrival, stopPs, ...change })], device: { linkBitsPerSec: 800e9 }, seed })
  const k = w.world.columns(Skb)
  const times: number[] = []
  w.drain(10 * SECOND, (row) => times.push(k.arrivalPs[row] - 500_000 - 840))
  assert.is(w.world.columns(PacketCount).offered[w.wire], times.length)
  return times.sort((a, b) => a - b)
}

test('constant: n packets per second are n packets in a second, also when a gap is no whole picosecond', () => {
  assert.is(departures({ kind: 'constant', packetsPerSec: 1e6 }, 10 * MILLISECOND).length, 10_000)
  const times = departures({ kind: 'constant', packetsPerSec: 700_001 }, 100 * MILLISECOND)
  assert.is(times.length, Math.ceil(70_000.1))
  times.forEach((time, i) => {
    assert.is(time, Number((BigInt(i) * 10n ** 12n) / 700_001n))
  })
})

test('constant: starts at start, ends before stop, and after its number of packets', () => {
  const times = departures({ kind: 'constant', packetsPerSec: 1e6 }, MILLISECOND, { startPs: 300 * MICROSECOND })
  assert.is(times.length, 700)
  assert.is(times[0], 300 * MICROSECOND)
  assert.is(departures({ kind: 'constant', packetsPerSec: 1e6 }, MILLISECOND, { packets: 13 }).length, 13)
  assert.is(departures({ kind: 'constant', packetsPerSec: 0 }, MILLISECOND).length, 0)
})

test('poisson: mean and variance of the gaps are those of an exponential', () => {
  const times = departures({ kind: 'poisson', packetsPerSec: 1e6 }, 100 * MILLISECOND)
  const n = times.length
  // 100000 expected, standard deviation 316.
  assert.ok(Math.abs(n - 100_000) < 5 * 316, `${n} packets`)
  let sum = 0
  let squares = 0
  for (let i = 1; i < n; i++) {
    const gap = ((times[i] as number) - (times[i - 1] as number)) / MICROSECOND
    sum += gap
    squares += gap * gap
  }
  assert.ok(Math.abs(sum / n - 1) < 0.02)
  assert.ok(Math.abs(squares / n - 2) < 0.1)
  assert.not.equal(
    times.slice(0, 10),
    departures({ kind: 'poisson', packetsPerSec: 1e6 }, MILLISECOND, {}, 2).slice(0, 10),
  )
})

test('onoff: back to back while on, silent while off, the rate times the share of on time', () => {
  const arrival = { kind: 'onoff', packetsPerSec: 1e6, onPs: 10e6, offPs: 30e6, random: false } as const
  const times = departures(arrival, 40 * MILLISECOND)
  assert.is(times.length, 10_000)
  times.forEach((time, i) => {
    assert.is(time, Math.floor(i / 10) * 40e6 + (i % 10) * 1e6)
  })
})

test('onoff: on periods shorter than a gap still keep the rate', () => {
  const arrival = { kind: 'onoff', packetsPerSec: 1e6, onPs: 3e5, offPs: 7e5, random: false } as const
  const times = departures(arrival, 100 * MILLISECOND)
  assert.ok(Math.abs(times.length - 30_000) <= 1, `${times.length}`)
  for (const time of times) assert.ok(time % 1e6 < 3e5)
})

test('onoff: random periods have their means', () => {
  const arrival = { kind: 'onoff', packetsPerSec: 10e6, onPs: 10e6, offPs: 30e6, random: true } as const
  const times = departures(arrival, 100 * MILLISECOND)
  assert.ok(Math.abs(times.length - 250_000) < 15_000, `${times.length}`)
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number))
  const pauses = gaps.filter((gap) => gap > 200_000)
  assert.ok(Math.abs(pauses.length - 2500) < 250, `${pauses.length} pauses`)
  const mean = pauses.reduce((a, b) => a + b) / pauses.length
  assert.ok(Math.abs(mean - 30e6) < 3e6)
})

test('ramp: the number sent by any time is the integral of the rate', () => {
  for (const [from, to] of [
    [0, 2e6],
    [2e6, 0],
    [5e5, 1.5e6],
    [1e6, 1e6],
  ] as const) {
    const length = 10 * MILLISECOND
    const times = departures({ kind: 'ramp', fromPacketsPerSec: from, toPacketsPerSec: to }, length)
    assert.ok(Math.abs(times.length - 10_000) <= 1, `${from}-${to}: ${times.length}`)
    for (let part = 1; part < 10; part++) {
      const t = (part / 10) * length
      const integral = (from * t + ((to - from) * t * t) / (2 * length)) / 1e12
      const sent = times.filter((time) => time < t).length
      assert.ok(Math.abs(sent - integral) <= 1, `${from}-${to} at ${part}/10: ${sent}, ${integral}`)
    }
  }
  assert.is(departures({ kind: 'ramp', fromPacketsPerSec: 0, toPacketsPerSec: 0 }, MILLISECOND).length, 0)
})

test('burst: frames of a burst leave back to back, bursts every period', () => {
  const times = departures({ kind: 'burst', count: 3, everyPs: 1e9 }, 5 * MILLISECOND)
  assert.equal(
    times,
    [0, 1, 2, 3, 4].flatMap((i) => [i * 1e9, i * 1e9 + 840, i * 1e9 + 1680]),
  )
})

test('two sources share a wire in order of time, the first first when they want the same moment', () => {
  const w = wireWorld({
    traffic: [
      open({ arrival: { kind: 'constant', packetsPerSec: 1e6 }, packets: 3, frame: { kind: 'fixed', bytes: 100 } }),
      open({ arrival: { kind: 'constant', packetsPerSec: 2e6 }, packets: 6, frame: { kind: 'fixed', bytes: 200 } }),
    ],
    device: { indirection: [0] },
  })
  const k = w.world.columns(Skb)
  const sizes: number[] = []
  w.drain(SECOND, (row) => sizes.push(k.wireBytes[row]))
  assert.equal(sizes, [100, 200, 200, 100, 200, 200, 100, 200, 200])
})

test.run()
