/** The states of a NAPI instance and its timer, transition by transition. Kernel: net/core/dev.c */
import { EventHeap } from '@softnet/ecs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildModel } from '../src/build/build-model.js'
import { CONTEXT, Cpu } from '../src/cpu/components.js'
import { dispatchEvent } from '../src/cpu/dispatch.js'
import { LocalIrq } from '../src/irq/components.js'
import { NAPIF, Napi } from '../src/napi/components.js'
import { napiControl } from '../src/napi/napi.js'
import { napiPoll } from '../src/napi/napi-poll.js'
import { SOFTIRQ, SoftirqState } from '../src/softirq/components.js'
import { Softnet } from '../src/softnet/components.js'
import { TASK_STATE, Task } from '../src/task/components.js'
import { planOf } from './support/run-model.js'

const US = 1_000_000

/** One CPU in hard interrupt context, one queue, and its instance as the opened device leaves it. */
function rig(device: object = {}) {
  const plan = planOf({
    duration: '1ms',
    traffic: { load: { to: 'host/eth0', rate: '1kpps', start: '1ms' } },
    hosts: {
      host: {
        cpus: 1,
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, ...device } },
      },
    },
  })
  const model = buildModel(plan)
  const { binder, world, layout } = model
  const cpu = layout.cpus[0] as number
  const napi = layout.napis[0] as number
  const n = world.columns(Napi)
  const cpus = world.columns(Cpu)
  cpus.context[cpu] = CONTEXT.hardirq
  cpus.limitPs[cpu] = Number.POSITIVE_INFINITY
  const softnet = world.columns(Softnet)
  const { pending } = world.columns(SoftirqState)
  return {
    cpu,
    napi,
    n,
    cpus,
    control: binder.bind(napiControl),
    poll: binder.bind(napiPoll),
    dispatch: binder.bind(dispatchEvent),
    tasks: world.columns(Task),
    has: (bit: number) => (n.state[napi] & bit) !== 0,
    isListed: () => softnet.pollHead[cpu] === napi,
    /** Takes it from the poll list, as net_rx_action does before it polls. */
    unlist: () => {
      softnet.pollHead[cpu] = 0
    },
    netRx: () => (pending[cpu] & (1 << SOFTIRQ.netRx)) !== 0,
    events: () => world.columns(EventHeap).count[cpu],
    hrtimers: () => world.columns(LocalIrq).hrtimers[cpu],
  }
}

test('a device that was opened has its instance enabled and idle', () => {
  const { n, napi } = rig()
  assert.is(n.state[napi], 0)
})

test('the first schedule takes SCHED and raises NET_RX, a second one only notes MISSED', () => {
  const { control, cpu, napi, has, isListed, netRx } = rig()
  assert.is(control.schedulePrep(napi), true)
  control.schedule(cpu, napi)
  assert.ok(has(NAPIF.sched) && !has(NAPIF.missed) && isListed() && netRx())
  assert.is(control.schedulePrep(napi), false)
  assert.ok(has(NAPIF.missed))
})

test('napi_complete_done unmasks, or schedules again if MISSED was noted', () => {
  const { control, cpu, napi, n, isListed, unlist } = rig()
  control.schedulePrep(napi)
  control.schedule(cpu, napi)
  unlist()
  assert.is(control.completeDone(cpu, napi, 3), true)
  assert.is(n.state[napi], 0)

  control.schedulePrep(napi)
  control.schedulePrep(napi)
  assert.is(control.completeDone(cpu, napi, 3), false, 'the interrupt stays masked')
  assert.is(n.state[napi] & (NAPIF.sched | NAPIF.missed), NAPIF.sched)
  assert.ok(isListed())
})

test('an instance that busy polling or netpoll owns is not completed', () => {
  for (const bit of [NAPIF.inBusyPoll, NAPIF.npsvc]) {
    const { control, cpu, napi, n, has } = rig()
    n.state[napi] |= NAPIF.sched | bit
    assert.is(control.completeDone(cpu, napi, 0), false)
    assert.ok(has(NAPIF.sched) && has(bit))
  }
})

