import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PROFILE_NAMES } from '../src/profile-names.js'
import { COST_PROFILES, costProfile } from '../src/profiles/index.js'
import { type CostProfile, STAGES, type StageName } from '../src/stages.js'

/** Packets per poll under overload: one poll per pass when a single queue is busy. */
const BATCH = 64

/** Time of a list of stages, each once, ns. */
function sumNs(profile: CostProfile, names: readonly StageName[]): number {
  let cycles = 0
  for (const name of names) cycles += profile.stages[name].cycles
  return (cycles / profile.frequencyHz) * 1e9
}

/** One packet through a driver in polls of 64, up to and including `ip_rcv`, GRO on, ns. */
function rxToIpNs(profile: CostProfile): number {
  const perPoll = sumNs(profile, ['softirq', 'net_rx_action', 'napi_poll']) / BATCH
  return perPoll + sumNs(profile, ['clean_rx', 'refill', 'gro_receive', 'netif_receive_skb', 'ip_rcv'])
}

function rxToUdpNs(profile: CostProfile): number {
  return rxToIpNs(profile) + sumNs(profile, ['ip_route_input', 'ip_local_deliver', 'udp_rcv'])
}

function close(actual: number, expected: number, withinNs: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= withinNs, `${what}: ${actual} ns, published ${expected} ns`)
}

const e5 = costProfile('xeon-e5-1650-v4')
const vm = costProfile('vm-linux-6.18')
const modern = costProfile('modern-server')

test('the E5 receive side adds up to 431 ns for an accepted and 353 ns for a refused datagram', () => {
  close(rxToUdpNs(e5) + sumNs(e5, ['udp_enqueue']), 431, 0.01, 'accepted')
  close(rxToUdpNs(e5) + sumNs(e5, ['udp_drop']), 353, 0.01, 'socket full')
})

test('the E5 receive call adds up to 562.2 ns for 18 bytes of another CPU', () => {
  const fixed = sumNs(e5, ['syscall', 'recvmsg', 'consume_skb', 'remote_skb'])
  close(fixed + 18 * sumNs(e5, ['copy_to_user']), 562.202, 0.01, 'recvmsg')
})

test('the E5 drop at a closed port adds up to the published rate', () => {
  close(rxToUdpNs(e5) + sumNs(e5, ['no_socket', 'kfree_skb']), 1e9 / 3_380_531, 0.01, 'UdpNoPorts')
})

test('the E5 raw drop is the published 197.9 ns once the iptables table of 26.8 ns is added', () => {
  close(rxToIpNs(e5) + sumNs(e5, ['kfree_skb']) + 26.8, 197.9, 0.01, 'raw drop')
})

test('one E5 interrupt with its poll costs 0.75 µs, and up to what Linux needs more per burst at 1 Mpps with cold caches', () => {
  const warm = sumNs(e5, ['hardirq', 'softirq', 'net_rx_action', 'napi_poll', 'napi_complete'])
  close(warm, 750, 0.01, 'interrupt and poll')
  const perBurst = (busy: number, mpps: number) => (busy / mpps - 1e9 / 24_379_178 / 1e3) * 32e3
  assert.ok(warm > perBurst(0.624, 10), 'XDP at 10 Mpps is less: bursts run into each other')
  assert.ok(warm < perBurst(0.473, 5), 'XDP at 5 Mpps has moderation work too')
  const coldNs = (e5.coldPoll.cycles / e5.frequencyHz) * 1e9
  assert.ok(coldNs > 0 && coldNs < 2200, 'Linux beyond XDP at 2 and at 1 Mpps')
})

test('one E5 work item of DIM is what XDP needs beyond packets and interrupts at 0.5, 1 and 2 Mpps', () => {
  const workNs = (e5.stages.dim_work.cycles / e5.frequencyHz) * 1e9
  const untilAppliedNs = workNs + e5.latency.nicCommandPs / 1000
  close(untilAppliedNs, 64_000, 0.01, 'from decision to effect')
  for (const [mpps, busy] of [
    [0.5, 0.117],
    [1, 0.196],
    [2, 0.289],
  ] as const) {
    const burstNs = 32e3 / mpps
    const interrupts = 750 / burstNs
    const beyond = busy - (mpps * 41.019) / 1000 - interrupts
    const cycle = (polls: number) => (10 * (polls + 1) + 11) * burstNs
    const polls = Math.ceil(untilAppliedNs / burstNs)
    const least = (beyond * cycle(Math.max(1, polls - 1))) / 10
    const most = (beyond * cycle(polls + 1)) / 10
    assert.ok(workNs >= least && workNs <= most, `${mpps} Mpps: ${least} to ${most}, profile ${workNs}`)
  }
})

