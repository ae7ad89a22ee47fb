/** Diagnoses of links that went away during the run. */
import type { LinkLogRow } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatTime } from '../format.js'
import type { HostFacts, RunFacts } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'

/** A carrier that went, and when the kernel stopped using its device; both ns. */
interface Loss {
  readonly dev: string
  readonly atNs: number
  /** Until the device was switched off, or the carrier was back, or the run ended. */
  readonly blindNs: number
}

/** What is lost for want of a carrier, by place. */
const PLACES = ['wire_rx', 'wire_tx', '__dev_xmit_skb', 'qdisc_reset', 'neigh_flush_dev'] as const

function lossesOf(log: readonly LinkLogRow[], endNs: number): Loss[] {
  return log.flatMap((row, i) => {
    // A device that is closed loses its carrier too.
    const isClosed = log.slice(0, i).findLast(({ dev }) => dev === row.dev)?.what === 'dev_deactivate'
    if (row.what !== 'netif_carrier_off' || isClosed) return []
    const ends = ['dev_deactivate', 'netif_carrier_on', 'NETDEV_GOING_DOWN']
    const end = log.slice(i + 1).find(({ dev, what }) => dev === row.dev && ends.includes(what))
    return [{ dev: row.dev, atNs: row.t_ns, blindNs: (end?.t_ns ?? endNs) - row.t_ns }]
  })
}

function lostAt(host: HostFacts, run: RunFacts, place: (typeof PLACES)[number]): number {
  const isLink = ({ where, reason }: { where: string; reason: string }): boolean =>
    where === place && (place !== '__dev_xmit_skb' || reason === 'QDISC_DROP')
  return run.result.drops.reduce((sum, row) => (row.host === host.name && isLink(row) ? sum + row.count : sum), 0)
}

function carrierLost(host: HostFacts, run: RunFacts): Finding | null {
  const losses = lossesOf(host.result.link_log ?? [], run.result.simulated_ns)
  const longest = [...losses].sort((a, b) => b.blindNs - a.blindNs)[0]
  const [received, blind, noop, ...purged] = PLACES.map((place) => lostAt(host, run, place))
  const waited = purged.reduce((sum, count) => sum + count, 0)
  const lost = (received ?? 0) + (blind ?? 0) + (noop ?? 0) + waited
  if (longest === undefined || lost === 0) return null
  const { offered } = run.result.packets
  const share = offered > 0 ? ` (${formatPercent(lost / offered)} of those offered)` : ''
  const times = losses.length === 1 ? 'once' : `${losses.length} times`
  const parts = [
    [received, 'came while the cable was out'],
    [blind, 'were sent before linkwatch switched the device off'],
    [noop, 'met its noop discipline'],
    [waited, 'had waited to be sent'],
  ] as const
  const words = parts.filter(([count]) => (count ?? 0) > 0).map(([count, what]) => `${formatCount(count ?? 0)} ${what}`)
  return {
    lostFrames: lost,
    weight: 1,
    claim: `The link went away ${times}: ${formatCount(lost)} frames${share} were lost for want of a carrier.`,
    evidence: `${words.join(', ')}; the longest that ${longest.dev} was sent to without carrier was ${formatTime(longest.blindNs)}, from ${formatTime(longest.atNs)} on.`,
    advice:
      'Linkwatch handles a link that goes at most once a second; what must be faster watches the carrier itself, as bonding does (miimon).',
    remedies: [],
  }
}

/** Frames of a host that were lost in a function. */
function lostIn(host: HostFacts, run: RunFacts, place: string): number {
  return run.result.drops.reduce(
    (sum, { host: on, where, count }) => (on === host.name && where === place ? sum + count : sum),
    0,
  )
}

/** When a device that was closed came up again. */
function openedAgain(log: readonly LinkLogRow[], closed: LinkLogRow): LinkLogRow | undefined {
  return log.find(({ dev, what, t_ns }) => dev === closed.dev && what === 'NETDEV_UP' && t_ns > closed.t_ns)
}

/** How long a device was closed, in words. */
function closedFor(log: readonly LinkLogRow[], closed: LinkLogRow): string {
  const opened = openedAgain(log, closed)
  return opened === undefined
    ? 'to the end'
    : `for ${formatTime(opened.t_ns - closed.t_ns)}, from ${formatTime(closed.t_ns)} on`
}

function shareOf(lost: number, run: RunFacts): string {
  const { offered } = run.result.packets
  return offered > 0 ? ` (${formatPercent(lost / offered)} of those offered)` : ''
}

