import type { XdpPlan } from '@softnet/scenario'
import { FAULT_L4_SHORT } from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DEVICE_ROWS, DeviceCount, PacketCount } from '../src/count/components.js'
import { DEVICE } from '../src/count/device.js'
import { DROP } from '../src/count/drops.js'
import { XDP, type XdpVerdictName } from '../src/xdp/components.js'
import { GroWorld, type Packet } from './support/gro-world.js'

type Rule = XdpPlan['rules'][number]

const ANY = { proto: 0, saddr: null, daddr: null, sport: null, dport: null }
const rule = (verdict: XdpVerdictName, match: Partial<Rule> = {}): Rule => ({ ...ANY, ...match, verdict })
const UDP = 17
const SADDR = 0x0a090002

function world(mode: 'native' | 'generic', ...rules: readonly Rule[]): GroWorld {
  return new GroWorld({ xdp: { mode, rules } })
}

function verdictOf(rules: readonly Rule[], packet: Packet): number {
  const one = world('native', ...rules)
  return one.xdp.native(one.cpu, one.device, one.make({ proto: UDP, ...packet }))
}

const MATCHES: readonly (readonly [string, readonly Rule[], Packet, number])[] = [
  ['no rules pass', [], {}, XDP.pass],
  ['a rule without conditions takes all', [rule('drop')], { protocol: 0x86dd }, XDP.drop],
  ['first match decides', [rule('tx', { dport: 8000 }), rule('drop')], {}, XDP.tx],
  ['a miss goes on to the next', [rule('tx', { dport: 8001 }), rule('drop')], {}, XDP.drop],
  ['no match passes', [rule('drop', { dport: 8001 })], {}, XDP.pass],
  ['protocol', [rule('drop', { proto: UDP })], { proto: 6 }, XDP.pass],
  ['protocol on IPv6', [rule('drop', { proto: UDP })], { protocol: 0x86dd }, XDP.pass],
  ['source address', [rule('drop', { saddr: SADDR })], {}, XDP.drop],
  ['source address differs', [rule('drop', { saddr: SADDR })], { saddr: SADDR + 1 }, XDP.pass],
  ['high source address', [rule('drop', { saddr: 0xc0a80001 })], { saddr: 0xc0a80001 }, XDP.drop],
  ['destination address', [rule('drop', { daddr: 0x0a090001 })], {}, XDP.drop],
  ['both ports', [rule('drop', { sport: 40000, dport: 8000 })], {}, XDP.drop],
  ['source port differs', [rule('drop', { sport: 40000, dport: 8000 })], { sport: 40001 }, XDP.pass],
  ['address rule on IPv6', [rule('drop', { saddr: SADDR })], { protocol: 0x86dd }, XDP.pass],
  ['ports of ICMP', [rule('drop', { dport: 8000 })], { proto: 1 }, XDP.pass],
  ['ports of a later fragment', [rule('drop', { dport: 8000 })], { frag: 100 }, XDP.pass],
  ['ports of a first fragment', [rule('drop', { dport: 8000 })], { frag: 0x2000 }, XDP.drop],
  ['ports cut off', [rule('drop', { dport: 8000 })], { faults: FAULT_L4_SHORT }, XDP.pass],
]

for (const [name, rules, packet, verdict] of MATCHES) {
  test(name, () => assert.is(verdictOf(rules, packet), verdict))
}

interface Fate {
  readonly verdict: XdpVerdictName
  readonly bytes: number
  readonly returns: number
  readonly sent: number
  readonly native: number
  readonly generic: number
  readonly redirect: number
}

const FATES: readonly Fate[] = [
  { verdict: 'pass', bytes: 100, returns: XDP.pass, sent: 0, native: 0, generic: 0, redirect: 0 },
  { verdict: 'drop', bytes: 100, returns: XDP.drop, sent: 0, native: 1, generic: 1, redirect: 0 },
  { verdict: 'aborted', bytes: 100, returns: XDP.aborted, sent: 0, native: 1, generic: 1, redirect: 0 },
  { verdict: 'tx', bytes: 100, returns: XDP.tx, sent: 1, native: 0, generic: 0, redirect: 0 },
  { verdict: 'redirect', bytes: 1476, returns: XDP.redirect, sent: 1, native: 0, generic: 0, redirect: 0 },
  { verdict: 'redirect', bytes: 1477, returns: XDP.aborted, sent: 0, native: 0, generic: 0, redirect: 1 },
]
const COUNTED = {
  pass: 'xdpPass',
  drop: 'xdpDrop',
  aborted: 'xdpAborted',
  tx: 'xdpTx',
  redirect: 'xdpRedirect',
} as const

for (const fate of FATES) {
  for (const mode of ['native', 'generic'] as const) {
    test(`${mode} ${fate.verdict} of ${fate.bytes} bytes`, () => {
      const one = world(mode, rule(fate.verdict))
      const rows = one.freeRows
      const row = one.make({ proto: UDP, bytes: fate.bytes })
      assert.is(one.xdp[mode](one.cpu, one.device, row), fate.returns)
      assert.is(one.freeRows, fate.verdict === 'pass' ? rows - 1 : rows)
      assert.is(one.counted(COUNTED[fate.verdict]), 1)
      const packets = one.world.columns(PacketCount)
      assert.is(packets.sent[one.cpu], fate.sent)
      const lost = fate.native + fate.redirect
      assert.is(packets.dropped[one.cpu], lost)
      assert.is(one.dropped(DROP.xdpNative), mode === 'native' ? fate.native : 0)
      assert.is(one.dropped(DROP.xdpGeneric), mode === 'generic' ? fate.generic : 0)
      assert.is(one.dropped(DROP.xdpRedirect), fate.redirect)
      const tx = one.world.columns(DeviceCount).value[one.cpu * DEVICE_ROWS + DEVICE.txPackets]
      assert.is(tx, mode === 'generic' ? fate.sent : 0)
      assert.equal(one.lost, mode === 'generic' && lost > 0 ? [row] : [], 'kfree_skb tells of skbs only')
      assert.is(one.stagePs('xdp'), 1000)
      assert.is(one.stagePs('clean_rx_byte'), mode === 'generic' ? 1000 * (fate.bytes + 42) : 0)
    })
  }
}

test('a lost packet counts its frames', () => {
  const one = world('generic', rule('drop'))
  const row = one.make()
  one.skb.frames[row] = 3
  one.xdp.generic(one.cpu, one.device, row)
  assert.is(one.dropped(DROP.xdpGeneric), 3)
})

test.run()
