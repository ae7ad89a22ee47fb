import type { Plan } from '@softnet/scenario/plan'
import type { CaptureAppender } from '../capture-appender.js'
import type { Simulation } from '../simulation.js'
import { type CheckpointTask, nextCheckpointPs, writeCheckpoint } from './write-checkpoint.js'

/** The checkpoints of a run. */
export interface Checkpoints {
  /** When the next one is due, ps; Infinity if none is. */
  nextPs(): number
  /** Writes one if it is due where the simulation stands. */
  writeIfDue(): void
  /** Writes one where the simulation stands, if there are any at all. */
  write(): void
}

/** Decides when a run writes checkpoints; none without a task. */
export function createCheckpoints(
  task: CheckpointTask | undefined,
  plan: Plan,
  simulation: Simulation,
  appenders: readonly CaptureAppender[],
): Checkpoints {
  if (task === undefined) return { nextPs: () => Number.POSITIVE_INFINITY, writeIfDue() {}, write() {} }
  const { everyPs } = task
  let duePs = nextCheckpointPs(everyPs, simulation.nowPs)
  const write = (): void => {
    const captures = appenders.map((appender) => appender.sync())
    writeCheckpoint(task, plan, simulation, { captures, observers: simulation.saveObservers() })
  }
  return {
    nextPs: () => duePs,
    writeIfDue() {
      if (simulation.nowPs < duePs) return
      // What the end of the run would be resumed for is in its result.
      if (simulation.nowPs < plan.durationPs) write()
      duePs = nextCheckpointPs(everyPs, simulation.nowPs)
    },
    write,
  }
}
