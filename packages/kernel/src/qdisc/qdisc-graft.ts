import { defineSystem } from '@softnet/ecs'
import type { QdiscPlan } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { DevView } from '../link/components.js'
import { NetDev } from '../nic/components.js'
import { TxQueue } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { Qdisc } from './components.js'
import { devActivateQueue } from './dev-activate-queue.js'
import { setQdisc } from './set-qdisc.js'

/** Gives the transmit queues of a device that are this CPU's another discipline; what waited in the old one is freed. */
export type QdiscGraft = (cpu: number, dev: number, plan: QdiscPlan) => void

/** Kernel: net/sched/sch_api.c, qdisc_graft; net/sched/sch_generic.c, dev_graft_qdisc */
export const qdiscGraft = defineSystem<QdiscGraft>(
  'qdisc_graft',
  'qdisc',
  'net/sched/sch_api.c, qdisc_graft',
  (context) => {
    const { DEV } = NUMBERS
    const q = context.write(Qdisc)
    const { bits: views } = context.read(DevView)
    const { index, firstTx, txCount, txStep, mtu } = context.read(NetDev)
    const { cpu: queueCpu } = context.read(TxQueue)
    const { cpuRows } = context.resource(PLAN_CONSTANTS)
    const activate = context.system(devActivateQueue)
    return (cpu, dev, plan) => {
      const isActive = (views[index[dev] * cpuRows + cpu] & DEV.inactive) === 0
      for (let i = 0; i < txCount[dev]; i++) {
        const queue = firstTx[dev] + i * txStep[dev]
        if (queueCpu[queue] !== cpu) continue
        activate(cpu, queue, false)
        const noop = q.kind[queue]
        setQdisc(q, plan, queue, mtu[dev])
        q.kind[queue] = noop
        for (const name of COUNTERS) q[name][queue] = 0
        if (isActive) activate(cpu, queue, true)
      }
    }
  },
)

/** What `tc -s qdisc` counts from the beginning of a discipline. */
const COUNTERS = [
  'sentPackets',
  'sentBytes',
  'drops',
  'overlimits',
  'requeues',
  'qlenMax',
  'throttled',
  'ecnMarks',
  'ceMarks',
  'newFlows',
  'dropOverlimit',
  'dropOvermemory',
  'maxPacketBytes',
  'flowDrops',
  'memoryBytes',
] as const
