import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { NUMBERS } from '../numbers.js'
import { OutputQueue, Qdisc } from './components.js'
import { qdiscRun } from './qdisc-run.js'

/** NET_TX, in pieces that can stop between packets. */
export interface NetTxAction {
  begin(cpu: number): void
  /** One packet of one discipline: false when the output queue is done. */
  step(cpu: number): boolean
}

/** Runs the disciplines that wait for it. Kernel: net/core/dev.c, net_tx_action */
export const netTxAction = defineSystem<NetTxAction>(
  'net_tx_action',
  'qdisc',
  'net/core/dev.c, net_tx_action',
  (context) => {
    const { STAGE } = NUMBERS

    const { scheduled, nextOutput, running } = context.write(Qdisc)
    const { head, tail, taken, current } = context.write(OutputQueue)
    const spend = context.system(charge)
    const run = context.system(qdiscRun)
    return {
      begin(cpu) {
        spend(cpu, STAGE.net_tx_action, 1)
        taken[cpu] = head[cpu]
        head[cpu] = 0
        tail[cpu] = 0
        current[cpu] = 0
      },
      step(cpu) {
        if (current[cpu] === 0) {
          const q = taken[cpu]
          if (q === 0) return false
          taken[cpu] = nextOutput[q]
          nextOutput[q] = 0
          scheduled[q] = 0
          if (running[q] !== 0) return true
          current[cpu] = q
          run.begin(cpu, q, true)
        }
        if (!run.step(cpu, current[cpu], true)) current[cpu] = 0
        return true
      },
    }
  },
)
