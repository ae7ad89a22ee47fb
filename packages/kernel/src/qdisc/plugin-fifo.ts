import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { EnqueueVerdict, pluginHook, QDISC_SHOT, QueueVerdict } from '../plugin/hooks.js'
import { Qdisc } from './components.js'
import { fifo, type QdiscOps } from './fifo.js'
import { qdiscWatchdog } from './qdisc-watchdog.js'

/** pfifo_fast, pfifo and bfifo, with what plugins say of them. */
export interface PluginFifo extends QdiscOps {
  /** True if plugins have a say: an empty discipline is then not passed by. */
  readonly hasPlugins: boolean
}

/**
 * The fifo disciplines, asked through hooks of plugins: into which band a packet goes, and how long the next one waits.
 * Without plugins these are the disciplines themselves. Kernel: include/net/sch_generic.h, struct Qdisc_ops
 */
export const pluginFifo = defineSystem<PluginFifo>(
  'qdisc_ops',
  'qdisc',
  'include/net/sch_generic.h, struct Qdisc_ops',
  (context) => {
    const { BANDS, NET_XMIT } = NUMBERS

    const plain = context.system(fifo)
    const onEnqueue = pluginHook(context, 'qdisc_enqueue')
    const onDequeue = pluginHook(context, 'qdisc_dequeue')
    if (onEnqueue === null && onDequeue === null) return { ...plain, hasPlugins: false }
    const band = onEnqueue === null ? null : context.write(EnqueueVerdict).band
    const verdict = onDequeue === null ? null : context.write(QueueVerdict)
    const { nowPs, overlimits } = context.write(Qdisc)
    const watch = context.system(qdiscWatchdog)
    const one = new Int32Array(1)

    /** True if the next packet of a queue has to wait. */
    function isHeld(cpu: number, q: number): boolean {
      if (onDequeue === null || verdict === null) return false
      const row = plain.peek(q)
      if (row === 0) return false
      verdict.packet[q] = row
      verdict.waitPs[q] = 0
      one[0] = q
      onDequeue(one, 1, cpu)
      if (!(verdict.waitPs[q] > 0)) return false
      overlimits[q]++
      watch(q, nowPs[q] + Math.ceil(verdict.waitPs[q]))
      return true
    }

    return {
      hasPlugins: true,
      enqueue(cpu, q, row) {
        if (onEnqueue === null || band === null) return plain.enqueue(cpu, q, row)
        band[row] = plain.bandOf(q, row)
        one[0] = row
        onEnqueue(one, 1, cpu)
        if (band[row] === QDISC_SHOT) return NET_XMIT.drop
        if (band[row] >= BANDS) throw new Error(`a plugin chose band ${band[row]}; there are ${BANDS}`)
        return plain.enqueueIn(q, row, band[row])
      },
      dequeue: (cpu, q) => (isHeld(cpu, q) ? 0 : plain.dequeue(cpu, q)),
    }
  },
)
