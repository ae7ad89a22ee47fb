/** Diagnoses of datagrams that come in fragments: no memory to hold them, or pieces that never come. */
import { formatBytes, formatCount, formatPercent } from '../format.js'
import type { HostFacts, RunFacts } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { powerOfTwoAtLeast, remedy, settingPaths } from './settings.js'

const HIGH = 'net.ipv4.ipfrag_high_thresh'
const TIME = 'net.ipv4.ipfrag_time'
const DIST = 'net.ipv4.ipfrag_max_dist'

function lost(host: HostFacts, run: RunFacts, reason: string, where: string): number {
  return run.result.drops
    .filter((drop) => drop.host === host.name && drop.reason === reason && (where === '' || drop.where === where))
    .reduce((sum, { count }) => sum + count, 0)
}

function counter(host: HostFacts, name: string): number {
  return Object.values(host.result.netns).reduce((sum, { snmp }) => sum + (snmp.Ip?.[name] ?? 0), 0)
}

function memoryMax(host: HostFacts): number {
  return Math.max(0, ...Object.values(host.result.netns).map(({ sockstat }) => sockstat.FRAG.memory_max))
}

function frames(count: number, run: RunFacts): string {
  const { offered } = run.result.packets
  return `${formatCount(count)} fragments${offered > 0 ? ` (${formatPercent(count / offered)} of the frames offered)` : ''}`
}

/** Above the limit every fragment is refused, also of datagrams that would be complete. */
function noMemory(host: HostFacts, run: RunFacts): Finding | null {
  const refused = lost(host, run, 'NOT_SPECIFIED', 'ip_defrag')
  const high = host.plan.sysctl[HIGH]
  const most = memoryMax(host)
  if (refused === 0 || most <= high) return null
  const timeouts = counter(host, 'ReasmTimeout')
  const seconds = host.plan.sysctl[TIME]
  const paths = settingPaths(run, host.name)
  const factor = powerOfTwoAtLeast(1 + Math.ceil(refused / Math.max(1, timeouts)))
  const remedies = [
    remedy(paths.sysctl(HIGH), Math.max(high, 262_144) * factor, 'memory for all that comes within ipfrag_time'),
  ]
  if (seconds > 1) remedies.push(remedy(paths.sysctl(TIME), 1, 'what never completes gives its memory back sooner'))
  return {
    lostFrames: refused,
    weight: 0,
    claim: `${frames(refused, run)} were refused because fragments of datagrams that do not complete filled ipfrag_high_thresh (${formatBytes(high)}).`,
    evidence: `FRAG memory of /proc/net/sockstat reached ${formatBytes(most)}; ${formatCount(timeouts)} datagrams timed out after ipfrag_time = ${seconds} s (ReasmTimeout) and ${formatCount(counter(host, 'ReasmOKs'))} were put together: nothing is evicted, so good fragments are refused until timers end.`,
    advice:
      'Find who sends fragments without the rest and drop them before IP (a flow rule or XDP); datagrams that fit the path MTU are not affected.',
    remedies,
  }
}

/** Fragments that contradict each other, with memory to spare. */
function contradiction(host: HostFacts, run: RunFacts): Finding | null {
  const refused = lost(host, run, 'NOT_SPECIFIED', 'ip_defrag')
  if (refused === 0 || memoryMax(host) > host.plan.sysctl[HIGH]) return null
  return {
    lostFrames: refused,
    weight: 0,
    claim: `${frames(refused, run)} contradicted others of their datagram: they overlap, end beyond the last one, or carry nothing (ReasmFails, ReasmOverlaps).`,
    evidence: 'Each ends its whole datagram; what was held of it is freed without a drop event.',
    advice: 'No sound sender does this: look for ids that come round within ipfrag_time, or for an attack.',
    remedies: [],
  }
}

function timedOut(host: HostFacts, run: RunFacts): Finding | null {
  const late = lost(host, run, 'FRAG_REASM_TIMEOUT', '')
  if (late === 0) return null
  return {
    lostFrames: late,
    weight: 0,
    claim: `${frames(late, run)} of ${formatCount(counter(host, 'ReasmTimeout'))} datagrams waited ${host.plan.sysctl[TIME]} s for the rest, which never came (ReasmTimeout).`,
    evidence: `Of ${formatCount(counter(host, 'ReasmReqds'))} fragments received, ${formatCount(counter(host, 'ReasmOKs'))} datagrams became complete.`,
    advice:
      'Look for loss, or a filter by port that lets only first fragments pass, between sender and host; no setting of the host brings the rest.',
    remedies: [],
  }
}

function tooFar(host: HostFacts, run: RunFacts): Finding | null {
  const given = lost(host, run, 'FRAG_TOO_FAR', '')
  if (given === 0) return null
  const limit = host.plan.sysctl[DIST]
  const paths = settingPaths(run, host.name)
  return {
    lostFrames: given,
    weight: 0,
    claim: `${frames(given, run)} were given up because more than ipfrag_max_dist (${limit}) others of the same sender came before their datagram went on.`,
    evidence: 'The drop reason is FRAG_TOO_FAR: many datagrams of one address are under way at once, as behind NAT.',
    advice: 'Where ids of one address cannot come round within ipfrag_time, the limit can be raised or turned off.',
    remedies: [remedy(paths.sysctl(DIST), limit * 16, 'datagrams of one sender may be further apart')],
  }
}

function duplicate(host: HostFacts, run: RunFacts): Finding | null {
  const twice = lost(host, run, 'DUP_FRAG', '')
  if (twice === 0) return null
  return {
    lostFrames: twice,
    weight: 0,
    claim: `${frames(twice, run)} were there already and were ignored (DUP_FRAG).`,
    evidence: 'Their datagrams are not harmed.',
    advice: 'Something on the way sends frames twice.',
    remedies: [],
  }
}

/** Rules of this file. */
export const FRAGMENT_RULES: readonly DiagnosisRule[] = [
  { name: 'fragment_memory', subject: 'protocol', summary: 'No memory for fragments', find: noMemory },
  {
    name: 'fragment_contradiction',
    subject: 'protocol',
    summary: 'Fragments contradict each other',
    find: contradiction,
  },
  { name: 'fragment_timeout', subject: 'protocol', summary: 'Datagrams never become complete', find: timedOut },
  { name: 'fragment_distance', subject: 'protocol', summary: 'Fragments are too far apart', find: tooFar },
  { name: 'fragment_duplicate', subject: 'protocol', summary: 'Fragments come twice', find: duplicate },
]
