import type { ArpCacheStat, HostResult, NetnsResult } from '@softnet/scenario'
import { cpu, drop, hostPlan, hostResult, plan, queue, result } from './fixtures.js'
import { type Case, calm, full, hot, missed } from './verdict-cases.js'

/** Statistics of a table of neighbours. */
export const arpCache = (change: Partial<ArpCacheStat>): ArpCacheStat => ({
  entries: 1024,
  allocs: 1024,
  destroys: 0,
  hash_grows: 7,
  lookups: 0,
  hits: 0,
  res_failed: 0,
  periodic_gc_runs: 0,
  forced_gc_runs: 0,
  unresolved_discards: 0,
  table_fulls: 0,
  ...change,
})

function withNetns(netns: Partial<NetnsResult>, change: Partial<HostResult> = {}): HostResult {
  const host = hostResult(change)
  return { ...host, netns: { init: { ...(host.netns.init as NetnsResult), ...netns } } }
}

const busy: Partial<HostResult> = { cpus: [cpu(0, full), cpu(1), cpu(2), cpu(3)], queues: [queue(0, 0, hot)] }
const icmp = (Icmp: Record<string, number>): Partial<NetnsResult> => ({ snmp: { Ip: {}, Udp: {}, Icmp } })

/** Findings about neighbours and ICMP. */
export const ANSWER_CASES: readonly Case[] = [
  {
    rule: 'neighbour_table_full',
    document: result(withNetns({ arp_cache: [arpCache({ table_fulls: 800, forced_gc_runs: 801 })] }), [
      drop('ip_finish_output2', 'NEIGH_CREATEFAIL', 800),
    ]),
    plan: plan(hostPlan(4), [calm]),
    says: /800 frames.*holds 1,024 entries and may hold 1,024.*full 800 times.*801 sweeps/,
    sets: ['net.ipv4.neigh.default.gc_thresh3=8192'],
  },
  {
    rule: 'neighbour_unresolved',
    document: result(withNetns({ arp_cache: [arpCache({ res_failed: 3 })] }), [
      drop('arp_error_report', 'NEIGH_FAILED', 90),
      drop('__neigh_event_send', 'NEIGH_QUEUEFULL', 400),
    ]),
    plan: plan(hostPlan(4), [calm]),
    says: /490 frames.*400 gave way.*90 were given up.*3 neighbours failed/,
    sets: [],
  },
  {
    rule: 'arp_flood',
    document: result(withNetns({ arp_cache: [arpCache({ lookups: 60_000 })] }, busy), [missed(50_000)]),
    plan: plan(hostPlan(4), [calm]),
    says: /50,000 frames.*cpu0 is busy with a flood of ARP: 60,000 messages.*storm control/,
    sets: [],
  },
  {
    rule: 'echo_flood',
    document: result(withNetns(icmp({ InEchos: 70_000, OutEchoReps: 69_000 }), busy), [missed(50_000)]),
    plan: plan(hostPlan(4), [calm]),
    says: /50,000 frames.*echo flood: 70,000 requests, of which 69,000 were answered/,
    sets: ['net.ipv4.icmp_echo_ignore_all=1'],
  },
  {
    rule: 'icmp_limited',
    document: result(withNetns(icmp({ OutDestUnreachs: 60, OutRateLimitGlobal: 900, OutRateLimitHost: 40 })), [
      drop('__udp4_lib_rcv', 'NO_SOCKET', 1000),
    ]),
    plan: plan(hostPlan(4), [calm]),
    says: /1,000 frames.*60 of their.*900 answers by icmp_msgs_per_sec = 1000.*40 by icmp_ratelimit = 1000 ms/,
    sets: [],
  },
]
