/** Code of a thread that helps with one simulation after the other; see crew.ts. */
import { parentPort, workerData } from 'node:worker_threads'
import { createRunner, type RunnerBuffers, type WaitRule } from '@softnet/engine'
import { buildModel, modelPartitions } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'
import { yieldsOf } from './yields.js'

/** A simulation to help with. */
export interface CrewTask {
  readonly plan: Plan
  readonly arena: readonly SharedArrayBuffer[]
  readonly buffers: RunnerBuffers
  readonly wait: WaitRule
  /** Seed of the points at which the thread gives others time to overtake; 0: nowhere. */
  readonly stress: number
}

const { worker } = workerData as { worker: number }
parentPort?.on('message', ({ plan, arena, buffers, wait, stress }: CrewTask) => {
  let fault = ''
  try {
    const model = buildModel(plan, {}, arena)
    createRunner(modelPartitions(model), { buffers, worker, wait, ...yieldsOf(stress, worker) }).serve()
  } catch (thrown) {
    fault = (thrown as Error).stack ?? String(thrown)
  }
  parentPort?.postMessage(fault)
})
