/**
 * The Linux receive path as components and systems.
 *
 * A plan is built into a world (`buildModel`), which falls into partitions that a runner advances in time; what a run
 * shows is read out by `reportModel`. Folders follow the packet; each has a `model.md`.
 * @packageDocumentation
 */

export { buildModel, type Model, type ModelHooks } from './build/build-model.js'
export type { PlanConstants } from './build/constants.js'
export type { DeviceLayout, HostLayout, Layout } from './build/layout.js'
export { type ModelPartition, modelPartitions } from './build/model-partitions.js'
export type { PartitionTimes } from './build/partition-times.js'
export type { Edge, Partitions } from './build/partitions.js'
export { Cpu } from './cpu/components.js'
export { type Bench, type BenchBridge, type BenchObserver, createBench, type SoftnetLine } from './harness/bench.js'
export type { BenchPackets } from './harness/bench-packets.js'
export type { BenchCmsg, BenchDatagram, BenchSocket } from './harness/bench-socket.js'
export { NAPIF, Napi, POLL_KIND } from './napi/components.js'
export { NetDev, RxQueue } from './nic/components.js'
export { TxQueue } from './nic/tx-components.js'
export { type Capture, type CaptureSpec, type CaptureState, createCapture } from './observe/capture.js'
export { type ContextSampler, contextSampler } from './observe/context-timeline.js'
export { type InspectDocument, inspectModel } from './observe/inspect.js'
export { modelProgress, reportModel } from './observe/report.js'
export { createJourneys, type JourneyRecorder, type Journeys } from './observe/trace/journeys.js'
export { createTrace, type Trace, type TraceKind, type TraceSpec } from './observe/trace/trace.js'
export type { TraceRecorder, TraceWindow } from './observe/trace/trace-window.js'
export { IRQ_KIND, joinSinks, NO_TRACE, type TraceSink } from './observe/trace-sink.js'
export { PluginError } from './plugin/build-plugins.js'
export * from './plugin/define-component.js'
export * from './plugin/define-plugin.js'
export {
  EnqueueVerdict,
  HOOK_NAMES,
  HOOKS,
  type Hook,
  type HookName,
  type HookRun,
  IngressVerdict,
  NapiQuota,
  NIC_FAULT,
  NicFault,
  NicStall,
  QDISC_SHOT,
  QueueVerdict,
  SteerVerdict,
  XdpVerdict,
} from './plugin/hooks.js'
export type { Place, Places } from './plugin/places.js'
export type { PluginContext } from './plugin/plugin-context.js'
export { Qdisc } from './qdisc/components.js'
export { ERRNO } from './route/components.js'
export { PACKET_TYPE, SKB, Skb } from './skb/components.js'
export * from './skb/sk-buff.js'
export * from './skb/sk-buff-components.js'
export * from './skb/sk-buff-copy.js'
export * from './skb/sk-buff-head.js'
export * from './skb/sk-buff-heap.js'
export * from './skb/truesize.js'
export { Sock } from './sock/components.js'
export type { UdpOption } from './sock/udp-setsockopt.js'
export { BacklogView, RpsMapSlot, Softnet } from './softnet/components.js'
export { MSG } from './udp/msg.js'
export { Draft, Wire, WireState } from './wire/components.js'
export { XDP } from './xdp/components.js'
