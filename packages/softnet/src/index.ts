/**
 * softnet simulates the Linux network stack as data.
 *
 * @packageDocumentation
 */
export type {
  Estimate,
  SweepAxis,
  SweepDocument,
  SweepFailure,
  SweepPoint,
  SweepRun,
} from '@softnet/observe'
export type {
  CpuRow,
  DeviceRow,
  DropRow,
  HostResult,
  LatencySummary,
  NetnsResult,
  Plan,
  QueueRow,
  ResultDocument,
  ScenarioInput,
  SocketRow,
  TaskRow,
  TimelineRow,
  Verdict,
} from '@softnet/scenario'
export {
  type CheckpointRequest,
  type CompileOptions,
  compile,
  defineScenario,
  listScenarios,
  type ResumeOptions,
  type RunningOptions,
  resume,
  type ScenarioSummary,
  type SimulateOptions,
  simulate,
} from './api.js'
export type { CaptureRequest } from './capture-option.js'
export { type ErrorDocument, type InputFault, RunError, ScenarioError } from './input-fault.js'
export type { Progress } from './run-plan.js'
export type { SweepProgress } from './sweep/run-points.js'
export { type SweepOptions, sweep } from './sweep-api.js'
export type { TraceRequest } from './trace-option.js'
