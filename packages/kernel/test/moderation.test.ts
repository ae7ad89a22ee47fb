import { Binder, World } from '@softnet/ecs'
import { type DevicePlan, DRIVER_PROFILES, type DriverProfile, type KernelVersion } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PLAN_CONSTANTS, type PlanConstants } from '../src/build/constants.js'
import type { Layout } from '../src/build/layout.js'
import { Cpu } from '../src/cpu/components.js'
import { compareDimStats, DIM_RX_PROFILES, DIM_STATE, DIM_TUNE } from '../src/irq/dim.js'
import { adaptiveItr, ITR_LATENCY } from '../src/irq/itr.js'
import { ADAPTIVE, fillModeration, moderation, startModeration } from '../src/irq/moderation.js'
import { DimState, IrqVector, NetDev, RxQueue } from '../src/nic/components.js'

const US = 1_000_000
const EQE = 3
const CQE = 4

function driver(name: string): DriverProfile {
  const found = DRIVER_PROFILES.find((profile) => profile.name === name)
  if (found === undefined) throw new Error(`no driver ${name}`)
  return found
}

interface RigOptions {
  readonly adaptive: number
  readonly rule: number
  readonly driver?: string
  readonly linkBitsPerSec?: number
  readonly queues?: number
  readonly kernel?: KernelVersion
}

/** One CPU, one device, one vector with its queues. */
function rig(options: RigOptions) {
  const { adaptive, rule, driver: name = 'mlx5', linkBitsPerSec = 1e10, queues = 1, kernel = '6.18' } = options
  const world = new World()
  const cpu = world.spawn([Cpu], 1)
  const device = world.spawn([NetDev], 1)
  const queue = world.spawn([RxQueue], queues)
  const vector = world.spawn([IrqVector, DimState], 1)
  world.freeze()
  const v = world.columns(IrqVector)
  v.adaptive[vector] = adaptive
  v.moderation[vector] = rule
  v.dev[vector] = device
  v.firstQueue[vector] = queue
  v.queueCount[vector] = queues
  v.usecsPs[vector] = 16 * US
  v.frames[vector] = 32
  const plan = { kernel, hosts: [{ devices: [{ driver: driver(name), linkBitsPerSec }] }] }
  const binder = new Binder(world)
  binder.provide(PLAN_CONSTANTS, {
    plan,
    jiffyPs: new Float64Array(64).fill(4e9),
    firstDevice: device,
  } as unknown as PlanConstants)
  const run = binder.bind(moderation)
  const dim = world.columns(DimState)
  const rx = world.columns(RxQueue)
  const { clockPs } = world.columns(Cpu)

  /** `events` interrupts and `packets` packets within `us`, then a completed poll. */
  function poll(us: number, packets: number, bytes: number, events = 64): void {
    for (let i = 0; i < events; i++) {
      v.count[vector]++
      run.onInterrupt(cpu, vector)
    }
    clockPs[cpu] += us * US
    rx.polledPackets[queue] += packets
    rx.bytes[queue] += bytes
    if (run.onPollComplete(cpu, vector)) run.apply(vector)
  }

  /** One measured stretch of 1 ms at `bytesPerMs`; returns the profile after it. */
  function stretch(bytesPerMs: number): number {
    if (dim.state[vector] === DIM_STATE.startMeasure) poll(10, 0, 0, 0)
    poll(1000, 1000, bytesPerMs)
    return dim.profile[vector]
  }

  return { world, cpu, vector, queue, v, dim, rx, clockPs, run, poll, stretch }
}

function rising(r: ReturnType<typeof rig>, count: number, from = 100_000): number {
  let load = from
  for (let i = 0; i < count; i++) {
    r.stretch(load)
    load = Math.round(load * 1.2)
  }
  return Math.round(load / 1.2)
}

