import type { QdiscKind, QdiscRow, TxQueueRow } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import type { HostLayout } from '../build/layout.js'
import { Dql, TxQueue } from '../nic/tx-components.js'
import { QDISC, Qdisc } from '../qdisc/components.js'
import { SockSend } from '../sock/sock-wfree.js'

/** One row per transmit queue of the devices that a host's load leaves by. */
export function reportTxQueues(model: Model, host: HostLayout): TxQueueRow[] {
  const t = model.world.columns(TxQueue)
  const { limit } = model.world.columns(Dql)
  return host.devices.flatMap((device) =>
    device.txQueues.map((queue, index) => ({
      dev: device.plan.name,
      queue: index,
      cpu: host.cpus.indexOf(t.cpu[queue]),
      packets: t.packets[queue],
      bytes: t.bytes[queue],
      stops: t.stops[queue],
      restarts: t.restarts[queue],
      ...(t.timeouts[queue] > 0 ? { tx_timeout: t.timeouts[queue] } : {}),
      remote_packets: t.remote[queue],
      ring_max: t.ringMax[queue],
      ring_size: t.ringSize[queue],
      bql_limit: limit[queue],
    })),
  )
}

/** What each discipline counts besides. Kernel: include/uapi/linux/pkt_sched.h, struct tc_fq_codel_xstats, tc_fq_qd_stats */
function details(model: Model, kind: QdiscRow['kind'], queue: number): Readonly<Record<string, number>> {
  const q = model.world.columns(Qdisc)
  if (kind === 'fq_codel') {
    return {
      maxpacket: q.maxPacketBytes[queue],
      drop_overlimit: q.dropOverlimit[queue],
      new_flow_count: q.newFlows[queue],
      ecn_mark: q.ecnMarks[queue],
      ...(q.ceThresholdPs[queue] < Number.POSITIVE_INFINITY ? { ce_mark: q.ceMarks[queue] } : {}),
      drop_overmemory: q.dropOvermemory[queue],
      memory_used: q.memoryBytes[queue],
    }
  }
  return kind === 'fq'
    ? { flows_created: q.newFlows[queue], flows_plimit: q.flowDrops[queue], throttled: q.throttled[queue] }
    : {}
}

/** Disciplines by number. */
const KINDS = Object.keys(QDISC) as readonly QdiscKind[]

/** Disciplines as `tc -s qdisc` lists them: one per transmit queue. */
export function reportQdiscs(model: Model, host: HostLayout): QdiscRow[] {
  const q = model.world.columns(Qdisc)
  return host.devices.flatMap(({ plan, txQueues }) =>
    txQueues.map((queue, index): QdiscRow => {
      const kind = KINDS[q.sleeping[queue]] ?? 'noqueue'
      return {
        dev: plan.name,
        queue: index,
        parent: txQueues.length === 1 ? 'root' : `mq :${(index + 1).toString(16)}`,
        kind,
        bytes: q.sentBytes[queue],
        packets: q.sentPackets[queue],
        dropped: q.drops[queue],
        overlimits: q.overlimits[queue],
        requeues: q.requeues[queue],
        backlog_bytes: q.backlog[queue],
        backlog_packets: q.qlen[queue],
        qlen_max: q.qlenMax[queue],
        details: details(model, kind, queue),
      }
    }),
  )
}

/** Sending side of a socket, for hosts whose programs send. */
export function reportSending(model: Model, sock: number): { sent: number; sndbuf: number; wmem_max_used: number } {
  const s = model.world.columns(SockSend)
  return { sent: s.sent[sock], sndbuf: s.sndbuf[sock], wmem_max_used: s.wmemMax[sock] }
}
