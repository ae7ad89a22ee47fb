import { type Component, RandomStream } from '@softnet/ecs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { EVENT } from '../src/cpu/event-kinds.js'
import { Skb } from '../src/skb/components.js'
import { RequestSlot, SourceState } from '../src/traffic/components.js'
import { WireState } from '../src/wire/components.js'
import { closed, flows, MICROSECOND, MILLISECOND, open, wireWorld } from './support/wire-world.js'

const FRAME_PS = 67_200
const ONE_WAY_PS = FRAME_PS + 500_000

interface Sent {
  readonly request: number
  readonly client: number
  readonly arrivalPs: number
}

/** Answers each request `servicePs` after its arrival; null: never. Steps of at most the shortest reply time. */
function serve(
  change: Parameters<typeof closed>[0],
  endPs: number,
  servicePs: (sent: Sent, index: number) => number | null,
  stepPs = 100_000,
  others: Parameters<typeof wireWorld>[0]['traffic'] = [],
) {
  const w = wireWorld({ traffic: [closed(change), ...others], device: { indirection: [0] } })
  const k = w.world.columns(Skb)
  const sent: Sent[] = []
  for (let t = stepPs; t <= endPs; t += stepPs) {
    w.drain(t, (row) => {
      if (k.request[row] === 0) return
      const entry = { request: k.request[row], client: (k.ports[row] >>> 16) - 10000, arrivalPs: k.arrivalPs[row] }
      const time = servicePs(entry, sent.length)
      sent.push(entry)
      if (time !== null) w.events.push(w.wire, 1, entry.arrivalPs + time, EVENT.reply, entry.client, 0, entry.request)
    })
  }
  return { w, sent, state: w.world.columns(SourceState) }
}

test('a client sends its next request when the reply and its think time are over', () => {
  const { sent, state } = serve({ clients: 1, thinkPs: 20 * MICROSECOND }, MILLISECOND, () => 10 * MICROSECOND)
  const period = ONE_WAY_PS + 30 * MICROSECOND
  assert.is(sent.length, Math.ceil((MILLISECOND - FRAME_PS) / period))
  sent.forEach((entry, i) => {
    assert.is(entry.arrivalPs, ONE_WAY_PS + i * period)
  })
  assert.is(state.replies[1], sent.length)
  assert.is(state.timeouts[1], 0)
})

test('requests are exact integers above 0 and never used twice', () => {
  const { sent } = serve({ clients: 3, depth: 2 }, MILLISECOND, () => 5 * MICROSECOND)
  const ids = new Set(sent.map((entry) => entry.request))
  assert.ok(sent.length > 500)
  assert.is(ids.size, sent.length)
  for (const id of ids) assert.ok(Number.isSafeInteger(id) && id > 0)
})

test('never more than clients × depth requests are outstanding, and without replies none beyond that is sent', () => {
  const { sent } = serve(
    { clients: 5, depth: 3, timeoutPs: 100 * MILLISECOND, flows: flows(5) },
    MILLISECOND,
    () => null,
  )
  assert.is(sent.length, 15)
  const perClient = [0, 0, 0, 0, 0]
  for (const entry of sent) perClient[entry.client] = (perClient[entry.client] as number) + 1
  assert.equal(perClient, [3, 3, 3, 3, 3])
})

test('a request without reply is sent again with the same id, and a late reply counts once', () => {
  const timeoutPs = 50 * MICROSECOND
  const { sent, state } = serve({ clients: 1, timeoutPs }, 200 * MICROSECOND, (_entry, i) =>
    i < 2 ? 60 * MICROSECOND : null,
  )
  // Sent at 0, again at 50 µs; the reply to the first comes at 60.6 µs, that to the second (late) at 110.6 µs.
  assert.is(sent[0]?.request, sent[1]?.request)
  assert.is((sent[1]?.arrivalPs ?? 0) - (sent[0]?.arrivalPs ?? 0), timeoutPs)
  assert.is.not(sent[2]?.request, sent[1]?.request)
  assert.is(sent[2]?.arrivalPs, 60 * MICROSECOND + 2 * ONE_WAY_PS)
  assert.is(state.replies[1], 1)
  assert.is(state.lateReplies[1], 1)
  assert.is(state.timeouts[1], 3)
})

test('a reply that comes while the request waits for the link to be sent again ends it', () => {
  // Bursts of 1000 frames keep the link busy for 67 µs when the timeout runs out.
  const burst = open({ arrival: { kind: 'burst', count: 1000, everyPs: MILLISECOND }, startPs: 10 * MICROSECOND })
  const { sent, state } = serve(
    { clients: 1, timeoutPs: 20 * MICROSECOND, thinkPs: 5 * MICROSECOND },
    150 * MICROSECOND,
    (_entry, i) => (i === 0 ? 30 * MICROSECOND : null),
    100_000,
    [burst],
  )
  assert.is(state.replies[1], 1)
  assert.is.not(sent[1]?.request, sent[0]?.request)
  // The next request thinks until 35.6 µs and waits for the end of the burst, behind no stale one.
  assert.is(sent[1]?.arrivalPs, 10 * MICROSECOND + 1000 * FRAME_PS + ONE_WAY_PS)
})

test('exponential think times have their mean', () => {
  const { sent } = serve(
    { clients: 50, thinkPs: 100 * MICROSECOND, thinkRandom: true, flows: flows(50) },
    20 * MILLISECOND,
    () => 9 * MICROSECOND,
    500_000,
  )
  const expected = (50 * 20 * MILLISECOND) / (109 * MICROSECOND + ONE_WAY_PS)
  assert.ok(Math.abs(sent.length - expected) < 5 * Math.sqrt(expected), `${sent.length}, ${expected}`)
})

test('where runs are cut does not change a closed loop', () => {
  const once = (stepPs: number) => {
    const { w, sent } = serve(
      {
        clients: 7,
        depth: 2,
        thinkPs: 30 * MICROSECOND,
        thinkRandom: true,
        timeoutPs: 40 * MICROSECOND,
        flows: flows(7),
      },
      2 * MILLISECOND,
      (entry) => ((entry.request * 7919) % 5 === 0 ? null : 20 * MICROSECOND + ((entry.request * 31) % 1000)),
      stepPs,
      [open({ arrival: { kind: 'poisson', packetsPerSec: 2e6 } })],
    )
    const lines = sent.map((entry) => `${entry.request} ${entry.client} ${entry.arrivalPs}`)
    for (const component of [SourceState, WireState, RequestSlot, RandomStream] as unknown as Component[]) {
      const columns = w.world.columns(component)
      for (const name of Object.keys(component.schema)) lines.push(`${name} ${columns[name]?.join()}`)
    }
    return { count: sent.length, lines }
  }
  const a = once(10_000_000)
  assert.ok(a.count > 200)
  for (const step of [1_000_000, 400_000]) {
    const b = once(step)
    for (let i = 0; i < a.lines.length; i++) assert.is(b.lines[i], a.lines[i], `step ${step}, line ${i}`)
  }
})

test('clients begin spread over one think time', () => {
  const { sent } = serve({ clients: 10, thinkPs: 100 * MICROSECOND, flows: flows(10) }, 100 * MICROSECOND, () => null)
  assert.equal(
    sent.map((entry) => [entry.client, entry.arrivalPs - ONE_WAY_PS]),
    Array.from({ length: 10 }, (_, i) => [i, i * 10 * MICROSECOND]),
  )
})

test.run()
