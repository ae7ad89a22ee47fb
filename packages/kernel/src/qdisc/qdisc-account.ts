import { defineSystem } from '@softnet/ecs'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { Qdisc } from './components.js'

/** What every discipline keeps account of. */
export interface QdiscAccount {
  /** A packet was put in. Kernel: include/net/sch_generic.h, qdisc_qstats_backlog_inc */
  queued(queue: number, row: number): void
  /** A packet was taken out, or is to be freed. */
  dequeued(queue: number, row: number): void
  /** Frees a packet that the discipline gives up, with the place and reason. Kernel: qdisc_qstats_drop */
  drop(cpu: number, queue: number, row: number, place: number): void
}

/** Length and backlog of disciplines, and what they lose. Kernel: include/net/sch_generic.h, qdisc_qstats_* */
export const qdiscAccount = defineSystem<QdiscAccount>(
  'qdisc_qstats',
  'qdisc',
  'include/net/sch_generic.h, qdisc_qstats_drop',
  (context) => {
    const { qlen, qlenMax, backlog, drops } = context.write(Qdisc)
    const { wireBytes, frames } = context.read(Skb)
    const kfree = context.system(kfreeSkb)
    return {
      queued(q, row) {
        const length = qlen[q] + 1
        qlen[q] = length
        if (length > qlenMax[q]) qlenMax[q] = length
        backlog[q] += wireBytes[row]
      },
      dequeued(q, row) {
        qlen[q]--
        backlog[q] -= wireBytes[row]
      },
      drop(cpu, q, row, place) {
        drops[q] += frames[row]
        kfree(cpu, row, place)
      },
    }
  },
)
