/** Where the time of a packet goes, system by system. */
import { profileRun } from './support/fresh-process.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import type { ProfileFigures, SystemShare } from './support/request.js'
import { textTable } from './support/text-table.js'

/** Rows below this share are summed up in one. */
const LEAST_SHARE = 0.004

/** Samples `rss-4-queues` in one fresh process per round: 1.2 million packets of warm-up, then 6 million. */
export async function systems({ rounds, scale }: BenchmarkOptions): Promise<ProfileFigures[]> {
  const figures: ProfileFigures[] = []
  for (let round = 0; round < rounds; round++) {
    figures.push(
      await profileRun({
        scenario: 'rss-4-queues',
        warmUs: Math.ceil(300_000 * scale),
        sliceUs: Math.ceil(10_000 * scale),
        slices: 150,
      }),
    )
  }
  return figures
}

/** Shares of all rounds together; they add up to 1. */
function together(figures: readonly ProfileFigures[]): SystemShare[] {
  const rows = new Map<string, SystemShare>()
  for (const { shares } of figures) {
    for (const { stage, name, share } of shares) {
      const key = `${stage}/${name}`
      rows.set(key, { stage, name, share: (rows.get(key)?.share ?? 0) + share / figures.length })
    }
  }
  return [...rows.values()].sort((a, b) => b.share - a.share)
}

function render(figures: readonly ProfileFigures[]): string {
  const offered = figures.reduce((sum, { packets }) => sum + packets.offered, 0)
  const totalNs = (figures.reduce((sum, { cpuMs }) => sum + cpuMs, 0) * 1e6) / offered
  const shares = together(figures)
  const shown = shares.filter(({ share }) => share >= LEAST_SHARE)
  const rest = shares.filter(({ share }) => share < LEAST_SHARE)
  const restShare = rest.reduce((sum, { share }) => sum + share, 0)
  const line = (stage: string, name: string, share: number): string[] => [
    name,
    stage,
    (share * totalNs).toFixed(1),
    `${(100 * share).toFixed(1)} %`,
  ]
  const stages = new Map<string, number>()
  for (const { stage, share } of shares) stages.set(stage, (stages.get(stage) ?? 0) + share)
  const samples = figures.reduce((sum, figure) => sum + figure.samples, 0)
  return [
    `rss-4-queues: ${offered} packets, ${samples} samples; processor time, with the profiler's own share in it`,
    textTable([
      ['system', 'stage', 'ns per packet', 'share'],
      ...shown.map(({ stage, name, share }) => line(stage, name, share)),
      line('', `${rest.length} more`, restShare),
      line('', 'sum', 1),
    ]),
    '',
    textTable([
      ['stage', 'ns per packet', 'share'],
      ...[...stages]
        .sort((a, b) => b[1] - a[1])
        .map(([stage, share]) => [stage, (share * totalNs).toFixed(1), `${(100 * share).toFixed(1)} %`]),
      ['sum', totalNs.toFixed(1), '100.0 %'],
    ]),
  ].join('\n')
}

await runIfStarted(import.meta.url, systems, render)