test('the softirq part of one veth packet on 6.18 adds up to the measured 293.1 ns without the sender orphan', () => {
  const names: StageName[] = ['softirq', 'net_rx_action', 'process_backlog', 'napi_complete', 'netif_receive_skb']
  names.push('ip_rcv', 'ip_route_input', 'ip_local_deliver', 'udp_rcv', 'udp_enqueue')
  close(sumNs(vm, names), 293.1 - 17.6, 0.05, 'udp64_veth softirq')
})

test('the receive call on 6.18 adds up to the measured 192.5 ns at 64 messages per call', () => {
  const perMessage = sumNs(vm, ['recvmsg', 'consume_skb']) + 64 * sumNs(vm, ['copy_to_user'])
  close(perMessage + sumNs(vm, ['syscall']) / 64, 192.5, 0.5, 'udp64_veth recv')
})

test('stages without a figure of the E5 use the ratio of the stages both machines have', () => {
  const names: StageName[] = ['netif_receive_skb', 'ip_rcv', 'ip_route_input', 'ip_local_deliver', 'udp_rcv']
  const ratio = (sumNs(e5, names) * e5.frequencyHz) / (sumNs(vm, names) * vm.frequencyHz)
  assert.ok(Math.abs(ratio - e5.stages.schedule.cycles / vm.stages.schedule.cycles) < 0.01, `${ratio}`)
})

test('a refused datagram costs less than an accepted one in every profile', () => {
  for (const profile of COST_PROFILES) {
    assert.ok(sumNs(profile, ['udp_drop']) < sumNs(profile, ['udp_enqueue']), profile.name)
  }
})

test('the modern server needs fewer cycles than the E5 for one packet', () => {
  const ratio = (rxToUdpNs(modern) * modern.frequencyHz) / (rxToUdpNs(e5) * e5.frequencyHz)
  assert.ok(Math.abs(ratio - 0.8) < 1e-9, `${ratio}`)
})

test('every profile covers exactly the stages, each a positive finite number with a source', () => {
  for (const profile of COST_PROFILES) {
    assert.equal(Object.keys(profile.stages).sort(), [...STAGES].sort(), profile.name)
    for (const name of STAGES) {
      const { cycles, source } = profile.stages[name]
      assert.ok(Number.isFinite(cycles) && cycles > 0, `${profile.name} ${name}: ${cycles}`)
      assert.ok(source.trim().length > 20, `${profile.name} ${name}: source "${source}"`)
    }
  }
})

test('frequencies, latencies and factors are sane', () => {
  for (const profile of COST_PROFILES) {
    assert.ok(profile.frequencyHz >= 1e9 && profile.frequencyHz <= 6e9, profile.name)
    const { irqDeliveryPs, ipiPs, nicCommandPs, lineSmtPs, lineLlcPs, lineNodePs, lineRemotePs, source } =
      profile.latency
    assert.ok(
      0 < lineSmtPs && lineSmtPs < lineLlcPs && lineLlcPs < lineNodePs && lineNodePs < lineRemotePs,
      profile.name,
    )
    assert.ok(nicCommandPs >= 1e6 && nicCommandPs <= 1e9, profile.name)
    for (const ps of [irqDeliveryPs, ipiPs, lineRemotePs]) assert.ok(ps >= 1e5 && ps <= 1e7, `${profile.name}: ${ps}`)
    assert.ok(profile.coldPacket.sameNodeCycles > 0)
    assert.ok(profile.coldPacket.otherNodeCycles > profile.coldPacket.sameNodeCycles, profile.name)
    assert.ok(profile.smtSlowdown.factor >= 1 && profile.smtSlowdown.factor <= 2, profile.name)
    assert.ok(Number.isFinite(profile.coldPoll.cycles) && profile.coldPoll.cycles > 0, profile.name)
    const texts = [source, profile.coldPacket.source, profile.smtSlowdown.source, profile.coldPoll.source]
    for (const text of texts) assert.ok(text.length > 20, profile.name)
    assert.ok(profile.calibratedOn.length > 0 && profile.description.length > 0, profile.name)
  }
})

test('idle states go from shallow to deep', () => {
  for (const profile of COST_PROFILES) {
    assert.ok(profile.cstates.length > 0, profile.name)
    let exitNs = 0
    let residencyNs = 0
    for (const state of profile.cstates) {
      assert.ok(state.exitLatencyNs > exitNs && state.targetResidencyNs > residencyNs, `${profile.name} ${state.name}`)
      assert.ok(state.source.length > 20)
      exitNs = state.exitLatencyNs
      residencyNs = state.targetResidencyNs
    }
  }
})

test('the listed profiles are the ones a scenario may name', () => {
  assert.equal(
    COST_PROFILES.map((each) => each.name),
    [...PROFILE_NAMES],
  )
  for (const name of PROFILE_NAMES) assert.is(costProfile(name).name, name)
})

test('an unknown profile is refused with the known names and the nearest one', () => {
  assert.throws(
    () => costProfile('modern-servr'),
    /"modern-servr" is not known.*vm-linux-6\.18.*did you mean modern-server/,
  )
})

test.run()
