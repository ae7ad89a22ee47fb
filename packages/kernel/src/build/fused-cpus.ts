import { EventHeap } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { runCpu } from '../cpu/run-cpu.js'
import { HardirqState } from '../irq/components.js'
import type { Model } from './build-model.js'
import type { PartitionMap, PartitionTimes } from './partition-times.js'

/** CPUs that are one partition, because they share something without latency. */
export interface FusedCpus {
  /** Writes the least next step of its CPUs to `next[p]`. */
  writeNext(p: number): void
  /**
   * Does everything before `horizon[p]`, always on the CPU that is furthest behind, of equal ones the lowest; true if
   * anything happened. Then `next[p]` is written.
   */
  run(p: number): boolean
}

/** Binds the CPUs of partitions to the times of a run. */
export function bindFusedCpus(model: Model, map: PartitionMap, { next, horizon }: PartitionTimes): FusedCpus {
  const { binder } = model
  const cpus = binder.bind(runCpu)
  const { nextStepPs, horizonPs } = binder.world.columns(Cpu)
  const { isLineKnown } = binder.world.columns(HardirqState)
  const { count: eventCount } = binder.world.columns(EventHeap)
  const { memberBase, member } = map
  /** Events that each CPU had when its next step was found last; used within one call only. */
  const eventsThen = new Int32Array(nextStepPs.length)

  function find(cpu: number): void {
    cpus.findNextStep(cpu)
    eventsThen[cpu] = eventCount[cpu]
  }

  function findAll(p: number): void {
    for (let i = memberBase[p]; i < memberBase[p + 1]; i++) find(member[i])
  }

  function writeNext(p: number): void {
    findAll(p)
    let first = Number.POSITIVE_INFINITY
    for (let i = memberBase[p]; i < memberBase[p + 1]; i++) {
      const at = nextStepPs[member[i]]
      if (at < first) first = at
    }
    next[p] = first
  }

  return {
    writeNext,
    run(p) {
      let progress = false
      const from = memberBase[p]
      const end = memberBase[p + 1]
      findAll(p)
      for (;;) {
        let first = Number.POSITIVE_INFINITY
        let second = Number.POSITIVE_INFINITY
        let behind = 0
        let following = 0
        for (let i = from; i < end; i++) {
          const cpu = member[i]
          // CPUs change what others do next by events and by their vectors alone.
          if (eventsThen[cpu] !== eventCount[cpu] || isLineKnown[cpu] === 0) find(cpu)
          const at = nextStepPs[cpu]
          if (at < first) {
            second = first
            following = behind
            first = at
            behind = cpu
          } else if (at < second) {
            second = at
            following = cpu
          }
        }
        next[p] = first
        if (behind === 0 || first >= horizon[p]) return progress
        // Of two CPUs at the same time the lower goes on first, wherever a run is cut.
        const until = behind < following ? second + 1 : second
        horizonPs[behind] = until < horizon[p] ? until : horizon[p]
        const isRun = cpus.run(behind)
        eventsThen[behind] = eventCount[behind]
        if (!isRun) {
          writeNext(p)
          return progress
        }
        progress = true
      }
    },
  }
}
