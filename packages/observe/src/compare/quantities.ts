/** Everything that a comparison of runs looks at: the measures of sweeps, what was lost where, and what each stage took. */
import type { ResultDocument } from '@softnet/scenario/plan'
import { MEASURES, type Measure, type MeasureKind } from '../sweep/measures.js'

/** Where a quantity comes from. */
export type QuantityGroup = 'measure' | 'drop' | 'stage'

/** One number that runs are compared by; its key is its name. */
export interface Quantity {
  readonly group: QuantityGroup
  readonly name: string
  readonly label: string
  readonly kind: MeasureKind
  readonly better: Measure['better']
}

/** Quantities of one run by name; null where the run has none. */
export type QuantityValues = ReadonlyMap<string, { readonly quantity: Quantity; readonly value: number | null }>

function drops(result: ResultDocument): [Quantity, number][] {
  const severalHosts = Object.keys(result.hosts).length > 1
  return result.drops.map(({ host, where, reason, count }) => {
    const label = `${severalHosts ? `${host} ` : ''}${reason} ${where}`
    const name = `drop_share ${host} ${where} ${reason}`
    const share = result.packets.offered > 0 ? count / result.packets.offered : 0
    return [{ group: 'drop', name, label, kind: 'share', better: 'less' }, share]
  })
}

/** Time of each stage over all CPUs, per offered frame. */
function stages(result: ResultDocument): [Quantity, number][] {
  const sums = new Map<string, number>()
  for (const host of Object.values(result.hosts)) {
    for (const cpu of host.cpus) {
      for (const [stage, ns] of Object.entries(cpu.stages_ns)) sums.set(stage, (sums.get(stage) ?? 0) + ns)
    }
  }
  const { offered } = result.packets
  return [...sums].map(([stage, ns]) => [
    { group: 'stage', name: `stage_ns ${stage}`, label: stage, kind: 'time-ns', better: null },
    offered > 0 ? ns / offered : 0,
  ])
}

/** Every quantity of one run. */
export function quantitiesOf(result: ResultDocument): QuantityValues {
  const measures = MEASURES.map((measure): [Quantity, number | null] => {
    const { name, label, kind, better } = measure
    return [{ group: 'measure', name, label, kind, better }, measure.of(result)]
  })
  const all = [...measures, ...drops(result), ...stages(result)]
  return new Map(all.map(([quantity, value]) => [quantity.name, { quantity, value }]))
}
