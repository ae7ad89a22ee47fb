/** A router on one CPU: packets passed on per second, with few and with a million routes and connections. */

import { type ComparedRun, compareRuns, extraNs, renderRuns } from './support/compared-runs.js'
import { allocationOfRun } from './support/fresh-process.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import type { AllocationFigures, RunRequest } from './support/request.js'

const MILLION = 1_000_000

/** What `forward` measures. */
export interface ForwardResult {
  readonly runs: readonly ComparedRun[]
  readonly allocation: AllocationFigures
}

function requests(scale: number): (readonly [string, RunRequest])[] {
  const many = Math.ceil(MILLION * Math.min(1, scale))
  const time = { warmUs: Math.ceil(800_000 * scale), sliceUs: Math.ceil(20_000 * scale), slices: 60 }
  const router = { ...time, scenario: 'router-overload' }
  const gateway = { ...time, scenario: 'nat-gateway' }
  const flood = (rate: string) => ({ 'traffic.flood.rate': rate })
  const far = {
    'hosts.router.routes': ['default dev eth1'],
    'traffic.flood.flows.count': 65_536,
    'traffic.flood.flows.dst': '203.0.0.0',
    'traffic.flood.flows.dst-count': 65_536,
  }
  const inside = (count: number, rate: string) => ({
    'traffic.inside.flows.count': count,
    'traffic.inside.flows.dst': '203.0.113.0',
    'traffic.inside.flows.dst-count': 250,
    'traffic.inside.rate': rate,
    // Nobody answers.
    'traffic.answers.start': '3600s',
    'net.netfilter.nf_conntrack_max': 1_048_576,
    'net.netfilter.nf_conntrack_buckets': 1_048_576,
  })
  return [
    ['16 flows', { ...router, set: flood('1.5Mpps') }],
    ['65,536 addresses', { ...router, set: { ...flood('1.5Mpps'), ...far } }],
    [`${many} routes`, { ...router, set: { ...flood('1.5Mpps'), ...far }, routes: many }],
    ['16 connections', { ...gateway, set: inside(16, '700kpps') }],
    [`${many} connections`, { ...gateway, warmUs: Math.ceil(2_000_000 * scale), set: inside(many, '700kpps') }],
    [
      `${many} routes, ${many} connections`,
      { ...gateway, warmUs: Math.ceil(2_000_000 * scale), set: inside(many, '700kpps'), routes: many },
    ],
  ]
}

/** Measures `router-overload` at a rate it can pass on, and `nat-gateway` without answers. */
export async function forward(options: BenchmarkOptions): Promise<ForwardResult> {
  const named = requests(options.scale)
  const runs = await compareRuns(named, options)
  const [, first] = named[0] as (typeof named)[number]
  return { runs, allocation: await allocationOfRun(first) }
}

function render({ runs, allocation }: ForwardResult): string {
  const perPacket = (allocation.allocatedBytes / allocation.packets.offered).toFixed(4)
  const mpps = (index: number): string => {
    const ns = runs[index]?.time.map((figures) => figures.cpuNsPerPacket) ?? []
    return (1000 / Math.min(...ns)).toFixed(2)
  }
  return [
    renderRuns(runs, 'million/s at best', mpps),
    `16 flows against others: ${runs.map((run, i) => `${run.name} ${extraNs(runs, i).toFixed(0)} ns`).join(', ')}`,
    `allocation over ${allocation.packets.offered} packets of 16 flows: ${perPacket} bytes per packet`,
  ].join('\n')
}

await runIfStarted(import.meta.url, forward, render)
