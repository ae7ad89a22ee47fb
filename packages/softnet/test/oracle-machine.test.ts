import type { Bench } from '@softnet/kernel'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { datagram, MACHINE_ADDRESS, machinePlan, runMachine } from '../src/oracle/machine.js'

const PORT = 5000
const TRUESIZE = 832
const RUN_PS = 1e11

/** Polls of one device after `program` ran on it, as `work/weight`. */
function polls(program: (on: Bench) => void): string[] {
  const plan = machinePlan(
    { devices: { dev0: { driver: 'veth', address: MACHINE_ADDRESS } }, socket: { port: PORT } },
    'test',
  )
  const seen: string[] = []
  runMachine(plan, { poll: (device, work, weight) => seen.push(`${device} ${work}/${weight}`) }, RUN_PS, program)
  return seen
}

function burst(on: Bench, count: number): void {
  for (let i = 1; i <= count; i++)
    on.napiRx(on.packets.make(datagram(PORT, 40), on.device('dev0'), TRUESIZE, i), 'dev0')
}

test('a veth sender leaves a scheduled instance alone: no empty poll follows', () => {
  assert.equal(
    polls((on) => on.step(() => burst(on, 3))),
    ['dev0 3/64'],
  )
})

test('writes to a tun device find its instance scheduled and make it poll once more', () => {
  const seen = polls((on) => {
    on.makeTun('dev0')
    on.step(() => burst(on, 3))
  })
  assert.equal(seen, ['dev0 3/64', 'dev0 0/64'])
})

test('a veth instance can be scheduled again once its poll is complete', () => {
  const seen = polls((on) => {
    on.step(() => burst(on, 1))
    on.step(() => burst(on, 2))
  })
  assert.equal(seen, ['dev0 1/64', 'dev0 2/64'])
})

test('steps run in order, each after the softirqs of the one before, with bottom halves disabled', () => {
  const plan = machinePlan(
    { devices: { dev0: { driver: 'veth', address: MACHINE_ADDRESS } }, socket: { port: PORT } },
    'test',
  )
  const seen: string[] = []
  const bench = runMachine(plan, { softirq: () => seen.push('softirq') }, RUN_PS, (on) => {
    const socket = on.socket(0)
    on.step(() => {
      on.netifRx(on.packets.make(datagram(PORT, 40), on.device('dev0'), TRUESIZE, 1))
      seen.push(`queued ${socket.held()}`)
    })
    on.step(() => {
      seen.push(`held ${socket.held()}`)
      on.step(() => seen.push(`read ${socket.receive()?.bytes}`))
    })
  })
  assert.equal(seen, ['queued 0', 'softirq', 'held 1', 'read 40'])
  assert.equal(bench.softnet(), { processed: 1, dropped: 0, timeSqueeze: 0 })
  assert.is(bench.snmp('UdpInDatagrams'), 1)
  assert.is(bench.snmp('NoSuchCounter'), undefined)
})

test.run()