test('profiles as in the kernel', () => {
  assert.equal(
    DIM_RX_PROFILES.eqe.map((p) => [p.usecs, p.frames]),
    [
      [1, 256],
      [8, 256],
      [64, 256],
      [128, 256],
      [256, 256],
    ],
  )
  assert.equal(
    DIM_RX_PROFILES.cqe.map((p) => [p.usecs, p.frames]),
    [
      [2, 256],
      [8, 128],
      [16, 64],
      [32, 64],
      [64, 64],
    ],
  )
})

test('comparison: bytes, then packets, then fewer events; 11 % counts, 10 % does not', () => {
  const table: [number[], number][] = [
    [[0, 0, 5, 0, 0, 5], 0],
    [[1, 0, 5, 0, 0, 5], 1],
    [[110, 10, 5, 100, 10, 5], 0],
    [[111, 10, 5, 100, 10, 5], 1],
    [[90, 10, 5, 100, 10, 5], 0],
    [[89, 10, 5, 100, 10, 5], -1],
    [[100, 111, 5, 100, 100, 5], 1],
    [[100, 89, 5, 100, 100, 5], -1],
    [[100, 7, 5, 100, 0, 5], 1],
    [[100, 0, 5, 100, 0, 5], 0],
    [[100, 100, 88, 100, 100, 100], 1],
    [[100, 100, 112, 100, 100, 100], -1],
    [[100, 100, 110, 100, 100, 100], 0],
    [[100, 100, 110, 100, 100, 0], 0],
    [[111, 1, 999, 100, 100, 1], 1],
  ]
  for (const [args, expected] of table) {
    assert.is(compareDimStats(...(args as [number, number, number, number, number, number])), expected, args.join())
  }
})

test('rising bulk load goes right to the last profile and parks there', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  const seen: number[] = []
  let load = 100_000
  for (let i = 0; i < 6; i++) {
    seen.push(r.stretch(load))
    load = Math.round(load * 1.2)
  }
  assert.equal(seen, [1, 2, 3, 4, 4, 3], 'the sixth is better than the parked one and tries the left')
  const p = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  const last = rising(p, 5)
  assert.is(p.dim.tune[p.vector], DIM_TUNE.parkingOnTop)
  assert.is(p.dim.tired[p.vector], 0)
  assert.is(p.dim.stepsRight[p.vector], 0)
  assert.is(p.v.usecsPs[p.vector], 256 * US)
  assert.is(p.v.frames[p.vector], 256)
  assert.is(p.stretch(last), 4, 'the same load keeps it parked')
  assert.is(p.stretch(Math.round(last * 1.1)), 4, 'drift of 10 % is no difference')
  assert.is(p.stretch(Math.round(last * 1.21)), 3, 'but is measured against the load at parking')
})

test('a step that makes it worse turns round, and one step back parks on top', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: CQE })
  assert.equal([r.stretch(100_000), r.stretch(120_000), r.stretch(150_000)], [1, 2, 3])
  assert.is(r.v.usecsPs[r.vector], 32 * US)
  assert.is(r.stretch(100_000), 2, 'worse: back to the left')
  assert.is(r.dim.tune[r.vector], DIM_TUNE.goingLeft)
  assert.is(r.stretch(150_000), 2, 'better again: this is the top')
  assert.is(r.dim.tune[r.vector], DIM_TUNE.parkingOnTop)
  assert.is(r.v.usecsPs[r.vector], 16 * US)
  assert.is(r.v.frames[r.vector], 64)
})

