import type { ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario, planOf } from './support/check-scenario.js'

import { withFragments } from './support/random-fragments.js'
import { randomScenario } from './support/random-scenario.js'
import { runModel } from './support/run-model.js'

const random = suite('random scenarios')

const repeat = (seed: number): string => `repeat with SEED=${seed} node tests/dist/random-scenarios.test.js`

function check(seed: number): void {
  const faults = checkScenario(randomScenario(seed), seed)
  assert.is(faults.join('\n'), '', repeat(seed))
}

/** Seeds that once found a fault, and the fault. */
const found: readonly (readonly [number, string])[] = [
  [2, 'a CPU that ran out of work at a horizon never went idle and kept its tick'],
  [5, 'a masked lane stayed full behind an interrupt that waited for the wire'],
  [8, 'a ring was refilled with what the wire had not decided yet'],
  [13, 'a CPU ran ahead of what an idle one, woken by the wire, still sent it'],
  [14, 'time beyond the end was taken from one stage of several'],
  [17, 'a packet dropped at the backlog of an idle CPU was charged to idle time'],
  [21, 'a CPU ran on past the wake-up it had sent to another of its partition'],
  [26, 'queues of shared vectors were taken as consecutive: one queue was never polled'],
  [29, 'the CPU of a NAPI thread had no mailbox to the readers'],
  [58, 'two tasks busy polled one instance at the same time'],
  [59, 'a task with several CPUs had no mailbox from those it moved to'],
  [60, 'a wire waited for room in its lane at the end of the run'],
  [65, 'two CPUs wrote into the flow-limit table of the CPU that steers to them'],
  [100, 'a frame without room held up the timers behind it, and the wire said it could go on'],
  [258, 'in rounds, a CPU ran ahead of what a wire made of a reply it had not taken in yet'],
  [441, 'a frame with a bad version was steered to a CPU without a mailbox, and lost'],
  [1091, 'the step in which a CPU of an SMT pair started its tick ran past it'],
  [1133, 'the step in which a CPU started its tick ran past it, up to the horizon'],
]

/** Six readers on six CPUs that are too slow for what comes, with udp_mem below what their buffers hold. */
function atUdpMem(kernel: '6.18' | '6.5' | '5.1'): ScenarioInput {
  return {
    name: `udp-mem-${kernel}`,
    kernel,
    duration: '4ms',
    hosts: {
      h: {
        cpus: { count: 8, 'llc-per-node': 2 },
        sysctl: { 'net.ipv4.udp_mem': [1200, 1200, 2400], 'net.ipv4.udp_rmem_min': 900_000 },
        devices: { eth0: { driver: 'ixgbe', address: '10.0.0.1/16', channels: { combined: 2 } } },
        apps: {
          slow: {
            cpus: [2, 3, 4, 5, 6, 7],
            work: '20us',
            sockets: { count: 6, bind: '0.0.0.0:9000', 'port-step': 1, SO_RCVBUFFORCE: 4_000_000 },
          },
        },
      },
    },
    traffic: { t: { rate: '3Mpps', stop: '3ms', frame: 600, to: 'h/eth0', flows: { count: 24, 'dport-count': 6 } } },
    limits: { 'packet-rows-per-cpu': 8000 },
  }
}

for (const kernel of ['6.18', '6.5', '5.1'] as const) {
  random(
    `Linux ${kernel}: six CPUs share udp_mem, and see each other's pages alike however the run is advanced`,
    () => {
      const scenario = atUdpMem(kernel)
      const { report, model } = runModel(planOf(scenario, kernel))
      const lost = report.drops.find(({ reason }) => reason === 'PROTO_MEM')?.count ?? 0
      assert.ok(lost > 100, `${lost} datagrams found no memory`)
      assert.is(model.partitions.edges.filter(({ why }) => why.startsWith('pages of UDP sockets')).length, 10)
      for (const seed of [1, 2, 3]) assert.is(checkScenario(scenario, seed).join('\n'), '')
    },
  )
}

const given = Number(process.env.SEED)
if (given > 0) random(`seed ${given}`, () => check(given))
else {
  for (const [seed, fault] of found) random(`seed ${seed}: ${fault}`, () => check(seed))
  for (const seed of [201, 202, 203]) {
    random(`seed ${seed}`, () => check(seed))
  }
}

for (const seed of [401, 402, 403]) {
  random(`fragments, seed ${seed}`, () =>
    assert.is(checkScenario(withFragments(randomScenario(seed), seed), seed).join('\n'), ''),
  )
}

random('the same seed draws the same scenario, another seed another', () => {
  assert.equal(randomScenario(5), randomScenario(5))
  assert.not.equal(randomScenario(5), randomScenario(6))
})

random.run()
