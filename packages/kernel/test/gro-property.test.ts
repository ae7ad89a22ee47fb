import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FEATURE } from '../src/nic/components.js'
import { GroWorld, JIFFY_PS } from './support/gro-world.js'

const packet = fc.record({
  flow: fc.integer({ min: 0, max: 11 }),
  tcp: fc.boolean(),
  bytes: fc.constantFrom(0, 100, 1000, 1448),
  tcpFlags: fc.constantFrom(0x10, 0x10, 0x10, 0x18, 0x11, 0x50),
  tos: fc.constantFrom(0, 0, 0, 8),
  gap: fc.constantFrom(0, 0, 0, 5),
  frag: fc.constantFrom(0x4000, 0x4000, 0, 0x2000),
  padding: fc.constantFrom(0, 0, 0, 6),
})
const step = fc.oneof(
  { weight: 12, arbitrary: packet },
  { weight: 1, arbitrary: fc.constantFrom('flush', 'age', 'list', 'tick') },
)
const options = fc.record({
  kernel: fc.constantFrom('4.14', '4.18', '5.1', '6.5', '6.18'),
  features: fc.constantFrom(0, FEATURE.gro, FEATURE.gro, FEATURE.gro | FEATURE.groList),
  udpSocket: fc.constantFrom(0, 1, 2),
  batch: fc.constantFrom(1, 8, 64),
  copybreakBytes: fc.constantFrom(0, 256),
} as const)

test('frames in are frames up plus frames held, flows keep their order, no row is lost', () => {
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 300 }), (option, steps) => {
      const world = new GroWorld({ ...option, rows: 512 } as never)
      const rows = world.freeRows
      const flowOf = new Map<number, number>()
      const seq = new Array<number>(24).fill(1000)
      let serial = 0
      for (const each of steps) {
        if (each === 'flush') world.gro.flush(world.cpu, world.napi, false)
        else if (each === 'age') world.gro.flush(world.cpu, world.napi, true)
        else if (each === 'list') world.gro.normalList(world.cpu, world.napi)
        else if (each === 'tick') world.advance(JIFFY_PS)
        else {
          const flow = each.flow * 2 + (each.tcp ? 1 : 0)
          serial++
          // As in Linux, what GRO refuses before it looks for the flow overtakes a held packet.
          const refused = each.frag === 0x2000 || (!each.tcp && (each.bytes === 0 || each.padding !== 0))
          if (!refused) flowOf.set(serial, flow)
          seq[flow] = (seq[flow] ?? 0) + each.gap
          world.receive({
            ...each,
            proto: each.tcp ? 6 : 17,
            sport: 100 + each.flow,
            hash: each.flow * 7,
            seq: seq[flow] ?? 0,
            id: serial,
          })
          seq[flow] = (seq[flow] ?? 0) + each.bytes
        }
        const up = world.delivered.reduce((sum, one) => sum + one.frames, 0)
        assert.is(up + world.heldFrames(), serial)
      }
      world.complete()
      assert.is(world.heldFrames(), 0)
      assert.is(world.freeRows, rows)
      const last = new Map<number, number>()
      for (const { serial: first, chained } of world.delivered) {
        for (const one of [first, ...chained]) {
          const flow = flowOf.get(one)
          if (flow === undefined) continue
          assert.ok(one > (last.get(flow) ?? 0), `serial ${one} of flow ${flow} after ${last.get(flow)}`)
          last.set(flow, one)
        }
      }
      const results = (['merged', 'mergedFree', 'held', 'normal'] as const).map((name) => world.counted(name))
      assert.is(
        results.reduce((a, b) => a + b, 0),
        serial,
      )
    }),
    { numRuns: 300, seed: 20250101 },
  )
})

test.run()