test('napi_disable stops new schedules, waits for the poll under way, and napi_enable ends it', () => {
  const { control, poll, cpu, napi, n, has, unlist } = rig()
  control.schedulePrep(napi)
  control.schedule(cpu, napi)
  assert.is(control.disable(napi), false, 'a poll is under way')
  assert.ok(has(NAPIF.disable))
  assert.is(control.schedulePrep(napi), false)
  assert.not.ok(has(NAPIF.missed), 'nothing is noted for an instance that ends')

  // A poll that used its whole weight would go on; a disable that waits makes it complete instead.
  unlist()
  n.work[napi] = 64
  n.budget[napi] = 64
  assert.is(poll.end(cpu, napi), false)
  assert.not.ok(has(NAPIF.sched))

  assert.is(control.disable(napi), true)
  assert.is(n.state[napi] & (NAPIF.sched | NAPIF.npsvc | NAPIF.disable), NAPIF.sched | NAPIF.npsvc)
  assert.is(control.schedulePrep(napi), false)
  control.enable(napi)
  assert.not.ok(has(NAPIF.sched) || has(NAPIF.npsvc))
  n.state[napi] &= ~NAPIF.missed
  assert.is(control.schedulePrep(napi), true)
})

test('a threaded instance wakes its thread and raises no softirq', () => {
  const { control, cpu, napi, n, tasks, has, isListed, netRx } = rig({ threaded: 'on' })
  assert.ok(has(NAPIF.threaded))
  control.schedulePrep(napi)
  control.schedule(cpu, napi)
  assert.ok(has(NAPIF.schedThreaded))
  assert.not.ok(isListed() || netRx())
  assert.is(tasks.state[n.thread[napi]], TASK_STATE.running)
})

test('napi_defer_hard_irqs keeps the interrupt masked for as many empty polls, each watched by the timer', () => {
  const { control, cpu, napi, n, unlist, events } = rig({ napi_defer_hard_irqs: 2, gro_flush_timeout: '20us' })
  const complete = (work: number) => {
    control.schedulePrep(napi)
    control.schedule(cpu, napi)
    unlist()
    return control.completeDone(cpu, napi, work)
  }
  assert.equal([complete(5), complete(0), complete(0)], [false, false, true])
  assert.is(n.timerArmed[napi], 1)
  assert.is(events(), 1)
})

test('a timer that is started again moves: one interrupt, at the last time, from one event', () => {
  const { control, dispatch, cpu, napi, cpus, events, hrtimers, isListed } = rig()
  for (let i = 0; i < 1000; i++) {
    cpus.clockPs[cpu] = i * US
    control.startTimer(cpu, napi, 20 * US)
    assert.is(events(), 1)
  }
  const due = 999 * US + 20 * US
  cpus.clockPs[cpu] = 1010 * US
  dispatch(cpu)
  assert.is(hrtimers(), 0, 'it was put off')
  assert.is(events(), 1)
  cpus.clockPs[cpu] = due
  dispatch(cpu)
  assert.is(hrtimers(), 1)
  assert.is(events(), 0)
  assert.ok(isListed(), 'napi_watchdog schedules the instance')
})

test('a timer that is started again for an earlier time expires then, and once', () => {
  const { control, dispatch, cpu, napi, cpus, events, hrtimers, n } = rig()
  control.startTimer(cpu, napi, 500 * US)
  control.startTimer(cpu, napi, 20 * US)
  cpus.clockPs[cpu] = 20 * US
  dispatch(cpu)
  assert.is(hrtimers(), 1)
  assert.is(n.timerArmed[napi], 0)
  cpus.clockPs[cpu] = 500 * US
  while (events() > 0) dispatch(cpu)
  assert.is(hrtimers(), 1)
})

test('napi_disable cancels the timer', () => {
  const { control, dispatch, cpu, napi, cpus, events, hrtimers } = rig()
  control.startTimer(cpu, napi, 20 * US)
  control.disable(napi)
  cpus.clockPs[cpu] = 20 * US
  while (events() > 0) dispatch(cpu)
  assert.is(hrtimers(), 0)
})

test.run()
