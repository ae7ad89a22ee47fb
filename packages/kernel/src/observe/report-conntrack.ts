import type { ConntrackResult } from '@softnet/scenario/plan'
import { formatIpv4, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '@softnet/wire'
import type { Model } from '../build/build-model.js'
import type { HostLayout } from '../build/layout.js'
import { CONN, IPS, NfConn, NfConnBucket, NfConnStat, NfConnTable } from '../netfilter/conntrack-components.js'
import { TCP_CT_NAMES } from '../netfilter/tcp-states.js'
import { netRow } from '../netns/net-row.js'

/** Connections that a result lists. */
const LISTED = 64
const NAMES: Readonly<Record<number, string>> = {
  [IPPROTO_ICMP]: 'icmp',
  [IPPROTO_TCP]: 'tcp',
  [IPPROTO_UDP]: 'udp',
}

/** Connections of a host: how many, what became of packets, and the first of them in the order of the table. */
export function reportConntrack(model: Model, host: HostLayout): ConntrackResult {
  const { world } = model
  const table = world.columns(NfConnTable)
  const s = world.columns(NfConnStat)
  const t = 1 + host.index
  return {
    count: table.count[t],
    max: table.max[t],
    buckets: table.buckets[t],
    stat: host.cpus.map((number) => {
      const cpu = netRow(host.index, model.layout.hosts.length, model.layout.cpuRows) + number
      return {
        entries: table.count[t],
        clashres: s.clashResolve[cpu],
        found: s.found[cpu],
        invalid: s.invalid[cpu],
        chainlength: s.chainTooLong[cpu],
        insert_failed: s.insertFailed[cpu],
        drop: s.drop[cpu],
        early_drop: s.earlyDrop[cpu],
        icmp_error: s.error[cpu],
      }
    }),
    entries: listEntries(model, host),
  }
}

function jiffiesAtEnd(model: Model, host: HostLayout): number {
  return Math.floor(model.plan.durationPs / model.constants.jiffyPs[host.cpus[0]])
}

function listEntries(model: Model, host: HostLayout): string[] {
  const { first } = model.world.columns(NfConnBucket)
  const { firstBucket, buckets } = model.world.columns(NfConnTable)
  const { nextOriginal, nextReply, timeoutJiffies } = model.world.columns(NfConn)
  const t = 1 + host.index
  const now = jiffiesAtEnd(model, host)
  const lines: string[] = []
  for (let bucket = firstBucket[t]; bucket < firstBucket[t] + buckets[t] && lines.length < LISTED; bucket++) {
    for (let link = first[bucket]; link !== 0; ) {
      const conn = link >> 1
      if ((link & 1) === 0 && timeoutJiffies[conn] > now) lines.push(entryLine(model, host, conn))
      link = (link & 1) === 0 ? nextOriginal[conn] : nextReply[conn]
    }
  }
  return lines.slice(0, LISTED)
}

function tuple(protocol: number, saddr: number, daddr: number, ports: number): string {
  const addresses = `src=${formatIpv4(saddr)} dst=${formatIpv4(daddr)}`
  const high = ports >>> 16
  const low = ports & 0xffff
  if (protocol === IPPROTO_ICMP) return `${addresses} type=${low >> 8} code=${low & 255} id=${high}`
  return protocol === IPPROTO_TCP || protocol === IPPROTO_UDP ? `${addresses} sport=${high} dport=${low}` : addresses
}

/** Kernel: net/netfilter/nf_conntrack_standalone.c, ct_seq_show */
function entryLine(model: Model, host: HostLayout, conn: number): string {
  const c = model.world.columns(NfConn)
  const protocol = c.protocol[conn]
  const now = jiffiesAtEnd(model, host)
  const left = c.live[conn] === CONN.confirmed ? c.timeoutJiffies[conn] - now : c.timeoutJiffies[conn]
  const seconds = Math.max(0, Math.floor(left / host.plan.hz))
  const state = protocol === IPPROTO_TCP ? `${TCP_CT_NAMES[c.tcpState[conn]]} ` : ''
  const replied = (c.status[conn] & IPS.seenReply) === 0 ? '[UNREPLIED] ' : ''
  const assured = (c.status[conn] & IPS.assured) === 0 ? '' : '[ASSURED] '
  const original = tuple(protocol, c.saddr[conn], c.daddr[conn], c.ports[conn])
  const reply = tuple(protocol, c.replySaddr[conn], c.replyDaddr[conn], c.replyPorts[conn])
  const name = (NAMES[protocol] ?? 'unknown').padEnd(8)
  return `ipv4     2 ${name} ${protocol} ${seconds} ${state}${original} ${replied}${reply} ${assured}mark=${c.mark[conn]} zone=0 use=2`
}
