/** Diagnosis of a run that lost nothing yet: its queues grow from beginning to end, and overflow in a longer run. */
import type { ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatPercent } from '../format.js'
import type { HostFacts, RunFacts } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { BACKLOG_RULES } from './rules-backlog.js'
import { RING_RULES } from './rules-ring.js'
import { SOCKET_RULES } from './rules-socket.js'

/** Frames in queues at the end are an overload from this share of what was offered. */
const GROWING_SHARE = 0.05

type WaitingPlace = 'nic' | 'ring' | 'softirq' | 'backlog' | 'socket'

const PLACES: readonly (readonly [WaitingPlace, string])[] = [
  ['nic', 'the card'],
  ['ring', 'the ring'],
  ['softirq', 'softirq'],
  ['backlog', 'the backlog'],
  ['socket', 'sockets'],
]

/** Whether the queues have gone on filling in the second half of the run; told by what is read, where nothing else is done with packets. */
function fillsToTheEnd({ packets, timeline }: Pick<ResultDocument, 'packets' | 'timeline'>): boolean {
  if (packets.sent + packets.consumed > 0) return true
  let [came, stayed] = [0, 0]
  for (const { offered, delivered, dropped } of timeline.slice(Math.floor(timeline.length / 2))) {
    came += offered
    stayed += offered - delivered - dropped
  }
  return came > 0 && stayed >= came * GROWING_SHARE
}

/** The host as it will be when the fullest place has overflowed by what waits there: the rules about losses say why. */
function overflowed(host: HostFacts, place: WaitingPlace, frames: number): HostFacts {
  if (place === 'backlog') {
    const cpus = host.cpus.map((cpu) => {
      const stat = { ...cpu.row.softnet_stat, dropped: cpu.row.softnet_stat.input_qlen_max }
      return { ...cpu, row: { ...cpu.row, softnet_stat: stat } }
    })
    return { ...host, cpus, lostByReason: { CPU_BACKLOG: frames } }
  }
  if (place === 'socket') {
    const fill = (app: HostFacts['apps'][number]) => Math.max(0, ...app.sockets.map((socket) => socket.rmem_max_used))
    return {
      ...host,
      apps: host.apps.map((app) => ({ ...app, drops: fill(app) })),
      lostByReason: { SOCKET_RCVBUFF: frames },
    }
  }
  return { ...host, lostByReason: { NIC_RX_NO_BUFFER: frames } }
}

const RULES: Readonly<Record<WaitingPlace, readonly DiagnosisRule[]>> = {
  nic: RING_RULES,
  ring: RING_RULES,
  softirq: RING_RULES,
  backlog: BACKLOG_RULES,
  socket: SOCKET_RULES,
}

function queuesGrowing(host: HostFacts, run: RunFacts): Finding | null {
  const { packets, waiting, drops } = run.result
  const inQueues = PLACES.reduce((sum, [place]) => sum + waiting[place], 0)
  const isGrowing = inQueues >= packets.offered * GROWING_SHARE && fillsToTheEnd(run.result)
  if (drops.length > 0 || !isGrowing || !host.cpus.some(({ saturated }) => saturated)) return null
  const [place, name] = PLACES.reduce((most, each) => (waiting[each[0]] > waiting[most[0]] ? each : most))
  const full = overflowed(host, place, waiting[place])
  const why = RULES[place].map((rule) => rule.find(full, run)).find((finding) => finding !== null)
  const busiest = [...host.cpus].sort((a, b) => a.idle - b.idle || a.cpu - b.cpu)[0]
  return {
    lostFrames: 0,
    weight: 1,
    claim: `More comes than is taken: at the end ${formatCount(inQueues)} frames (${formatPercent(inQueues / packets.offered)}) are in queues, most of them in ${name} (${formatCount(waiting[place])}), and a longer run loses what no longer fits.`,
    evidence: why?.evidence ?? `cpu${busiest?.cpu ?? 0} is ${formatPercent(1 - (busiest?.idle ?? 0))} busy.`,
    advice: why?.advice ?? 'Simulate for longer to see where packets are lost.',
    remedies: why?.remedies ?? [],
  }
}

/** The rule about queues that grow. */
export const GROWING_RULES: readonly DiagnosisRule[] = [
  {
    name: 'queues_growing',
    subject: 'latency',
    summary: 'Queues grow until the end of the run, and nothing is lost yet',
    find: queuesGrowing,
  },
]
