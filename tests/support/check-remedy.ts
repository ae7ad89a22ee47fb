/** The first remedy of a built-in scenario that loses packets, applied just as the verdict writes it. */
import type { ScenarioInput } from '@softnet/scenario'
import * as assert from 'uvu/assert'
import { runScenario, verdictOf } from './run-scenario.js'

/** What an engineer would call the bottleneck of the scenarios that lose packets. */
export const BOTTLENECKS: Readonly<Record<string, string>> = {
  'four-cpus': 'app_starved',
  'single-queue-overload': 'one_queue',
  'rps-single-queue': 'none',
  'rps-with-irq-cpu': 'rps_includes_irq_cpu',
  'backlog-overflow': 'backlog_cpu_saturated',
  'ring-too-small': 'ring_too_small',
  'receiver-same-cpu': 'app_starved',
  'receiver-other-cpu': 'app_too_slow',
  'interrupt-livelock': 'interrupt_livelock',
  'fragment-flood': 'fragment_memory',
  'firewall-linear': 'long_ruleset',
  'firewall-sets': 'none',
  'conntrack-table-full': 'conntrack_full',
  'router-livelock': 'interrupt_livelock',
  'link-flap': 'carrier_lost',
  'xps-off': 'other_cpus_queue',
  'xps-on': 'none',
  'nat-gateway': 'conntrack_full',
  'arp-storm': 'neighbour_table_full',
  'gratuitous-flood': 'arp_flood',
  'icmp-flood': 'echo_flood',
  'udp-sender': 'tx_cpu',
  'udp-gso-sender': 'tx_link',
  'request-response': 'none',
  'switch-incast': 'switch_full',
  ping: 'none',
  'container-veth': 'one_queue',
  'container-host': 'none',
  tcpdump: 'one_queue',
}

/** Those that end at the limit of the machine: nothing to try. */
const AT_THE_LIMIT: readonly string[] = ['napi-cures-livelock', 'gratuitous-flood']

/** Routers deliver nothing themselves: what counts is what they pass on. */
const ROUTERS: readonly string[] = ['router-overload', 'router-livelock', 'nat-gateway', 'arp-storm', 'link-flap']

/** Hosts that only send: nothing is delivered here. */
const SENDERS: readonly string[] = ['udp-sender', 'udp-gso-sender']

/** Runs that offer less in ten milliseconds than anybody could judge keep their duration. */
const SHORT = '12ms'
/** Timers of reassembly and linkwatch run for seconds; a capture fills its ring in more than ten milliseconds. */
const KEEPING: readonly string[] = ['fragment-flood', 'link-flap', 'tcpdump']

function durationOf(name: string, given: string | number | undefined) {
  return given === '200ms' || given === '120ms' || KEEPING.includes(name) ? given : SHORT
}

/** Asserts that a built-in scenario has its bottleneck, and that the first remedy delivers more. */
export function checkRemedy(name: string, scenario: ScenarioInput): void {
  const before = runScenario({
    ...scenario,
    duration: durationOf(name, scenario.duration),
    warmup: '1ms',
  })
  const { bottleneck, remedies } = verdictOf(before)
  const { offered, delivered, dropped } = before.report.packets
  const expected = BOTTLENECKS[name]
  if (expected !== undefined) assert.is(bottleneck, expected)
  if (ROUTERS.includes(name) || SENDERS.includes(name)) return
  if (AT_THE_LIMIT.includes(name)) {
    assert.ok(dropped > 0 && delivered > 0)
    return
  }
  if (dropped < offered * 0.01) {
    assert.ok(expected === undefined || expected === 'none', `${dropped} of ${offered} are lost: ${bottleneck}`)
    return
  }
  const [remedy] = remedies
  assert.ok(remedy, `${bottleneck} has a remedy`)
  const duration = KEEPING.includes(name) ? scenario.duration : SHORT
  const after = runScenario({ ...scenario, duration, warmup: '1ms' }, [remedy.set])
  const more = after.report.packets.delivered / Math.max(1, delivered)
  console.log(`${name.padEnd(24)}${bottleneck.padEnd(24)}${remedy.set}: delivered × ${more.toFixed(2)}`)
  assert.ok(more > 1.05, `${remedy.set}: ${delivered} delivered before, ${after.report.packets.delivered} after`)
}
