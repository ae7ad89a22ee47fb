import { type Component, RandomStream, type Schema } from '@softnet/ecs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_ROWS, DropCount, DropTimeline, PacketCount, TIMELINE_ROWS, Timeline } from '../src/count/components.js'
import { DROP } from '../src/count/drops.js'
import { SKB, Skb } from '../src/skb/components.js'
import { Flow, SourceState } from '../src/traffic/components.js'
import { WireState } from '../src/wire/components.js'
import { MICROSECOND, MILLISECOND, open, SECOND, wireWorld } from './support/wire-world.js'

test('64-byte frames at 10 Gbit/s follow each other every 67.2 ns when the source wants more', () => {
  const w = wireWorld({ traffic: [open({ arrival: { kind: 'constant', packetsPerSec: 20e6 } })] })
  const k = w.world.columns(Skb)
  const arrivals: number[] = []
  w.drain(MILLISECOND, (row) => arrivals.push(k.arrivalPs[row]))
  arrivals.sort((a, b) => a - b)
  assert.is(arrivals.length, Math.ceil(MILLISECOND / 67_200))
  assert.is(arrivals[0], 67_200 + 500_000)
  for (let i = 1; i < arrivals.length; i++) assert.is(arrivals[i] - arrivals[i - 1], 67_200)
  assert.is(w.world.columns(PacketCount).offered[w.wire], arrivals.length)
})

test('a rate that divides nothing evenly is exact over a long time', () => {
  const w = wireWorld({
    device: { linkBitsPerSec: 7e9 },
    traffic: [open({ arrival: { kind: 'constant', packetsPerSec: 20e6 }, packets: 70_000 })],
  })
  w.drain(SECOND)
  const state = w.world.columns(WireState)
  assert.is(state.frames[w.wire], 70_000)
  // 84 bytes × 8 × 70000 bits at 7 Gbit/s are 6.72 ms exactly.
  assert.is(state.linkFreePs[w.wire], 6_720_000_000)
})

test('a frame is a UDP packet with its lengths, times and checksum state', () => {
  const w = wireWorld({ traffic: [open({ packets: 5, frame: { kind: 'fixed', bytes: 1010 } })] })
  const k = w.world.columns(Skb)
  let seen = 0
  w.drain(SECOND, (row, queue) => {
    seen++
    const serial = k.serial[row]
    assert.is(k.wireBytes[row], 1010)
    assert.is(k.len[row], 1010)
    assert.is(k.totLen[row], 996)
    assert.is(k.udpLen[row], 976)
    assert.is(k.payload[row], 968)
    assert.is(k.ipWord[row], 0x45400011)
    assert.is(k.protocol[row], 0x800)
    assert.is(k.users[row], 1)
    assert.is(queue, w.firstQueue + (k.hash[row] & 3))
    assert.is(k.flags[row], SKB.csumUnnecessary | SKB.l4Hash)
    assert.is(k.arrivalPs[row], (serial - 1) * MICROSECOND + 1034 * 800 + 500_000)
    assert.is(k.duePs[row], k.arrivalPs[row] + 900_000)
    // Flow 0 comes round again as the fifth frame.
    assert.is(k.idFrag[row], ((serial === 5 ? 1 : 0) << 16) | 0x4000)
  })
  assert.is(seen, 5)
})

test('results do not depend on where runs are cut or how small lanes are', () => {
  const traffic = [
    open({ arrival: { kind: 'poisson', packetsPerSec: 3e6 }, frame: { kind: 'imix' } }),
    open({ arrival: { kind: 'onoff', packetsPerSec: 9e6, onPs: 3e7, offPs: 5e7, random: true }, protocol: 'tcp' }),
    open({ arrival: { kind: 'burst', count: 40, everyPs: 2e8 } }),
  ]
  const build = (laneSlots: number) =>
    wireWorld({
      traffic,
      laneSlots,
      device: { wireErrorRate: 0.01, pcieBitsPerSec: 4e9, pcieOverheadBytes: 24, packetBufferBytes: 40_000 },
    })
  const record = (w: ReturnType<typeof build>, horizons: readonly number[]) => {
    const k = w.world.columns(Skb)
    const lines: string[][] = [[], [], [], []]
    for (const horizon of horizons) {
      w.drain(horizon, (row, queue) => {
        const line = [k.serial, k.arrivalPs, k.duePs, k.ports, k.idFrag, k.wireBytes].map((c) => c[row])
        if ((k.ipWord[row] & 0xff) === 6) line.push(k.tcpSeq[row])
        ;(lines[queue - w.firstQueue] as string[]).push(line.join())
      })
    }
    return lines
  }
  const end = 3 * MILLISECOND
  const cuts: number[] = []
  for (let t = 1, i = 0; t < end; i++, t += 17 + ((i * i * 7919) % 900_000)) cuts.push(t)
  const whole = build(65_536)
  const pieces = build(4)
  const a = record(whole, [end])
  const b = record(pieces, [...cuts, end])
  assert.ok(a.flat().length > 1000)
  assert.equal(b, a)
  const compare = <S extends Schema>(component: Component<S>) => {
    const x = whole.world.columns(component)
    const y = pieces.world.columns(component)
    for (const name of Object.keys(component.schema)) assert.equal(y[name], x[name], `${component.name}.${name}`)
  }
  compare(WireState)
  compare(SourceState)
  compare(Flow)
  compare(RandomStream)
  compare(PacketCount)
  compare(Timeline)
  compare(DropTimeline)
  compare(DropCount)
  const drops = whole.world.columns(DropCount).frames
  assert.ok((drops[whole.wire * DROP_ROWS + DROP.nicMissed] as number) > 0, 'the packet buffer was full at times')
})

