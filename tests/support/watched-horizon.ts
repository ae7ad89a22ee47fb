import { createRunner } from '@softnet/engine'
import type { ModelPartition, PartitionTimes } from '@softnet/kernel'
import type { Advance } from './run-model.js'

const FAULTS_MAX = 4

/**
 * Runs the whole duration at once and checks what a horizon promises: nothing that a partition publishes takes effect in
 * another one before the time that one was told it could go to. What breaks it is put on `faults`.
 */
export function watchedHorizon(faults: string[]): Advance {
  return (partitions, durationPs) => {
    const nextBefore = new Float64Array(partitions.length)
    createRunner(partitions.map((partition) => watched(partition, partitions, nextBefore, faults))).runUntil(durationPs)
  }
}

function watched(
  partition: ModelPartition,
  all: readonly ModelPartition[],
  nextBefore: Float64Array,
  faults: string[],
): ModelPartition {
  let times: PartitionTimes | null = null
  return {
    id: partition.id,
    name: partition.name,
    inputs: partition.inputs,
    bounded: partition.bounded,
    attach(given) {
      times = given
      partition.attach(given)
    },
    drain: () => partition.drain(),
    run: () => partition.run(),
    publish() {
      if (times === null) throw new Error(`${partition.name} publishes before it is attached`)
      const { next, horizon } = times
      nextBefore.set(next)
      partition.publish()
      for (const { id, name } of all) {
        const atPs = next[id] as number
        const toldPs = horizon[id] as number
        if (atPs >= (nextBefore[id] as number) || atPs >= toldPs || faults.length >= FAULTS_MAX) continue
        faults.push(`${partition.name} reaches ${name} at ${atPs} ps, which may have gone to ${toldPs} ps`)
      }
    },
    take: () => partition.take(),
    show: () => partition.show(),
    hasEnough: () => partition.hasEnough(),
    finish: (endPs) => partition.finish(endPs),
  }
}