test('a top is several steps one way and one back, counted since the last turn', () => {
  const parked = () => {
    const r = rig({ adaptive: ADAPTIVE.dim, rule: CQE })
    for (const load of [100_000, 120_000, 150_000, 100_000, 150_000]) r.stretch(load)
    assert.is(r.dim.profile[r.vector], 2)
    assert.is(r.dim.tune[r.vector], DIM_TUNE.parkingOnTop)
    return r
  }
  const walk = (loads: number[]) => {
    const r = parked()
    return [...loads.map((load) => r.stretch(load)), r.dim.tune[r.vector]]
  }
  assert.equal(walk([100_000, 80_000, 60_000, 80_000]), [1, 2, 1, 0, DIM_TUNE.goingLeft], 'one right is not several')
  assert.equal(walk([100_000, 80_000, 100_000]), [1, 2, 3, DIM_TUNE.goingRight], 'one left is not several')
  assert.equal(
    walk([100_000, 80_000, 100_000, 80_000, 100_000]),
    [1, 2, 3, 2, 2, DIM_TUNE.parkingOnTop],
    'since the turn',
  )
  const left = walk([100_000, 80_000, 60_000, 80_000, 60_000, 80_000])
  assert.equal(left, [1, 2, 1, 0, 1, 1, DIM_TUNE.parkingOnTop], 'and on the way left')
  const r = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  rising(r, 5)
  assert.equal(
    [50_000, 60_000, 72_000, 50_000, 60_000].map((load) => r.stretch(load)),
    [3, 2, 1, 2, 2],
    'from the left',
  )
  assert.is(r.dim.tune[r.vector], DIM_TUNE.parkingOnTop)
})

test('after a drop of load it goes left while that helps, down to the first profile', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  rising(r, 5)
  const seen = [50_000, 60_000, 72_000, 87_000, 105_000].map((load) => r.stretch(load))
  assert.equal(seen, [3, 2, 1, 0, 0])
  assert.is(r.dim.tune[r.vector], DIM_TUNE.parkingOnTop, 'at the edge')
  assert.is(r.v.usecsPs[r.vector], 1 * US)
})

test('ten steps without a top tire it: it parks for ten decisions, then goes on', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  let load = rising(r, 5)
  const fall = () => {
    load = Math.round(load * 0.8)
    return r.stretch(load)
  }
  assert.equal(Array.from({ length: 10 }, fall), [3, 4, 3, 4, 3, 4, 3, 4, 3, 4])
  assert.is(r.dim.tired[r.vector], 10)
  assert.is(fall(), 4)
  assert.is(r.dim.tune[r.vector], DIM_TUNE.parkingTired)
  assert.is(r.dim.tired[r.vector], 10)
  for (let tired = 9; tired >= 1; tired--) {
    assert.is(fall(), 4)
    assert.is(r.dim.tired[r.vector], tired)
  }
  assert.is(fall(), 3, 'rested')
  assert.is(r.dim.tune[r.vector], DIM_TUNE.goingLeft)
  assert.is(r.dim.tired[r.vector], 1)
})

test('a decision takes 64 interrupts and time', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  r.poll(0, 0, 0, 0)
  assert.is(r.dim.state[r.vector], DIM_STATE.measureInProgress)
  r.poll(1000, 500, 50_000, 63)
  assert.is(r.dim.profile[r.vector], 0)
  r.poll(1, 1, 100, 1)
  assert.is(r.dim.profile[r.vector], 1)
  assert.is(r.v.usecsPs[r.vector], 8 * US)
  assert.is(r.dim.state[r.vector], DIM_STATE.startMeasure)
  r.poll(0, 0, 0, 0)
  r.poll(0, 100, 10_000, 64)
  assert.is(r.dim.profile[r.vector], 1, 'no time has passed')
})

test('rates are rounded up, events count 64 whatever came', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  r.poll(0, 0, 0, 0)
  r.poll(3000, 641, 1_000_001, 200)
  assert.is(r.dim.previousPpms[r.vector], 214)
  assert.is(r.dim.previousBpms[r.vector], 333_334)
  assert.is(r.dim.previousEpms[r.vector], 22)
})

test('counters wrap: 16 bits of events, 32 of packets and bytes', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: EQE })
  r.dim.events[r.vector] = 65_530
  r.rx.polledPackets[r.queue] = 2 ** 32 - 10
  r.rx.bytes[r.queue] = 3 * 2 ** 32 - 100
  r.poll(0, 0, 0, 0)
  r.poll(1000, 640, 64_000, 64)
  assert.is(r.dim.events[r.vector], 58)
  assert.is(r.dim.previousPpms[r.vector], 640)
  assert.is(r.dim.previousBpms[r.vector], 64_000)
  assert.is(r.dim.profile[r.vector], 1)
})

