/** Disciplines of a host as `tc -s qdisc show` prints them. */
import type { QdiscRow } from '@softnet/scenario/plan'

const number = (value: number): string => String(Math.round(value))

function detailLines({ kind, details }: QdiscRow): string[] {
  const at = (name: string) => number(details[name] ?? 0)
  if (kind === 'fq_codel') {
    return [
      `  maxpacket ${at('maxpacket')} drop_overlimit ${at('drop_overlimit')} new_flow_count ${at('new_flow_count')} ecn_mark ${at('ecn_mark')}${(details.ce_mark ?? 0) > 0 ? ` ce_mark ${at('ce_mark')}` : ''}`,
    ]
  }
  return kind === 'fq' ? [`  flows created ${at('flows_created')} flows_plimit ${at('flows_plimit')}`] : []
}

function one(row: QdiscRow): string {
  const lines = [
    `qdisc ${row.kind} 0: dev ${row.dev} ${row.parent === 'root' ? 'root' : `parent :${row.parent.slice(4)}`} `,
    ` Sent ${number(row.bytes)} bytes ${number(row.packets)} pkt (dropped ${number(row.dropped)}, overlimits ${number(row.overlimits)} requeues ${number(row.requeues)}) `,
    ` backlog ${number(row.backlog_bytes)}b ${number(row.backlog_packets)}p requeues ${number(row.requeues)}`,
    ...detailLines(row),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** The sum over the queues of a device, as `mq` shows it. Kernel: net/sched/sch_mq.c, mq_dump */
function root(dev: string, rows: readonly QdiscRow[]): string {
  const sum = (of: (row: QdiscRow) => number) => rows.reduce((total, row) => total + of(row), 0)
  return one({
    dev,
    queue: 0,
    parent: 'root',
    kind: 'mq',
    bytes: sum((row) => row.bytes),
    packets: sum((row) => row.packets),
    dropped: sum((row) => row.dropped),
    overlimits: sum((row) => row.overlimits),
    requeues: sum((row) => row.requeues),
    backlog_bytes: sum((row) => row.backlog_bytes),
    backlog_packets: sum((row) => row.backlog_packets),
    qlen_max: 0,
    details: {},
  })
}

/** `tc -s qdisc show`: by device, the root before the disciplines below it. iproute2: tc/tc_qdisc.c, print_qdisc */
export function tcQdiscText(rows: readonly QdiscRow[]): string {
  const devices = [...new Set(rows.map((row) => row.dev))]
  return devices
    .map((dev) => {
      const own = rows.filter((row) => row.dev === dev)
      return (own.length > 1 ? root(dev, own) : '') + own.map(one).join('')
    })
    .join('')
}
