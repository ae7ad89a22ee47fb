import type { Columns } from '@softnet/ecs'
import type { QdiscPlan } from '@softnet/scenario/plan'
import { QDISC, type Qdisc } from './components.js'

const PS_PER_SECOND = 1e12

/** Gives a queue a discipline as it is when it is new; its flows begin at `flowBase`. `mtu` is that of its device. Kernel: net/sched/sch_api.c, qdisc_create */
export function setQdisc(q: Columns<typeof Qdisc.schema>, plan: QdiscPlan, queue: number, mtu: number): void {
  q.kind[queue] = QDISC[plan.kind]
  q.sleeping[queue] = q.kind[queue]
  q.limit[queue] = plan.limit
  q.timerPs[queue] = Number.POSITIVE_INFINITY
  q.flowCount[queue] = plan.flows
  q.quantumBytes[queue] = plan.quantumBytes
  q.initialQuantumBytes[queue] = plan.initialQuantumBytes
  q.flowLimit[queue] = plan.flowLimit
  q.targetPs[queue] = plan.targetPs
  q.intervalPs[queue] = plan.intervalPs
  q.mtuBytes[queue] = mtu + 14
  q.memoryLimit[queue] = plan.memoryBytes
  q.dropBatch[queue] = plan.dropBatch
  q.ecn[queue] = plan.ecn ? 1 : 0
  const ceThresholdPs = plan.ceThresholdPs ?? 0
  q.ceThresholdPs[queue] = ceThresholdPs === 0 ? Number.POSITIVE_INFINITY : ceThresholdPs
  if (plan.kind !== 'tbf') return
  q.byteTimePs[queue] = (8 * PS_PER_SECOND) / plan.rateBitsPerSec
  q.burstPs[queue] = plan.burstBytes * q.byteTimePs[queue]
  q.tokensPs[queue] = q.burstPs[queue]
  q.maxSizeBytes[queue] = plan.burstBytes
}
