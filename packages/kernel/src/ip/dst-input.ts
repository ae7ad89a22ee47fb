import { defineSystem } from '@softnet/ecs'
import type { Stage } from '../netif/stage.js'
import { NUMBERS } from '../numbers.js'
import { ipError } from '../route/ip-error.js'
import { Skb } from '../skb/components.js'
import { ipForward } from './ip-forward.js'

/** Sends each packet where its route says: survivors are for this host. Kernel: include/net/dst.h, dst_input */
export const dstInput = defineSystem<Stage>('dst_input', 'ip', 'include/net/dst.h, dst_input', (context) => {
  const { RTN } = NUMBERS

  const { rtError, rtType } = context.read(Skb)
  const refuse = context.system(ipError)
  const forward = context.system(ipForward)
  return (ids, packets, cpu) => {
    let kept = 0
    for (let i = 0; i < packets; i++) {
      const row = ids[i]
      if (rtError[row] !== 0) refuse(cpu, row)
      else if (rtType[row] === RTN.unicast) forward(cpu, row)
      else ids[kept++] = row
    }
    return kept
  }
})
