/** A recorded case of fragments on the simulated machine: the same packets, and what of counters and deliveries differs. */
import { createRunner } from '@softnet/engine'
import { type Bench, createBench, modelPartitions, reportModel, senderTruesizeBytes } from '@softnet/kernel'
import { compileScenario, type Plan } from '@softnet/scenario'
import { LINKTYPE_RAW, ParsedFrame, parseFrame } from '@softnet/wire'

/** One case in the format of recordings of packets in and out. */
export interface FragmentCase {
  readonly name: string
  readonly setup: { readonly sysctls: Readonly<Record<string, number>> }
  readonly steps: readonly { readonly do: string; readonly ms?: number; readonly op?: string }[]
  readonly packets_in: readonly { readonly step: number; readonly hex: string }[]
  readonly app_results: readonly { readonly step: number; readonly op: string; readonly result: unknown }[]
  readonly snmp_delta: Readonly<Record<string, number>>
  readonly drop_reasons: readonly string[]
  /** `FRAG` of /proc/net/sockstat at the end. */
  readonly frag_sockstat: { readonly inuse: number; readonly memory: number }
}

const STEP_PS = 100_000_000
const PS_PER_MS = 1e9
const IP_UDP_BYTES = 28
const FRAGMENT_PLACE = /@(ip_defrag|inet_frag_rbtree_purge|ip_expire)$/
/** What replies would move; the simulated host sends none. */
const OUTPUT = /^(IpOut|IpExtOut|IcmpMsg|Icmp6|Ip6)/

function planOf(sysctl: FragmentCase['setup']['sysctls']): Plan {
  const compiled = compileScenario(
    {
      kernel: '6.18',
      hosts: {
        machine: {
          cpus: 1,
          hz: 250,
          cstates: 'none',
          sysctl,
          devices: {
            tun0: { driver: 'veth', address: '10.9.0.1/24' },
            uplink: { driver: 'igb', address: '10.8.0.1/24', channels: { combined: 1 } },
          },
          apps: { program: { sockets: { bind: '0.0.0.0:5000' } } },
        },
      },
      traffic: { none: { to: 'machine/uplink', rate: '1pps', start: '3600s' } },
    },
    { source: 'fragments' },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  return { ...compiled.plan, traffic: [] }
}

/** Queues the case's steps on the machine; `results` gets what the program sees. */
function queueSteps(bench: Bench, given: FragmentCase, results: unknown[]): void {
  const socket = bench.socket(0)
  const parsed = new ParsedFrame()
  let packet = 0
  let delayPs = STEP_PS
  for (const step of given.steps) {
    if (step.do === 'wait') {
      delayPs += (step.ms ?? 0) * PS_PER_MS
      continue
    }
    const bytes = step.do === 'packet' ? Buffer.from(given.packets_in[packet++]?.hex ?? '', 'hex') : null
    bench.step(() => {
      if (bytes === null) {
        results.push(step.op === 'recv(u)' ? (socket.receive()?.bytes ?? '-1 EAGAIN') : socket.rmemBytes())
        return
      }
      parseFrame(parsed, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, LINKTYPE_RAW)
      const truesize = senderTruesizeBytes('tun', bytes.length - IP_UDP_BYTES, 576)
      bench.netifRx(bench.packets.make(parsed, bench.device('tun0'), truesize, packet))
    }, delayPs)
    delayPs = STEP_PS
  }
}

/**
 * Drops as both sides tell them: those of fragments one by one; those of whole packets by reason, since the kernel has
 * one event for a packet and the report counts its frames. Parts of a packet that is freed or cut short are no drops.
 */
function dropEvents(events: readonly string[]): string[] {
  const shown = events
    .map((text) => text.replace(/ .*/, ''))
    .filter((text) => !/@(skb_release_data|___pskb_trim)$/.test(text))
  const own = shown.filter((text) => FRAGMENT_PLACE.test(text)).sort()
  const others = shown.filter((text) => !FRAGMENT_PLACE.test(text)).map((text) => text.replace(/@.*/, ''))
  return [...own, ...[...new Set(others)].sort()]
}

/** Runs a case and returns a line for everything that is not as recorded. */
export function fragmentDifferences(given: FragmentCase): string[] {
  const plan = planOf(given.setup.sysctls)
  const bench = createBench(plan)
  const results: unknown[] = []
  queueSteps(bench, given, results)
  const waitsPs = given.steps.reduce((sum, step) => sum + (step.ms ?? 0) * PS_PER_MS, 0)
  const untilPs = 1e10 + given.steps.length * 2 * STEP_PS + waitsPs
  createRunner(modelPartitions(bench.model)).runUntil(untilPs)
  const differences: string[] = []
  const compare = (what: string, recorded: unknown, simulated: unknown): void => {
    const [a, b] = [JSON.stringify(recorded), JSON.stringify(simulated)]
    if (a !== b) differences.push(`${given.name}: ${what}: recorded ${a}, simulated ${b}`)
  }
  const report = reportModel(bench.model, untilPs)
  const netns = report.hosts.machine?.netns.init
  const moved: Record<string, number> = {}
  for (const [table, block] of Object.entries({ ...netns?.snmp, ...netns?.netstat })) {
    for (const [name, value] of Object.entries(block)) moved[`${table}${name}`] = value
  }
  for (const name of new Set([...Object.keys(moved), ...Object.keys(given.snmp_delta)])) {
    if (OUTPUT.test(name) || name === 'IpForwarding' || name === 'IpDefaultTTL') continue
    compare(name, given.snmp_delta[name] ?? 0, moved[name] ?? 0)
  }
  const sizes = given.app_results.map(({ result }) => (result as { len?: number }).len ?? result)
  compare('program', sizes, results)
  const { inuse, memory } = netns?.sockstat.FRAG ?? {}
  compare('sockstat FRAG', given.frag_sockstat, { inuse, memory })
  const drops = report.drops.flatMap(({ where, reason, count }) => Array<string>(count).fill(`${reason}@${where}`))
  compare('drops', dropEvents(given.drop_reasons), dropEvents(drops))
  return differences
}
