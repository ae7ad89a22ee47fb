/** Runs that have lost nothing yet, and whose queues grow. */
import type { ResultDocument } from '@softnet/scenario'
import { app, cpu, hostPlan, hostResult, openTraffic, plan, queue, result, socket, task } from './fixtures.js'
import type { Case } from './verdict-cases.js'

const calm = openTraffic({ arrival: { kind: 'constant', packetsPerSec: 1e6 } })
const none = { wire: 0, nic: 0, ring: 0, softirq: 0, backlog: 0, socket: 0 }
const busy = [cpu(0, { softirq: 99.5 }), cpu(1), cpu(2, { task: 15 }), cpu(3)]

/** Ten intervals of which each reads a share of what it gets. */
function timeline(read: number): ResultDocument['timeline'] {
  return Array.from({ length: 10 }, (_, i) => ({
    t_ns: i * 1e7,
    offered: 10_000,
    delivered: 10_000 * read,
    dropped: 0,
  }))
}

function growing(waiting: Partial<ResultDocument['waiting']>, host: Parameters<typeof hostResult>[0]): ResultDocument {
  return result(hostResult({ cpus: busy, ...host }), [], {
    inFlight: 40_000,
    waiting: { ...none, ...waiting },
    timeline: timeline(0.6),
  })
}

/** The same queues, which have not grown since the middle of the run. */
export const steadyQueues: ResultDocument = {
  ...growing({ nic: 40_000 }, { queues: [queue(0, 0, { ring_max: 511 })] }),
  timeline: timeline(1),
}

export const steadyPlan = plan(hostPlan(4), [calm])

export const GROWING_CASES: readonly Case[] = [
  {
    rule: 'queues_growing',
    document: growing({ nic: 39_500, ring: 500 }, { queues: [queue(0, 0, { ring_max: 511 })] }),
    plan: plan(hostPlan(4), [calm]),
    says: /60,000 delivered, 40,000 still on their way\. More comes than is taken: at the end 40,000 frames \(40\.0 %\) are in queues, most of them in the card \(39,500\).*cpu0 spends 99\.5 % of its time in softirq/,
    sets: ['eth0.channels.combined=4', 'eth0.queues.rps_cpus=e'],
  },
  {
    rule: 'queues_growing',
    document: growing(
      { socket: 40_000 },
      {
        cpus: [cpu(0), cpu(1, { task: 99.9 }), cpu(2), cpu(3)],
        tasks: [task('sink', 1, 99e6)],
        sockets: [socket({ rmem_max_used: 100_000 })],
      },
    ),
    plan: plan(hostPlan(4, { apps: [app([1])] }), [calm]),
    says: /most of them in sockets \(40,000\).*longer run/,
    sets: ['apps.sink.cpus=[1,2]', 'apps.sink.wait=recvmmsg'],
  },
]