test('all queues of the vector count, and a device without rx-frames keeps its own', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: 1, driver: 'ena', queues: 2 })
  r.v.frames[r.vector] = 0
  r.poll(0, 0, 0, 0)
  r.rx.polledPackets[r.queue + 1] = 300
  r.rx.bytes[r.queue + 1] = 30_000
  r.poll(1000, 200, 20_000)
  assert.is(r.dim.previousPpms[r.vector], 500)
  assert.is(r.dim.previousBpms[r.vector], 50_000)
  assert.is(r.v.usecsPs[r.vector], 8 * US)
  assert.is(r.v.frames[r.vector], 0)
})

test('without an adaptive rule nothing changes', () => {
  const r = rig({ adaptive: ADAPTIVE.none, rule: EQE })
  r.poll(0, 0, 0, 0)
  r.poll(1000, 1000, 1_000_000)
  assert.is(r.v.usecsPs[r.vector], 16 * US)
  assert.is(r.dim.events[r.vector], 0)
})

test('ITR: what a ring asks for, by packets and mean size', () => {
  const bulk = (meanBytes: number) => [256, 256 * meanBytes, 50, 0, false, false] as const
  const table: [Parameters<typeof adaptiveItr>, number, string][] = [
    [[1000, 1_000_000, 50, 0, true, false], 10 | ITR_LATENCY, 'stale'],
    [[0, 0, 50, ITR_LATENCY | 10, false, false], 52 + ITR_LATENCY, 'idle keeps the flag'],
    [[0, 0, 50, 20, false, false], 52, 'idle without the flag'],
    [[0, 0, 126, 0, false, false], 126, 'never above 126'],
    [[1, 60, 50, 0, false, false], 10 + ITR_LATENCY, 'latency, small'],
    [[2, 2000, 50, 0, false, false], 52 + ITR_LATENCY, 'latency, 1000 bytes'],
    [[3, 8999, 50, 0, false, false], 64 + ITR_LATENCY, 'latency, large'],
    [[3, 9000, 50, 0, false, false], 52, 'enough bytes for bulk'],
    [[4, 240, 50, 0, false, false], 52, 'from 4 packets on'],
    [[47, 60, 125, 0, false, false], 126, 'up to 47'],
    [[48, 60, 50, 0, false, false], 50, 'just right from 48'],
    [[95, 60, 50, 0, false, false], 50, 'to 95'],
    [[96, 60, 50, 0, false, false], 25, 'half from 96'],
    [[255, 60, 12, 0, false, false], 10, 'to 255, at least 10'],
    [bulk(60) as never, 20, '60'],
    [bulk(61) as never, 22, '61'],
    [bulk(316) as never, 60, '316'],
    [bulk(317) as never, 64, '317'],
    [bulk(1084) as never, 110, '1084'],
    [bulk(1085) as never, 110, '1085'],
    [bulk(1514) as never, 118, '1514'],
    [bulk(1967) as never, 126, '1967'],
    [bulk(9000) as never, 126, '9000'],
    [[256, 256 * 60, 50, 0, false, true], 80, '60 on 1G'],
    [[256, 256 * 1514, 50, 0, false, true], 126, '1514 on 1G'],
    [[1, 60, 50, 0, false, true], 40 + ITR_LATENCY, 'latency on 1G'],
  ]
  for (const [args, expected, name] of table) assert.is(adaptiveItr(...args), expected, name)
})

