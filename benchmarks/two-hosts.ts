/** Two hosts that send to each other over a cable: the whole way out and in, from socket to socket. */

import { type ComparedRun, compareRuns, renderRuns } from './support/compared-runs.js'
import { allocationOfRun } from './support/fresh-process.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import type { AllocationFigures, RunRequest } from './support/request.js'

/** What `two-hosts` measures. */
export interface TwoHostsResult {
  readonly runs: readonly ComparedRun[]
  readonly allocation: AllocationFigures
}

/** Programs of a host that sends on one CPU and reads on the other. */
function programs(to: string): Record<string, unknown> {
  return {
    send: { kind: 'udp_sender', cpus: [0], to: `${to}:9001`, rate: '400kpps', payload: 18 },
    sink: { kind: 'udp_sink', cpus: [1], sockets: { bind: '0.0.0.0:9001' } },
  }
}

function requests(scale: number): (readonly [string, RunRequest])[] {
  const time = { warmUs: Math.ceil(600_000 * scale), sliceUs: Math.ceil(20_000 * scale), slices: 60 }
  const both = {
    'hosts.client.cpus': 2,
    'hosts.client.devices.eth0.channels.combined': 2,
    'hosts.client.apps': programs('10.0.0.2'),
    'hosts.server.cpus': 2,
    'hosts.server.devices.eth0.channels.combined': 2,
    'hosts.server.apps': programs('10.0.0.1'),
  }
  return [
    ['both ways, 5 µs', { ...time, scenario: 'request-response', set: { ...both, 'links.cable.delay': '5us' } }],
    ['both ways, 100 µs', { ...time, scenario: 'request-response', set: { ...both, 'links.cable.delay': '100us' } }],
    ['requests, 4 threads', { ...time, scenario: 'request-response' }],
  ]
}

/** Measures `request-response`, and its hosts sending 400,000 datagrams per second each way. */
export async function twoHosts(options: BenchmarkOptions): Promise<TwoHostsResult> {
  const named = requests(options.scale)
  const runs = await compareRuns(named, options)
  const [, first] = named[0] as (typeof named)[number]
  return { runs, allocation: await allocationOfRun(first) }
}

function render({ runs, allocation }: TwoHostsResult): string {
  const mpps = (index: number): string => {
    const ns = runs[index]?.time.map((figures) => figures.cpuNsPerPacket) ?? []
    return (1000 / Math.min(...ns)).toFixed(2)
  }
  const perPacket = (allocation.allocatedBytes / allocation.packets.offered).toFixed(4)
  return [
    renderRuns(runs, 'million/s at best', mpps),
    `allocation over ${allocation.packets.offered} packets: ${perPacket} bytes per packet`,
  ].join('\n')
}

await runIfStarted(import.meta.url, twoHosts, render)
