import { type CpuTimeline, TIMELINE_CONTEXTS } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import { ContextTimeline, TIMELINE_ROWS } from '../count/components.js'
import { CONTEXT, CONTEXT_ROWS, ContextTime, Cpu, STAGE_ROWS } from '../cpu/components.js'

const PS_PER_NS = 1000

/** By the context that was charged last: that one first, then the others. */
const ORDERS = Object.values(CONTEXT).map((charged) => [
  ...TIMELINE_CONTEXTS.filter((name) => CONTEXT[name] === charged),
  ...TIMELINE_CONTEXTS.filter((name) => CONTEXT[name] !== charged),
])

/** What CPUs do over time, sampled from outside so that no packet pays for it. */
export interface ContextSampler {
  /** First end of an interval after `nowPs`, ps; Infinity behind the last one that is sampled. */
  nextPs(nowPs: number): number
  /** Takes the sample of a model that was advanced to exactly the end of an interval. */
  sample(nowPs: number): void
}

/** Reads the times of all contexts where the intervals of the timeline end; what is read does not depend on other cuts. */
export function contextSampler(model: Model): ContextSampler {
  const { layout, constants } = model
  const { timelinePs } = constants
  const { ps } = model.world.columns(ContextTime)
  const { clockPs, lastCharge } = model.world.columns(Cpu)
  const columns = model.world.columns(ContextTimeline)
  return {
    nextPs(nowPs) {
      const interval = Math.floor(nowPs / timelinePs) + 1
      return interval < TIMELINE_ROWS ? interval * timelinePs : Number.POSITIVE_INFINITY
    },
    sample(nowPs) {
      const interval = Math.round(nowPs / timelinePs) - 1
      for (const cpu of layout.cpus) {
        // The step under way may reach beyond; that part belongs to the next interval, most of it to what was charged last.
        let beyondPs = Math.max(0, clockPs[cpu] - nowPs)
        const charged = Math.floor(lastCharge[cpu] / STAGE_ROWS)
        const row = cpu * TIMELINE_ROWS + interval
        for (const name of ORDERS[charged] ?? TIMELINE_CONTEXTS) {
          const before = interval === 0 ? 0 : columns[name][row - 1]
          const at = ps[cpu * CONTEXT_ROWS + CONTEXT[name]]
          const part = Math.min(beyondPs, at - before)
          columns[name][row] = at - part
          beyondPs -= part
        }
      }
    },
  }
}

/** Whole ns of a CPU by interval and context, for a model whose CPUs were finished at `endPs`. */
export function contextTimeline(model: Model, cpu: number, endPs: number): CpuTimeline {
  const columns = model.world.columns(ContextTimeline)
  const { ps } = model.world.columns(ContextTime)
  const intervals = Math.min(TIMELINE_ROWS, Math.ceil(endPs / model.constants.timelinePs))
  const series = (name: (typeof TIMELINE_CONTEXTS)[number]): number[] => {
    let before = 0
    return Array.from({ length: intervals }, (_entry, interval) => {
      const isLast = interval === intervals - 1
      const at = isLast ? ps[cpu * CONTEXT_ROWS + CONTEXT[name]] : columns[name][cpu * TIMELINE_ROWS + interval]
      // Rounding the sums and not the parts keeps the total.
      const part = Math.round(at / PS_PER_NS) - Math.round(before / PS_PER_NS)
      before = at
      return part
    })
  }
  return {
    hardirq: series('hardirq'),
    softirq: series('softirq'),
    ksoftirqd: series('ksoftirqd'),
    task: series('task'),
  }
}