test('a full lane stops the wire at its frame, and the wire goes on from there', () => {
  const w = wireWorld({
    traffic: [open({ arrival: { kind: 'constant', packetsPerSec: 1e6 } })],
    device: { indirection: [0] },
    laneSlots: 8,
  })
  // Half a lane at a time, so that the CPU reads the one half while the wire writes the other.
  for (const offered of [4, 8]) {
    assert.is(w.run(20 * MICROSECOND), true)
    assert.is(w.world.columns(PacketCount).offered[w.wire], offered)
    w.publish()
  }
  // The next frame wants the link at 8 µs, but there is room only when the last frame of the lane has reached its ring.
  const lastDuePs = w.world.columns(WireState).lastDuePs[w.wire]
  assert.ok(lastDuePs > 8 * MICROSECOND)
  assert.is(w.nextPs(), lastDuePs)
  assert.is(w.run(20 * MICROSECOND), false)
  assert.is(w.nextPs(), lastDuePs)
  for (let i = 0; i < 3; i++) w.take(w.firstQueue)
  assert.is(w.run(20 * MICROSECOND), true)
  assert.is(w.world.columns(PacketCount).offered[w.wire], 11)
  assert.is(w.nextPs(), 11 * MICROSECOND)
})

test('a PCIe cap of half the link loses half of what comes once the packet buffer is full', () => {
  const w = wireWorld({
    traffic: [open({ arrival: { kind: 'constant', packetsPerSec: 1e6 }, frame: { kind: 'fixed', bytes: 1000 } })],
    device: { pcieBitsPerSec: 4e9, packetBufferBytes: 10_000, indirection: [0] },
  })
  // 8 Gbit/s offered, 4 Gbit/s taken: a frame takes 2 µs. Of 10000 frames in 10 ms, 5000 cross, 10 wait, 1 is under way.
  const due: number[] = []
  const k = w.world.columns(Skb)
  w.drain(10 * MILLISECOND, (row) => due.push(k.duePs[row]))
  const state = w.world.columns(WireState)
  assert.is(state.frames[w.wire], 10_000)
  assert.is(due.length + (state.missed[w.wire] as number), 10_000)
  assert.ok(Math.abs(due.length - 5010) <= 1, `${due.length} frames crossed`)
  for (let i = 1; i < due.length; i++) assert.is((due[i] as number) - (due[i - 1] as number), 2 * MICROSECOND)
  assert.is(w.world.columns(DropCount).frames[w.wire * DROP_ROWS + DROP.nicMissed], state.missed[w.wire])
  assert.is(w.world.columns(PacketCount).dropped[w.wire], state.missed[w.wire])
})

test('without room in the packet buffer every frame that would wait is lost', () => {
  const w = wireWorld({
    traffic: [
      open({ arrival: { kind: 'burst', count: 10, everyPs: MILLISECOND }, frame: { kind: 'fixed', bytes: 1000 } }),
    ],
    device: { pcieBitsPerSec: 5e9, packetBufferBytes: 0 },
  })
  let seen = 0
  w.drain(MILLISECOND, () => seen++)
  // A frame comes every 819.2 ns and takes 1600 ns: every second one finds PCIe idle.
  assert.is(seen, 5)
})

test('a share of frames is lost on the wire, and still takes its time on the link', () => {
  const w = wireWorld({ traffic: [open({ packets: 100_000 })], device: { wireErrorRate: 0.02 } })
  let seen = 0
  w.drain(SECOND, () => seen++)
  const lost = w.world.columns(DropCount).frames[w.wire * DROP_ROWS + DROP.wireError] as number
  assert.is(seen + lost, 100_000)
  // Binomial: 2000 expected, standard deviation 44.
  assert.ok(Math.abs(lost - 2000) < 5 * 44, `${lost} lost`)
  assert.is(w.world.columns(WireState).linkFreePs[w.wire], 99_999 * MICROSECOND + 67_200)
})

test('the timeline counts offered frames by interval', () => {
  const w = wireWorld({ traffic: [open({ stopPs: MILLISECOND })], durationPs: 128 * 10 * MICROSECOND })
  w.drain(2 * MILLISECOND)
  const { offered } = w.world.columns(Timeline)
  for (let i = 0; i < 100; i++) assert.is(offered[w.wire * TIMELINE_ROWS + i], 10)
  assert.is(offered[w.wire * TIMELINE_ROWS + 100], 0)
})

test('no frame is due before the bound', () => {
  const w = wireWorld({
    traffic: [open({ arrival: { kind: 'poisson', packetsPerSec: 5e6 } })],
    device: { pcieBitsPerSec: 2e9, pcieOverheadBytes: 24 },
  })
  const k = w.world.columns(Skb)
  for (let t = 0; t < MILLISECOND; t += 700_000) {
    const bound = w.boundPs()
    w.drain(t, (row) => assert.ok(k.duePs[row] >= bound))
  }
})

test.run()
