/** Diagnoses of what the host does for others by itself: finding neighbours, and answering with ICMP. */
import type { NetnsResult } from '@softnet/scenario/plan'
import { formatCount, formatPercent } from '../format.js'
import { type HostFacts, hottestQueue, lostFor, type RunFacts } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { powerOfTwoAtLeast, remedy, settingPaths } from './settings.js'

const THRESH = 'net.ipv4.neigh.default.gc_thresh'
/** Share of the frames offered from which echo requests are a flood. */
const FLOOD_SHARE = 0.25

function sumOf(host: HostFacts, pick: (netns: NetnsResult) => number): number {
  return Object.values(host.result.netns).reduce((sum, netns) => sum + pick(netns), 0)
}

function arpCache(
  host: HostFacts,
  key: 'lookups' | 'table_fulls' | 'res_failed' | 'forced_gc_runs' | 'unresolved_discards',
): number {
  return sumOf(host, ({ arp_cache = [] }) => arp_cache.reduce((sum, row) => sum + row[key], 0))
}

function neighbours(host: HostFacts): number {
  return sumOf(host, ({ arp_cache = [] }) => arp_cache[0]?.entries ?? 0)
}

function shareOf(count: number, run: RunFacts): string {
  const { offered } = run.result.packets
  return offered > 0 ? ` (${formatPercent(count / offered)} of those offered)` : ''
}

/** Packets to more addresses than the table of neighbours may hold. */
function tableFull(host: HostFacts, run: RunFacts): Finding | null {
  const lost = lostFor(host, 'NEIGH_CREATEFAIL')
  const fulls = arpCache(host, 'table_fulls')
  if (lost === 0 || fulls === 0) return null
  const most = host.plan.sysctl[`${THRESH}3`]
  const sweeps = arpCache(host, 'forced_gc_runs')
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames${shareOf(lost, run)} went to neighbours for which there was no room: the table holds ${formatCount(neighbours(host))} entries and may hold ${formatCount(most)} (neighbor table overflow).`,
    evidence: `The table was full ${formatCount(fulls)} times (table_fulls of /proc/net/stat/arp_cache); ${formatCount(sweeps)} sweeps for room found nothing to give up, since whoever is still asked for, or was heard of within five seconds, stays.`,
    advice:
      'A subnet that is scanned looks like this: route unused addresses to a blackhole, or make the table larger if so many neighbours are real.',
    remedies: [
      remedy(
        settingPaths(run, host.name).sysctl(`${THRESH}3`),
        Math.min(1_048_576, powerOfTwoAtLeast(8 * most)),
        'room for every neighbour that is asked for',
      ),
    ],
  }
}

/** Packets that waited for an answer that did not come, or for longer than the queue holds. */
function unresolved(host: HostFacts, run: RunFacts): Finding | null {
  const failed = lostFor(host, 'NEIGH_FAILED')
  const discarded = lostFor(host, 'NEIGH_QUEUEFULL')
  const lost = failed + discarded
  if (lost === 0) return null
  const neighboursLost = arpCache(host, 'res_failed')
  const kept = host.plan.devices[0]?.neigh.unres_qlen_bytes ?? 0
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames${shareOf(lost, run)} waited for the hardware address of a neighbour that did not answer: ${formatCount(discarded)} gave way to later ones (unres_qlen_bytes is ${formatCount(kept)}), ${formatCount(failed)} were given up after three requests.`,
    evidence: `${formatCount(neighboursLost)} neighbours failed (res_failed of /proc/net/stat/arp_cache); each packet that is given up is answered with host unreachable, under the limits of ICMP.`,
    advice:
      'Look whether the next hop is there and answers ARP on that link; more room only keeps packets that nobody will take.',
    remedies: [],
  }
}

/** ARP messages that take the time of the CPU of their queue. */
function arpFlood(host: HostFacts, run: RunFacts): Finding | null {
  const messages = arpCache(host, 'lookups')
  const queue = hottestQueue(host)
  const lost = lostFor(host, 'NIC_RX_MISSED', 'NIC_RX_NO_BUFFER', 'CPU_BACKLOG')
  if (queue === undefined || lost === 0 || !queue.cpu.saturated) return null
  if (messages < run.result.packets.offered * FLOOD_SHARE) return null
  return {
    lostFrames: lost,
    weight: 0,
    limits: 'place',
    claim: `${formatCount(lost)} frames${shareOf(lost, run)} found no room because cpu${queue.cpu.cpu} is busy with a flood of ARP: ${formatCount(messages)} messages were looked at.`,
    evidence:
      'Cards give frames that are not IP to their first queue, whatever RSS says, and every host of the link gets a broadcast; most of these change nothing in the table of neighbours.',
    advice:
      'Stop the loop or the sender, or have the switch limit broadcasts (storm control); on the host only XDP is early enough.',
    remedies: [],
  }
}

