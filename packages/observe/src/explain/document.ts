/** Why a run came out as it did, `softnet.explain/1`: the verdict, every finding behind it, and what its remedies do. */
import type { DropRow, Plan, ResultDocument, Verdict } from '@softnet/scenario/plan'
import type { CompareDocument, ComparedQuantity, ComparedValue, Judgement } from '../compare/document.js'
import { findAll } from '../verdict/diagnose.js'
import type { Remedy } from '../verdict/rule.js'

/** What one rule found. */
export interface ExplainedFinding {
  readonly name: string
  readonly subject: string
  readonly host: string
  readonly summary: string
  /** Frames it explains the loss of; findings on one place of the path explain the same ones. */
  readonly lost_frames: number
  readonly claim: string
  readonly evidence: string
  readonly advice: string
  readonly remedies: readonly Remedy[]
}

/** One remedy, or all of them together, as it was run. */
export interface TriedRemedy {
  /** Position among the variants of the comparison, from 1. */
  readonly variant: number
  readonly set: readonly string[]
  readonly why: string
  /** What it does to what is wrong. */
  readonly effect: ComparedValue
  /** What it does to the rest, by name of the measure. */
  readonly price: Readonly<Record<string, ComparedValue>>
  /** Bottlenecks of its runs, the most frequent one first. */
  readonly bottlenecks: readonly string[]
}

/** The remedies that were run, the one that helps most first. */
export interface Tries {
  /** Name of the measure that they are ranked by. */
  readonly ranked_by: string
  readonly ranked: readonly TriedRemedy[]
  readonly comparison: CompareDocument
}

/** What `softnet explain` says. */
export interface ExplainDocument {
  readonly schema: 'softnet.explain/1'
  readonly scenario: string
  readonly seed: number
  readonly digest: string
  readonly packets: ResultDocument['packets']
  readonly verdict: Verdict
  readonly findings: readonly ExplainedFinding[]
  readonly drops: readonly DropRow[]
  /** Null where nothing was tried. */
  readonly tries: Tries | null
}

/** A result explained; without a plan there is only its verdict. */
export function explainResult(result: ResultDocument, plan: Plan | null): ExplainDocument {
  const { scenario, seed, digest, packets, verdict, drops } = result
  const ranked = plan === null ? [] : findAll(result, plan)
  const findings = ranked.map(({ rule, host, finding }) => ({
    name: rule.name,
    subject: rule.subject,
    host,
    summary: rule.summary,
    lost_frames: finding.lostFrames,
    claim: finding.claim,
    evidence: finding.evidence,
    advice: finding.advice,
    remedies: finding.remedies,
  }))
  return { schema: 'softnet.explain/1', scenario, seed, digest, packets, verdict, findings, drops, tries: null }
}

/** A remedy that is to be run. */
export interface Trial {
  readonly set: readonly string[]
  readonly why: string
}

/** What to run for a verdict: each remedy by itself, and all together where there are several. */
export function trialsOf({ remedies }: Verdict): Trial[] {
  const single = remedies.map(({ set, why }) => ({ set: [set], why }))
  if (single.length < 2) return single
  return [...single, { set: remedies.map(({ set }) => set), why: 'all of them together' }]
}

const PRICES = ['drop_share', 'latency_p50_ns', 'latency_p99_ns', 'cpu_per_packet_ns', 'busiest_cpu_share']
const NONE: ComparedValue = { value: null, change: null, judgement: 'unknown' }

/** Which measure tells whether a remedy helps: what is delivered, or the tail of latency where everything is. */
function effectMeasure(verdict: Verdict, { quantities }: CompareDocument): string {
  const lost = quantities.find(({ name }) => name === 'drop_share')?.values[0]?.value?.mean ?? 0
  return verdict.bottleneck === 'none' && lost === 0 ? 'latency_p99_ns' : 'delivered_pps'
}

function byFrequency(names: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([name]) => name)
}

const RANK: Readonly<Record<Judgement, number>> = { better: 0, changed: 1, unknown: 1, noise: 2, same: 2, worse: 3 }

/** Ranks trials by what their runs changed; the comparison has the run without them first, then each in its order. */
export function rankTrials(verdict: Verdict, trials: readonly Trial[], comparison: CompareDocument): Tries {
  const ranked_by = effectMeasure(verdict, comparison)
  const measure = (name: string): ComparedQuantity | undefined =>
    comparison.quantities.find((quantity) => quantity.name === name)
  const sign = measure(ranked_by)?.better === 'less' ? 1 : -1
  const tried = trials.map(({ set, why }, index): TriedRemedy => {
    const variant = index + 1
    const at = (name: string): ComparedValue => measure(name)?.values[variant] ?? NONE
    const price = Object.fromEntries(PRICES.filter((name) => name !== ranked_by).map((name) => [name, at(name)]))
    const runs = comparison.variants[variant]?.runs ?? []
    return {
      variant,
      set,
      why,
      effect: at(ranked_by),
      price,
      bottlenecks: byFrequency(runs.map((run) => run.bottleneck)),
    }
  })
  const rank = ({ effect }: TriedRemedy) => RANK[effect.judgement ?? 'unknown']
  const size = ({ effect }: TriedRemedy) => sign * (effect.change?.mean ?? 0)
  const ranked = tried.sort((a, b) => rank(a) - rank(b) || size(a) - size(b) || a.variant - b.variant)
  return { ranked_by, ranked, comparison }
}
