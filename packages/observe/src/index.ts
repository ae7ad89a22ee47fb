/** What a run shows: the text screen, the verdict, Linux's texts and JSON, all pure functions of a result. */
export { type Difference, differencesOf } from './compare/differences.js'
export {
  type CompareDocument,
  type ComparedQuantity,
  type ComparedValue,
  compareVariants,
  type Judgement,
  judge,
  type MeasuredVariant,
  type Variant,
  type VariantRun,
} from './compare/document.js'
export { type Quantity, type QuantityGroup, type QuantityValues, quantitiesOf } from './compare/quantities.js'
export {
  type ExplainDocument,
  type ExplainedFinding,
  explainResult,
  rankTrials,
  type Trial,
  type TriedRemedy,
  type Tries,
  trialsOf,
} from './explain/document.js'
export {
  formatBitRate,
  formatBytes,
  formatCount,
  formatCpuMask,
  formatFrequency,
  formatPercent,
  formatRate,
  formatTime,
} from './format.js'
export {
  addLatencyBuckets,
  addLatencySums,
  type LatencyBuckets,
  type LatencySums,
  latencyBuckets,
  latencyHistogramRows,
  latencyQuantileNs,
  recordLatency,
  summarizeLatency,
} from './histogram.js'
export { resultToJson } from './json.js'
export { type Conservation, conservation, type PathStage, pathStages } from './path-stages.js'
export { ethtoolText, interruptsText, softirqsText } from './proc/interrupts.js'
export { type LinuxText, linuxTexts } from './proc/linux-texts.js'
export { netDevText, netstatText, snmpText, softnetStatText } from './proc/net.js'
export { type Estimate, estimate, studentT95 } from './sweep/confidence.js'
export { sweepCsv } from './sweep/csv.js'
export {
  type SweepAxis,
  type SweepDocument,
  type SweepFailure,
  type SweepPoint,
  type SweepRun,
  settingText,
  summarizePoint,
} from './sweep/document.js'
export {
  DEFAULT_MEASURES,
  MEASURES,
  type Measure,
  type MeasureKind,
  type MeasureValues,
  measuresOf,
} from './sweep/measures.js'
export { renderCompare } from './text/compare-screen.js'
export { renderExplain } from './text/explain-screen.js'
export { renderJourneys } from './text/journey-text.js'
export { tableLines } from './text/layout.js'
export { type RenderOptions, renderText, SCREEN_LINES } from './text/render-text.js'
export { renderSweep } from './text/sweep-screen.js'
export { DIAGNOSIS_RULES, diagnose, findAll, type RankedFinding } from './verdict/diagnose.js'
export type {
  AppFacts,
  CpuFacts,
  HostFacts,
  QueueFacts,
  RunFacts,
  UndiagnosedResult,
} from './verdict/facts.js'
export type { DiagnosisRule, Finding, Remedy, Subject } from './verdict/rule.js'
