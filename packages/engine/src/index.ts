export {
  createRunner,
  DEFAULT_WAIT,
  failRun,
  GangError,
  PartitionError,
  type Runner,
  type RunnerOptions,
  type WaitRule,
} from './gang.js'
export { type IsolateRun, runInIsolate } from './isolate.js'
export type { IsolateContext } from './isolate-entry.js'
export { IsolateError, type IsolateFailure } from './isolate-error.js'
export { type Partition, type PartitionTimes, reach } from './partition.js'
export { attachRunnerColumns, createRunnerBuffers, type RunnerBuffers } from './runner-columns.js'
export type { StepOrder } from './step-order.js'
export { attachStopWord, createStopWord, type StopWord } from './stop-word.js'
export { tuneIsolate } from './tune-isolate.js'
