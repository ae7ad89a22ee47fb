import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { DeferPending } from '../softnet/components.js'

/** skbs sent home per message: a quarter of the default skb_defer_max, so that the home CPU sees them soon. */
const DEFER_BATCH = 16

/**
 * Frees a read datagram's sk_buff: here, or, since 6.18 for UDP, on the CPU that allocated it, which is told in batches
 * and by an IPI when many wait. Kernel: net/core/skbuff.c, skb_attempt_defer_free
 */
export const deferFree = defineSystem<(cpu: number, row: number) => void>(
  'skb_attempt_defer_free',
  'skb',
  'net/core/skbuff.c, skb_attempt_defer_free',
  (context) => {
    const { EVENT, STAGE, VIA } = NUMBERS

    const { allocCpu } = context.read(Skb)
    const { count } = context.write(DeferPending)
    const constants = context.resource(PLAN_CONSTANTS)
    const { plan, cpuRows } = constants
    const spend = context.system(charge)
    const post = context.system(mail)
    const defers = KERNEL_VERSIONS[plan.kernel].udpDeferFree
    // 0: this host frees at once.
    const batch = perCpu(constants, ({ sysctl }) => {
      const most = sysctl['net.core.skb_defer_max']
      return most === 0 ? 0 : Math.max(1, Math.min(DEFER_BATCH, most >> 1))
    })
    return (cpu, row) => {
      const home = allocCpu[row]
      if (!defers || batch[cpu] === 0 || home === cpu || home === 0 || !post.connected(cpu, home)) {
        spend(cpu, STAGE.consume_skb, 1)
        return
      }
      const pair = cpu * cpuRows + home
      if (++count[pair] < batch[cpu]) return
      post.note(cpu, home, VIA.line, EVENT.deferredFree, count[pair], cpu, 0)
      count[pair] = 0
    }
  },
)
