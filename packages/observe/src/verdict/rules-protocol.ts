/** Diagnoses told from the drop reason alone: packets refused for what they are, not for lack of room. */
import { formatCount, formatPercent } from '../format.js'
import type { HostFacts, RunFacts } from './facts.js'
import type { DiagnosisRule, Finding, Remedy } from './rule.js'
import { remedy, type SettingPaths, settingPaths } from './settings.js'

interface ReasonRule {
  readonly name: string
  readonly summary: string
  readonly reasons: readonly string[]
  /** Functions all of whose drops count, whatever their reason. */
  readonly functions?: readonly string[]
  /** What happened, after `N frames`. */
  readonly what: string
  readonly advice: string
  /** They were lost for lack of room. */
  readonly forRoom?: boolean
  readonly remedy?: (host: HostFacts, paths: SettingPaths) => Remedy
}

/** What ends here nobody misses: echo replies that raw sockets have got a copy of. */
const NO_LOSS: readonly string[] = ['ping_rcv']

const REASONS: readonly ReasonRule[] = [
  {
    name: 'wire_errors',
    summary: 'Frames arrived damaged',
    reasons: ['NIC_WIRE_ERROR'],
    what: 'arrived with a bad FCS and were dropped by the NIC (rx_crc_errors)',
    advice: 'Look at cable, transceiver and the other end; no setting of the host brings them back.',
  },
  {
    name: 'no_socket',
    summary: 'Nobody listens on the port',
    reasons: ['NO_SOCKET'],
    what: 'went to a port that nobody reads (NoPorts)',
    advice: 'Compare the ports of traffic and applications; a program that starts late or crashed looks like this too.',
  },
  {
    name: 'bad_checksum',
    summary: 'Checksums are wrong',
    reasons: ['IP_CSUM', 'UDP_CSUM', 'TCP_CSUM', 'ICMP_CSUM', 'SKB_CSUM'],
    what: 'carried a wrong checksum (InCsumErrors)',
    advice: 'They were damaged after the FCS was written, or sent so: look at the sender and what is between.',
  },
  {
    name: 'bad_header',
    summary: 'Headers are malformed',
    reasons: ['IP_INHDR', 'PKT_TOO_SMALL', 'HDR_TRUNC', 'PKT_TOO_BIG', 'DEV_HDR'],
    what: 'had a malformed or truncated header (InHdrErrors, InTruncatedPkts)',
    advice: 'The sender makes them; the stack only refuses them.',
  },
  {
    name: 'other_host',
    summary: 'Frames are for another hardware address',
    reasons: ['OTHERHOST', 'UNICAST_IN_L2_MULTICAST'],
    what: 'were for the hardware address of another host (rx_otherhost_dropped)',
    advice: 'A switch floods them or the card is promiscuous; they cost softirq time all the same.',
  },
  {
    name: 'reverse_path',
    summary: 'The reverse path filter refuses the source',
    reasons: ['IP_RPFILTER'],
    what: 'failed the reverse path filter (IPReversePathFilter)',
    advice: 'Asymmetric routes need the loose mode.',
    remedy: (_host, paths) => remedy(paths.sysctl('net.ipv4.conf.all.rp_filter'), 2, 'any route back is good enough'),
  },
  {
    name: 'bad_address',
    summary: 'Addresses are not acceptable',
    reasons: [
      'IP_INADDRERRORS',
      'IP_INNOROUTES',
      'IP_LOCAL_SOURCE',
      'IP_INVALID_SOURCE',
      'IP_LOCALNET',
      'IP_INVALID_DEST',
    ],
    what: 'had a source or destination address the host does not take (InAddrErrors, InNoRoutes)',
    advice: 'Compare the addresses of traffic and devices.',
  },
  {
    name: 'no_protocol',
    summary: 'Nothing handles the protocol',
    reasons: ['IP_NOPROTO', 'UNHANDLED_PROTO', 'INVALID_PROTO'],
    what: 'carried a protocol that nothing on the host handles (InUnknownProtos)',
    advice: 'The stack can only drop them; filter them earlier if they are many.',
  },
  {
    name: 'xdp_drop',
    summary: 'The XDP program dropped them',
    reasons: ['XDP_NATIVE_DROP', 'XDP'],
    functions: ['do_xdp_generic'],
    what: 'were dropped by the XDP program, as its rules say',
    advice: 'This is the cheapest place to drop; nothing else needs to change.',
  },
  {
    name: 'ntuple_drop',
    summary: 'A flow rule of the card dropped them',
    reasons: [],
    functions: ['nic_ntuple'],
    what: 'matched an ntuple rule with action -1 and were dropped by the NIC, as the rule says',
    advice: 'They cost the host nothing; nothing else needs to change.',
  },
  {
    name: 'qdisc_full',
    summary: 'The host sends more than its link carries',
    reasons: ['QDISC_OVERLIMIT', 'QDISC_CONGESTED', 'FQ_FLOW_LIMIT'],
    what: 'were dropped by the queueing discipline they waited in to leave (tc -s qdisc: dropped)',
    advice:
      'A longer queue would only make them later; a faster link, fewer bytes, or a discipline that chooses whom to drop helps.',
    forRoom: true,
  },
  {
    name: 'no_memory',
    forRoom: true,
    summary: 'No sk_buff could be allocated',
    reasons: ['NOMEM', 'PFMEMALLOC'],
    what: 'were lost because no sk_buff could be allocated',
    advice: 'Something holds the buffers: look for full sockets and long backlogs first.',
    remedy: (host, paths) => remedy(paths.host('skb-limit'), host.plan.skbLimit * 2, 'more sk_buffs can exist'),
  },
]

function reasonFinding(rule: ReasonRule, host: HostFacts, run: RunFacts): Finding | null {
  const rows = run.result.drops.filter(
    (drop) =>
      drop.host === host.name &&
      !NO_LOSS.includes(drop.where) &&
      (rule.reasons.includes(drop.reason) || rule.functions?.includes(drop.where) === true),
  )
  const lost = rows.reduce((sum, drop) => sum + drop.count, 0)
  const most = [...rows].sort((a, b) => b.count - a.count)[0]
  if (lost === 0 || most === undefined) return null
  const { offered } = run.result.packets
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames${offered > 0 ? ` (${formatPercent(lost / offered)} of those offered)` : ''} ${rule.what}.`,
    evidence: `The drop reason is ${most.reason} in ${most.where}${rule.forRoom === true ? '' : ': they were refused for what they are, not for lack of room'}.`,
    advice: rule.advice,
    remedies: rule.remedy === undefined ? [] : [rule.remedy(host, settingPaths(run, host.name))],
  }
}

/** Rules told from the drop reason. */
export const PROTOCOL_RULES: readonly DiagnosisRule[] = REASONS.map((rule) => ({
  name: rule.name,
  subject: 'protocol',
  summary: rule.summary,
  find: (host, run) => reasonFinding(rule, host, run),
}))