/** A card that was closed, or whose rings were changed. */
function cardClosed(host: HostFacts, run: RunFacts): Finding | null {
  const log = host.result.link_log ?? []
  const lost = lostIn(host, run, 'ndo_stop')
  const cards = new Set(host.result.queues.map(({ dev }) => dev))
  const closed = log.find(({ dev, what }) => what === 'NETDEV_DOWN' && cards.has(dev))
  const resized = log.find(({ what }) => what === 'ethtool -G')
  if (lost === 0 || (closed === undefined && resized === undefined)) return null
  const frames = `${formatCount(lost)} frames${shareOf(lost, run)}`
  const rest = { lostFrames: lost, weight: 1, remedies: [] }
  const evidence = 'The drop reason is NIC_DEV_CLOSED; no counter of the host has them.'
  if (closed === undefined) {
    return {
      ...rest,
      claim: `ethtool -G closed the rings of ${resized?.dev} at ${formatTime(resized?.t_ns ?? 0)}: ${frames} were in them or came meanwhile.`,
      evidence,
      advice: 'Rings are best changed before there is traffic: the driver closes them, and the link goes for a moment.',
    }
  }
  return {
    ...rest,
    claim: `${closed.dev} was closed ${closedFor(log, closed)}: ${frames} came to a card that takes none, or were in its ring.`,
    evidence,
    advice:
      'Routes that were added to the device, and its permanent neighbours, do not come back with it: only what its addresses bring.',
  }
}

/** A VLAN device that was closed while the one below was not. */
function vlanClosed(host: HostFacts, run: RunFacts): Finding | null {
  const log = host.result.link_log ?? []
  const lost = lostIn(host, run, 'vlan_do_receive')
  const endNs = run.result.simulated_ns
  const spanNs = (row: LinkLogRow) => (openedAgain(log, row)?.t_ns ?? endNs) - row.t_ns
  // The one that was closed longest.
  const [closed] = log
    .filter(({ dev, what }) => what === 'NETDEV_DOWN' && dev.includes('.'))
    .sort((a, b) => spanNs(b) - spanNs(a))
  if (lost === 0 || closed === undefined) return null
  return {
    lostFrames: lost,
    weight: 1,
    claim: `The VLAN device ${closed.dev} was closed ${closedFor(log, closed)}: ${formatCount(lost)} frames${shareOf(lost, run)} came with a tag of a device that is down.`,
    evidence: 'They were lost in vlan_do_receive, which counts nothing.',
    advice: 'A VLAN device that is down takes nothing; it comes up when the device below does, or by ip link set.',
    remedies: [],
  }
}

function deviceDown(host: HostFacts, run: RunFacts): Finding | null {
  const found = [cardClosed(host, run), vlanClosed(host, run)].filter((each) => each !== null)
  return found.sort((a, b) => b.lostFrames - a.lostFrames)[0] ?? null
}

function transmitHang(host: HostFacts, run: RunFacts): Finding | null {
  const reset = (host.result.tx_queues ?? []).filter(({ tx_timeout }) => (tx_timeout ?? 0) > 0)
  const lostFor = (wanted: string): number =>
    run.result.drops.reduce(
      (sum, { host: on, reason, count }) => (on === host.name && reason === wanted ? sum + count : sum),
      0,
    )
  const inRing = lostFor('NIC_TX_TIMEOUT')
  const [queue] = reset
  if (queue === undefined || inRing === 0) return null
  const waiting = lostFor('QDISC_OVERLIMIT')
  return {
    lostFrames: inRing + waiting,
    weight: 1,
    claim: `Transmit queue ${queue.queue} of ${queue.dev} hung: ${formatCount(inRing)} frames in its ring were lost when the watchdog had it reset.`,
    evidence: `tx_timeout is ${queue.tx_timeout ?? 0}; ${formatCount(waiting)} frames found the discipline above it full meanwhile.`,
    advice:
      'A queue is reset five seconds after it stopped, at the earliest: look for what makes the card hang (firmware, its log).',
    remedies: [],
  }
}

/** Rules about links. */
export const LINK_RULES: readonly DiagnosisRule[] = [
  { name: 'carrier_lost', subject: 'wire', summary: 'A link went away', find: carrierLost },
  { name: 'tx_timeout', subject: 'protocol', summary: 'A transmit queue hung', find: transmitHang },
  { name: 'device_down', subject: 'ring', summary: 'A device was closed', find: deviceDown },
]
