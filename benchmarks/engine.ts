/** The engine alone: events per second of plugins that know nothing of networks, and what idle partitions cost. */
import { runInIsolate } from '@softnet/engine'
import type { EventFigures, RingRequest } from './support/engine-thread.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import { spread } from './support/statistics.js'
import { textTable } from './support/text-table.js'

const moduleUrl = new URL('./support/engine-thread.js', import.meta.url).href
const MEASURE_MS = 500

/** A plugin on a number of workers, and what it measured in each round. */
export interface EngineRun {
  readonly name: string
  readonly workers: number
  /** Partitions that never have anything to do. */
  readonly idle: number
  readonly figures: readonly EventFigures[]
}

type Named = Omit<EngineRun, 'figures'> & { readonly request: RingRequest }

function named(name: string, active: number, balls: number, measureMs: number, workers: number, idle = 0): Named {
  return { name, workers, idle, request: { stations: active + idle, active, balls, workers, measureMs } }
}

/** Times each plugin in a fresh isolate, in turn there and back. */
export async function engine({ rounds, scale, most }: BenchmarkOptions): Promise<EngineRun[]> {
  const ms = MEASURE_MS * scale
  const runs = [
    named('ping-pong: 2 stations, 1 ball', 2, 1, ms, 1),
    named('ping-pong: 2 stations, 1 ball', 2, 1, ms, 2),
    named('ring: 64 stations, 64 balls', 64, 64, ms, 1),
    named('ring: 64 stations, 64 balls', 64, 64, ms, 2),
    named('ring: 64 stations, 8192 balls', 64, 8192, ms, 1),
    named('ring: 64 stations, 8192 balls', 64, 8192, ms, 2),
    named('ping-pong: 2 stations, 1 ball and 1,000 idle', 2, 1, ms, 1, 1000),
    named('ring: 64 stations, 64 balls and 1,000 idle', 64, 64, ms, 1, 1000),
    named('ring: 64 stations, 64 balls and 1,000 idle', 64, 64, ms, 2, 1000),
  ].slice(0, most)
  const figures: EventFigures[][] = runs.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const order = runs.map((_, i) => (round % 2 === 0 ? i : runs.length - 1 - i))
    for (const i of order) {
      const { request } = runs[i] as Named
      figures[i]?.push(await runInIsolate<EventFigures>({ moduleUrl, exportName: 'leadRing', payload: request }))
    }
  }
  return runs.map(({ request: _, ...run }, i) => ({ ...run, figures: figures[i] as EventFigures[] }))
}

function render(runs: readonly EngineRun[]): string {
  const rows = runs.map(({ name, workers, figures }) => {
    const perSec = spread(figures.map(({ events, wallMs }) => events / wallMs / 1e3))
    const perEvent = spread(figures.map(({ events, wallMs }) => (wallMs * 1e6) / events))
    const first = figures[0] as EventFigures
    return [
      name,
      `${workers}`,
      perSec.median.toFixed(2),
      perSec.min.toFixed(2),
      perSec.max.toFixed(2),
      perEvent.median.toFixed(0),
      (first.events / first.steps).toFixed(1),
      first.check.toString(16),
    ]
  })
  const title = ['', 'workers', 'million events/s', 'least', 'greatest', 'ns per event', 'events per step', 'state']
  return textTable([title, ...rows])
}

await runIfStarted(import.meta.url, engine, render)
