/** Receive queues: interrupts, polls and how full the ring got; and counters worth a line. */
import type { QueueRow, ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatFrequency, formatRate } from '../format.js'
import type { Density } from './density.js'
import { type Align, clip, heading, median, plainName, tableLines } from './layout.js'
import type { Paint } from './paint.js'

interface LabelledQueue {
  readonly label: string
  readonly row: QueueRow
}

function labelledQueues(result: ResultDocument): LabelledQueue[] {
  const hosts = Object.keys(result.hosts).sort()
  return hosts.flatMap((name) =>
    result.hosts[name]!.queues.map((row) => {
      const device = clip(plainName(row.dev), 12)
      const prefix = hosts.length > 1 ? `${clip(plainName(name), 10)}/` : ''
      return { label: `${prefix}${device}-rx-${row.queue}`, row }
    }),
  )
}

/** Heading and one line per queue; with many queues the ones that lost or carried most, and a summary. */
export function queueLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const queues = labelledQueues(result)
  if (queues.length === 0) return []
  const seconds = result.simulated_ns / 1e9
  const perSec = (count: number, format: (rate: number) => string): string =>
    seconds > 0 && count > 0 ? format(count / seconds) : ''
  const shown =
    queues.length <= density.queueRows
      ? queues
      : queues
          .map((queue, i) => ({ queue, i }))
          .sort(
            (a, b) => b.queue.row.dropped - a.queue.row.dropped || b.queue.row.frames - a.queue.row.frames || a.i - b.i,
          )
          .slice(0, density.queueRows)
          .map(({ queue }) => queue)
  const wide = columns >= 84
  const titles = ['QUEUE', 'irq', 'cpu', ...(wide ? ['frames'] : []), 'rate', 'irqs', 'pkts/poll', 'ring max', 'lost']
  const rows = [
    titles.map((cell, i) => (i === 0 ? paint.bold(cell) : paint.dim(cell))),
    ...shown.map(({ label, row }) => [
      label,
      `${row.irq}`,
      `${row.cpu}`,
      ...(wide ? [formatCount(row.frames)] : []),
      perSec(row.frames, formatRate),
      perSec(row.irqs, formatFrequency),
      row.polls > 0 && row.packets_per_poll > 0 ? row.packets_per_poll.toFixed(1) : '',
      `${formatCount(row.ring_max)}/${formatCount(row.ring_size)}`,
      row.dropped > 0 ? paint.red(formatCount(row.dropped)) : '',
    ]),
  ]
  const aligns = titles.map((_, i): Align => (i === 0 ? 'left' : 'right'))
  const lines = heading(tableLines(rows, aligns))
  if (shown.length < queues.length) {
    const frames = queues.map(({ row }) => row.frames)
    const summary = `all ${queues.length} queues, frames: min ${formatCount(Math.min(...frames))}   median ${formatCount(median(frames))}   max ${formatCount(Math.max(...frames))}`
    lines.push(`  ${paint.dim(summary)}`)
  }
  return lines.map((line) => clip(line, columns))
}

function softnetCounters(result: ResultDocument): string[] {
  let squeeze = 0
  let byPackets = 0
  let byTime = 0
  let ipis = 0
  let limited = 0
  let backlogMax = 0
  for (const host of Object.values(result.hosts)) {
    for (const { softnet_stat } of host.cpus) {
      squeeze += softnet_stat.time_squeeze
      byPackets += softnet_stat.squeeze_budget
      byTime += softnet_stat.squeeze_time
      ipis += softnet_stat.received_rps
      limited += softnet_stat.flow_limit_count
      backlogMax = Math.max(backlogMax, softnet_stat.input_qlen_max)
    }
  }
  const parts: string[] = []
  if (squeeze > 0) {
    const causes = [
      byPackets > 0 ? `${formatCount(byPackets)} by packets` : '',
      byTime > 0 ? `${formatCount(byTime)} by time` : '',
    ].filter((text) => text !== '')
    parts.push(`time_squeeze ${formatCount(squeeze)}${causes.length > 0 ? ` (${causes.join(', ')})` : ''}`)
  }
  if (ipis > 0) parts.push(`RPS IPIs ${formatCount(ipis)}`)
  if (backlogMax > 0) parts.push(`longest backlog ${formatCount(backlogMax)}`)
  if (limited > 0) parts.push(`flow_limit ${formatCount(limited)}`)
  return parts
}

function stackCounters(result: ResultDocument): string[] {
  let merged = 0
  let fullest = { share: 0, text: '' }
  for (const host of Object.values(result.hosts)) {
    merged += (host.gro.MERGED ?? 0) + (host.gro.MERGED_FREE ?? 0)
    for (const { sockets } of Object.values(host.netns)) {
      for (const socket of sockets) {
        const share = socket.rcvbuf > 0 ? socket.rmem_max_used / socket.rcvbuf : 0
        if (share <= fullest.share || share < 0.5) continue
        const text = `fullest socket ${plainName(socket.app)} ${plainName(socket.local)} used ${formatCount(socket.rmem_max_used)} of ${formatCount(socket.rcvbuf)} B`
        fullest = { share, text }
      }
    }
  }
  const parts: string[] = []
  if (merged > 0) parts.push(`GRO merged ${formatCount(merged)}`)
  if (fullest.text !== '') parts.push(fullest.text)
  return parts
}

/** Counters that are not zero, several to a line. */
export function counterLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const lines: string[] = []
  let line = ''
  for (const part of [...softnetCounters(result), ...stackCounters(result)]) {
    const joined = line === '' ? `  ${part}` : `${line}   ${part}`
    if (line !== '' && joined.length > columns) {
      lines.push(line)
      line = `  ${part}`
    } else {
      line = joined
    }
  }
  if (line !== '') lines.push(line)
  return lines.slice(0, density.counterRows).map((text) => paint.dim(clip(text, columns)))
}