test('ITR of a vector: smaller of the rings, 2 µs steps in the register, stale after a jiffy', () => {
  const r = rig({ adaptive: ADAPTIVE.ixgbeItr, rule: 2, driver: 'ixgbe' })
  const usecs = () => r.v.usecsPs[r.vector] / US
  r.poll(0, 100, 6000)
  assert.is(usecs(), 10, 'the first update has no measure')
  r.poll(100, 300, 300 * 1514)
  assert.is(usecs(), 118, 'bulk wins over the idle transmit ring')
  r.poll(100, 1, 60)
  assert.is(usecs(), 10, 'latency')
  r.poll(100, 10, 600)
  assert.is(usecs(), 12)
  r.poll(100, 2, 2000)
  assert.is(usecs(), 14, 'the idle transmit ring asks for 14, the receive ring for 52')
  r.poll(100, 300, 300 * 1514)
  r.poll(100, 100, 100 * 1514)
  assert.is(r.dim.itrUsecs[r.vector], 59)
  assert.is(usecs(), 58, 'the register has steps of 2 µs')
  r.poll(4000, 300, 300 * 1514)
  assert.is(usecs(), 118, 'in the next jiffy it still measures')
  r.poll(8000, 300, 300 * 1514)
  assert.is(usecs(), 10, 'two jiffies later it starts over')
})

test('ITR knows slow links', () => {
  const r = rig({ adaptive: ADAPTIVE.ixgbeItr, rule: 2, driver: 'ixgbe', linkBitsPerSec: 1e9 })
  r.poll(0, 1, 60)
  r.poll(10, 256, 256 * 60)
  assert.is(r.v.usecsPs[r.vector], 80 * US)
})

test('DIM of 4.18 never takes a new start sample: two profiles in turn, then ten polls of rest, whatever the load', () => {
  const r = rig({ adaptive: ADAPTIVE.dim, rule: CQE, kernel: '4.18' })
  const walk = (polls: number) => {
    const profiles: number[] = []
    for (let i = 0; i < polls; i++) {
      // One event per poll, and a load that rises by half each time: with samples it would go right all the way.
      r.poll(30, 2 + i, Math.round(1000 * 1.5 ** Math.min(i, 30)), 1)
      profiles.push(r.dim.profile[r.vector])
    }
    return profiles
  }
  const turns = [0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0]
  assert.equal(walk(20), turns, 'each step needs two polls: one starts to measure, the next decides')
  assert.equal(walk(11), Array(11).fill(0), 'tired after ten steps: one poll to start, ten to rest')
  assert.equal(walk(1), [1])
  assert.is(r.v.usecsPs[r.vector], 8 * US)

  const later = rig({ adaptive: ADAPTIVE.dim, rule: CQE, kernel: '5.1' })
  for (let i = 0; i < 40; i++) later.poll(30, 2, 1000, 1)
  assert.is(later.dim.profile[later.vector], 0, 'later versions wait for 64 events')
})

test('start values: the adaptive rule’s own, unless the user gave one', () => {
  const device = (name: string, change: Partial<DevicePlan> = {}) => {
    const d = driver(name)
    return {
      driver: d,
      rxUsecs: d.rxUsecsDefault,
      rxFrames: d.rxFramesDefault,
      adaptiveRx: d.adaptiveDefault,
      ...change,
    } as DevicePlan
  }
  assert.equal(startModeration(device('mlx5')), { usecs: 8, frames: 128 })
  const eqe = { ...driver('mlx5'), moderation: 'eqe', rxUsecsDefault: 16 } as const
  assert.equal(startModeration(device('mlx5', { driver: eqe, rxUsecs: 16 })), { usecs: 8, frames: 256 })
  assert.equal(startModeration(device('mlx5', { adaptiveRx: false })), { usecs: 3, frames: 32 })
  assert.equal(startModeration(device('mlx5', { rxUsecs: 30 })), { usecs: 30, frames: 32 })
  assert.equal(startModeration(device('ixgbe')), { usecs: 50, frames: 0 })
  assert.equal(startModeration(device('ena', { adaptiveRx: true })), { usecs: 20, frames: 0 })

  const r = rig({ adaptive: ADAPTIVE.ixgbeItr, rule: 2, driver: 'ixgbe' })
  const layout = {
    hosts: [{ devices: [{ plan: device('ixgbe'), vectors: [r.vector] }] }],
  } as unknown as Layout
  fillModeration(r.world, layout)
  assert.is(r.v.usecsPs[r.vector], 50 * US)
  assert.is(r.dim.itrUsecs[r.vector], 50)
})

test.run()
