/** Result of a comparison, `softnet.compare/1`: variants of a host, run with the same seeds, and what differs beyond chance. */
import { type Estimate, estimate } from '../sweep/confidence.js'
import type { Difference } from './differences.js'
import type { Quantity, QuantityGroup, QuantityValues } from './quantities.js'

/**
 * What a difference is worth: `same` in every run; within the `noise` of seeds; beyond it `better`, `worse` or just
 * `changed`; `unknown` where fewer than two seeds were run.
 */
export type Judgement = 'same' | 'noise' | 'better' | 'worse' | 'changed' | 'unknown'

/** One run of a variant. */
export interface VariantRun {
  readonly seed: number
  readonly digest: string
  readonly bottleneck: string
}

/** One of the things compared; the first is what the others are compared with. */
export interface Variant {
  readonly label: string
  readonly scenario: string
  /** How its scenario differs from that of the first. */
  readonly differences: readonly Difference[]
  readonly runs: readonly VariantRun[]
  readonly failures: readonly { readonly seed: number; readonly message: string }[]
}

/** A quantity in one variant. */
export interface ComparedValue {
  readonly value: Estimate | null
  /** Mean of the differences to the first variant, seed by seed; null for the first itself and where there is none. */
  readonly change: Estimate | null
  readonly judgement: Judgement | null
}

/** A quantity in all variants, in their order. */
export interface ComparedQuantity extends Quantity {
  readonly values: readonly ComparedValue[]
}

/** What a comparison found. */
export interface CompareDocument {
  readonly schema: 'softnet.compare/1'
  readonly status: 'done' | 'interrupted'
  /** Seeds that every variant was run with. */
  readonly seeds: readonly number[]
  readonly variants: readonly Variant[]
  readonly quantities: readonly ComparedQuantity[]
  readonly wall_ms: number
}

/** A variant and the quantities of its runs by seed. */
export interface MeasuredVariant extends Variant {
  readonly quantities: ReadonlyMap<number, QuantityValues>
}

/** Judges a difference: beyond noise where 0 lies outside of its 95 % confidence interval. */
export function judge(change: Estimate | null, better: Quantity['better']): Judgement {
  if (change === null || change.ci95 === null) return 'unknown'
  if (change.mean === 0 && change.ci95 === 0) return 'same'
  if (Math.abs(change.mean) <= change.ci95) return 'noise'
  if (better === null) return 'changed'
  return change.mean > 0 === (better === 'more') ? 'better' : 'worse'
}

const GROUPS: readonly QuantityGroup[] = ['measure', 'drop', 'stage']

/** Every quantity of any run: groups in order, measures as they are defined, the others by how much there is of them. */
function listQuantities(variants: readonly MeasuredVariant[]): Quantity[] {
  const all = new Map<string, { quantity: Quantity; most: number; order: number }>()
  for (const { quantities } of variants) {
    for (const values of quantities.values()) {
      for (const { quantity, value } of values.values()) {
        const known = all.get(quantity.name)
        if (known === undefined) all.set(quantity.name, { quantity, most: value ?? 0, order: all.size })
        else known.most = Math.max(known.most, value ?? 0)
      }
    }
  }
  return [...all.values()]
    .sort(
      (a, b) =>
        GROUPS.indexOf(a.quantity.group) - GROUPS.indexOf(b.quantity.group) ||
        (a.quantity.group === 'measure'
          ? a.order - b.order
          : b.most - a.most || (a.quantity.name < b.quantity.name ? -1 : 1)),
    )
    .map(({ quantity }) => quantity)
}

/** A drop or a stage that a run does not tell is none; a measure is unknown there. */
function valueIn(values: QuantityValues | undefined, { name, group }: Quantity): number | null {
  if (values === undefined) return null
  const found = values.get(name)
  return found === undefined ? (group === 'measure' ? null : 0) : found.value
}

function isNumber(value: number | null): value is number {
  return value !== null
}

/** Compares variants that were run with the same seeds; `status` and `wallMs` are of the runs. */
export function compareVariants(
  variants: readonly MeasuredVariant[],
  seeds: readonly number[],
  status: CompareDocument['status'],
  wallMs: number,
): CompareDocument {
  const [first] = variants
  const quantities = listQuantities(variants).map((quantity): ComparedQuantity => {
    const values = variants.map((variant): ComparedValue => {
      const own = seeds.map((seed) => valueIn(variant.quantities.get(seed), quantity))
      const value = estimate(own.filter(isNumber))
      if (variant === first || first === undefined) return { value, change: null, judgement: null }
      const pairs = seeds.map((seed, index) => {
        const [before, after] = [valueIn(first.quantities.get(seed), quantity), own[index] ?? null]
        return before === null || after === null ? null : after - before
      })
      const change = estimate(pairs.filter(isNumber))
      return { value, change, judgement: judge(change, quantity.better) }
    })
    return { ...quantity, values }
  })
  return {
    schema: 'softnet.compare/1',
    status,
    seeds,
    variants: variants.map(({ label, scenario, differences, runs, failures }) => ({
      label,
      scenario,
      differences,
      runs,
      failures,
    })),
    quantities,
    wall_ms: wallMs,
  }
}
