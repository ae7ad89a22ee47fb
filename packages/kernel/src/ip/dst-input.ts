import { defineSystem } from '@softnet/ecs'
import type { Stage } from '../netif/stage.js'
import { NUMBERS } from '../numbers.js'
import { ipError } from '../route/ip-error.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { ipForward } from './ip-forward.js'

/** Sends each packet where its route says: survivors are for this host. Kernel: include/net/dst.h, dst_input */
export const dstInput = defineSystem<Stage>('dst_input', 'ip', 'include/net/dst.h, dst_input', (context) => {
  const { DROP, RTCF, RTN } = NUMBERS

  const { rtError, rtFlags, rtType } = context.read(Skb)
  const kfree = context.system(kfreeSkb)
  const refuse = context.system(ipError)
  const forward = context.system(ipForward)
  return (ids, packets, cpu) => {
    let kept = 0
    for (let i = 0; i < packets; i++) {
      const row = ids[i]
      if (rtError[row] !== 0) refuse(cpu, row)
      else if (rtType[row] === RTN.unicast) forward(cpu, row)
      // What comes back to its host without being for it.
      else if ((rtFlags[row] & RTCF.local) === 0) kfree(cpu, row, DROP.dstDiscard)
      else ids[kept++] = row
    }
    return kept
  }
})