/** Echo requests that take the time of the CPU of their queue. */
function echoFlood(host: HostFacts, run: RunFacts): Finding | null {
  const echoes = sumOf(host, ({ snmp }) => snmp.Icmp?.InEchos ?? 0)
  const answers = sumOf(host, ({ snmp }) => snmp.Icmp?.OutEchoReps ?? 0)
  const queue = hottestQueue(host)
  const { offered } = run.result.packets
  if (queue === undefined || echoes < offered * FLOOD_SHARE || !queue.cpu.saturated) return null
  const lost = lostFor(host, 'NIC_RX_MISSED', 'NIC_RX_NO_BUFFER', 'CPU_BACKLOG')
  if (lost === 0) return null
  const paths = settingPaths(run, host.name)
  return {
    lostFrames: lost,
    weight: 0,
    limits: 'place',
    claim: `${formatCount(lost)} frames${shareOf(lost, run)} found no room because cpu${queue.cpu.cpu} is busy with an echo flood: ${formatCount(echoes)} requests, of which ${formatCount(answers)} were answered.`,
    evidence:
      'Nothing limits echo replies: icmp_ratelimit and icmp_msgs_per_sec are for the types of icmp_ratemask, errors by default, and type 0 is not one of them.',
    advice:
      'Drop echo requests before the stack: with XDP, with a rule of the card, or with nft at hook ingress; a limit of nft spares only the answers.',
    remedies:
      answers === 0
        ? []
        : [
            remedy(
              paths.sysctl('net.ipv4.icmp_echo_ignore_all'),
              1,
              'spares the answers; the requests still cost their way in',
            ),
          ],
  }
}

/** Datagrams to closed ports, whose answers are held back by the limits. */
function errorsLimited(host: HostFacts, run: RunFacts): Finding | null {
  const lost = lostFor(host, 'NO_SOCKET')
  const byHost = sumOf(host, ({ snmp }) => snmp.Icmp?.OutRateLimitHost ?? 0)
  const global = sumOf(host, ({ snmp }) => snmp.Icmp?.OutRateLimitGlobal ?? 0)
  const told = sumOf(host, ({ snmp }) => snmp.Icmp?.OutDestUnreachs ?? 0)
  if (lost === 0 || byHost + global === 0) return null
  const { icmp_msgs_per_sec, icmp_msgs_burst, icmp_ratelimit } = host.plan.ipv4
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames${shareOf(lost, run)} went to a port that nobody reads (NoPorts); ${formatCount(told)} of their senders' packets were answered with an ICMP error.`,
    evidence: `The limits held back the rest: ${formatCount(global)} answers by icmp_msgs_per_sec = ${icmp_msgs_per_sec} with a burst of ${icmp_msgs_burst} (OutRateLimitGlobal), ${formatCount(byHost)} by icmp_ratelimit = ${icmp_ratelimit} ms per peer (OutRateLimitHost).`,
    advice:
      'That is what the limits are for: a scan costs the host the look-up and little more. Whoever traces routes or probes path MTUs at that time sees gaps.',
    remedies: [],
  }
}

/** Rules of this file. */
export const ANSWER_RULES: readonly DiagnosisRule[] = [
  { name: 'neighbour_table_full', subject: 'protocol', summary: 'The table of neighbours is full', find: tableFull },
  { name: 'neighbour_unresolved', subject: 'protocol', summary: 'A neighbour does not answer', find: unresolved },
  { name: 'arp_flood', subject: 'ring', summary: 'ARP messages take the CPU', find: arpFlood },
  { name: 'echo_flood', subject: 'ring', summary: 'Echo requests take the CPU', find: echoFlood },
  { name: 'icmp_limited', subject: 'protocol', summary: 'Limits hold back ICMP errors', find: errorsLimited },
]
