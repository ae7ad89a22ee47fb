import { defineSystem } from '@softnet/ecs'
import { counters } from '../count/counters.js'
import { Napi } from '../napi/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { netifReceive } from './netif-receive-skb.js'

const LIST_ROWS = 1024

/** Hands the finished packets of a NAPI's list to the stack. Kernel: net/core/gro.c, gro_normal_list */
export const receiveNapiList = defineSystem<(cpu: number, napi: number) => void>(
  'netif_receive_skb_list',
  'netif',
  'net/core/dev.c, netif_receive_skb_list_internal',
  (context) => {
    const { GRO } = NUMBERS

    const { listHead, listTail, listCount, segCount } = context.write(Napi)
    const { next } = context.write(Skb)
    const receive = context.system(netifReceive)
    const count = context.system(counters)
    const ids = new Int32Array(LIST_ROWS)
    return (cpu, napi) => {
      let n = 0
      for (let row = listHead[napi]; row !== 0; ) {
        const following = next[row]
        next[row] = 0
        ids[n++] = row
        row = following
      }
      listHead[napi] = 0
      listTail[napi] = 0
      listCount[napi] = 0
      segCount[napi] = 0
      if (n === 0) return
      count.gro(cpu, GRO.delivered, n)
      receive.list(ids, n, cpu)
    }
  },
)
