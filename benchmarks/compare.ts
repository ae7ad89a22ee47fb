/**
 * softnet beside ns-3 and SimPy on this machine, in the same minutes: packets per wall second and stack traversed, and
 * events per second of the engine. What is not installed is left out, and the table says so.
 */
import { runInIsolate } from '@softnet/engine'
import { buildNs3, findNs3, type Ns3 } from './support/compare-ns3.js'
import { findSimpy, type Simpy, type SimpyFigures } from './support/compare-simpy.js'
import type { EventFigures } from './support/engine-thread.js'
import { timeRun } from './support/fresh-process.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import { spread } from './support/statistics.js'
import { textTable } from './support/text-table.js'

const moduleUrl = new URL('./support/engine-thread.js', import.meta.url).href

/** A program that is there, or what to install. */
export type Found<Program> = Program | { readonly missing: string }

/** What softnet is compared with. */
export interface Others {
  readonly ns3: Found<Ns3>
  readonly simpy: Found<Simpy>
}

/** One line of the table: rates of softnet and of the other in each round, in the unit of `what`. */
export interface Comparison {
  readonly what: string
  readonly other: string
  readonly softnet: readonly number[]
  readonly others: readonly number[]
}

/** What was compared and what was left out. */
export interface CompareResult {
  readonly comparisons: readonly Comparison[]
  readonly skipped: readonly string[]
}

/** An ns-3 packet goes down one stack and up another. */
const NS3_STACKS = 2

/** Packets of `rss-4-queues` that were delivered per wall second: each goes up one stack. */
async function receivedPerSec(scale: number): Promise<number> {
  const request = {
    scenario: 'rss-4-queues',
    warmUs: Math.ceil(200_000 * scale),
    sliceUs: Math.ceil(10_000 * scale),
    slices: 50,
  }
  const { packets, wallMs } = await timeRun(request)
  return (packets.delivered * 1000) / wallMs
}

async function eventsPerSec(exportName: 'leadRing' | 'runQueue', measureMs: number): Promise<number> {
  const payload = { stations: 2, active: 2, balls: 1, workers: 1, measureMs }
  const { events, wallMs } = await runInIsolate<EventFigures>({ moduleUrl, exportName, payload })
  return (events * 1000) / wallMs
}

/** Does two things one after the other, in turn which is first. */
async function inTurn(round: number, first: () => Promise<void>, second: () => Promise<void>): Promise<void> {
  await (round % 2 === 0 ? first : second)()
  await (round % 2 === 0 ? second : first)()
}

async function compareNs3(ns3: Ns3, { rounds, scale }: BenchmarkOptions): Promise<Comparison> {
  const program = await buildNs3(ns3)
  const softnet: number[] = []
  const others: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      await inTurn(
        round,
        async () => {
          softnet.push(await receivedPerSec(scale))
        },
        async () => {
          const { packets, wall_s } = await program.run(0.3 * scale)
          others.push((NS3_STACKS * packets) / wall_s)
        },
      )
    }
  } finally {
    await program.remove()
  }
  return { what: 'packets × stacks per wall second', other: `ns-3 ${ns3.version}`, softnet, others }
}

async function compareSimpy(simpy: Simpy, { rounds, scale }: BenchmarkOptions): Promise<Comparison[]> {
  const seconds = 0.5 * scale
  const rates = { pingPong: [] as number[], queue: [] as number[] }
  const theirs: SimpyFigures[] = []
  for (let round = 0; round < rounds; round++) {
    await inTurn(
      round,
      async () => {
        rates.pingPong.push(await eventsPerSec('leadRing', seconds * 1000))
        rates.queue.push(await eventsPerSec('runQueue', seconds * 1000))
      },
      async () => {
        theirs.push(await simpy.run(seconds))
      },
    )
  }
  const other = `SimPy ${simpy.version}`
  const lineOf = (what: string, model: string, softnet: number[], of: 'events' | 'own_events'): Comparison => {
    const others = theirs.map((models) => {
      const found = models.find((one) => one.model === model)
      return found === undefined ? Number.NaN : found[of] / found.wall_s
    })
    return { what, other, softnet, others }
  }
  return [
    lineOf('ping-pong, throws per wall second', 'ping-pong', rates.pingPong, 'events'),
    lineOf('the same, against every event SimPy counts', 'ping-pong', rates.pingPong, 'own_events'),
    lineOf('M/M/1, arrivals and departures per second', 'queue', rates.queue, 'events'),
    lineOf('the same, against every event SimPy counts', 'queue', rates.queue, 'own_events'),
  ]
}

/** Compares with what is there. */
export async function compare(options: BenchmarkOptions, others?: Others): Promise<CompareResult> {
  const { ns3, simpy } = others ?? { ns3: await findNs3(), simpy: await findSimpy() }
  const comparisons: Comparison[] = []
  const skipped: string[] = []
  if ('missing' in ns3) skipped.push(ns3.missing)
  else comparisons.push(await compareNs3(ns3, options))
  if ('missing' in simpy) skipped.push(simpy.missing)
  else comparisons.push(...(await compareSimpy(simpy, options)))
  return { comparisons, skipped }
}

/** The comparison as a table: medians, and the ratio of each round's pair with its spread. */
export function renderComparison({ comparisons, skipped }: CompareResult): string {
  const millions = (values: readonly number[]): string => (spread(values).median / 1e6).toFixed(3)
  const rows = comparisons.map(({ what, other, softnet, others }) => {
    const ratio = spread(softnet.map((rate, i) => rate / (others[i] ?? Number.NaN)))
    const cells = [ratio.median, ratio.min, ratio.max].map((value) => value.toFixed(2))
    return [what, other, millions(softnet), millions(others), ...cells]
  })
  const title = ['million', 'beside', 'softnet', 'other', 'ratio', 'least', 'greatest']
  const table = rows.length === 0 ? [] : [textTable([title, ...rows])]
  return [...table, ...skipped.map((reason) => `skipped: ${reason}`)].join('\n')
}

await runIfStarted(import.meta.url, compare, renderComparison)
