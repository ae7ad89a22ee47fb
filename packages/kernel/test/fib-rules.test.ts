import { parseRule, type RulePlan } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ERRNO, FibRoute, SCOPE } from '../src/route/components.js'
import { fibLookup } from '../src/route/fib-lookup.js'
import { fibSelectMultipath } from '../src/route/fib-multipath.js'
import { hostRules } from '../src/route/fill-rules.js'
import { Flow } from '../src/route/flow.js'
import { ip, makeIpWorld } from './support/ip-world.js'

const rule = (text: string): RulePlan => parseRule(text) as RulePlan

test('rules stand in order of priority, those without one in front of the second', () => {
  const rules = ['table 1', 'priority 500 table 2', 'table 3', 'priority 500 table 4', 'priority 40000 table 5'].map(
    rule,
  )
  const placed = hostRules({ plan: { rules } } as unknown as Parameters<typeof hostRules>[0])
  assert.equal(
    placed.map(({ priority, table }) => [priority, table]),
    [
      [0, 255],
      [499, 3],
      [500, 2],
      [500, 4],
      [32_765, 1],
      [32_766, 254],
      [32_767, 253],
      [40_000, 5],
    ],
  )
})

const routes = ['203.0.113.0/24 dev eth1', '203.0.113.0/24 dev eth0 table 100', 'throw 203.0.113.128/25 table 100']

function found(rules: readonly string[], to: string, fill: Partial<Flow> = {}, oif = 0): string {
  const { world, binder, devs } = makeIpWorld({ routes, rules: rules.map(rule), devices })
  const row = binder.bind(fibLookup).find(0, ip(to) | 0, 0, oif, SCOPE.universe, Object.assign(new Flow(), fill))
  if (row < 0) return String(row)
  return `eth${devs.indexOf(world.columns(FibRoute).dev[row] as number)}`
}

const devices = [
  { name: 'eth0', addresses: ['192.0.2.1/24'] },
  { name: 'eth1', addresses: ['10.0.0.1/8'] },
]

test('a table is gone through where its rule fits; throw goes on at the next rule', () => {
  assert.is(found([], '203.0.113.5'), 'eth1')
  assert.is(found(['table 100'], '203.0.113.5'), 'eth0')
  assert.is(found(['table 100'], '203.0.113.200'), 'eth1')
  assert.is(found(['table 100 suppress_prefixlength 24'], '203.0.113.5'), 'eth1')
  assert.is(found(['table 100 suppress_prefixlength 23'], '203.0.113.5'), 'eth0')
  assert.is(found(['prohibit'], '203.0.113.5'), String(-ERRNO.EACCES))
  assert.is(found(['priority 5 goto 7', 'priority 6 blackhole', 'priority 7 table 100'], '203.0.113.5'), 'eth0')
  assert.is(found(['priority 5 goto 8', 'priority 6 blackhole'], '203.0.113.5'), String(-ERRNO.EINVAL))
})

test('what a rule asks for decides', () => {
  const own = { saddr: ip('192.0.2.9') | 0, mark: 0x17, protocol: 17, sport: 9, dport: 53 }
  const fits = (text: string, flow: Partial<Flow> = own) => found([`${text} table 100`], '203.0.113.5', flow) === 'eth0'
  for (const text of ['from 192.0.2.0/24', 'fwmark 0x10/0x30', 'ipproto udp', 'dport 50-53', 'sport 9', 'iif lo'])
    assert.ok(fits(text), text)
  for (const text of [
    'from 192.0.2.8',
    'fwmark 0x10',
    'ipproto tcp',
    'dport 54-60',
    'not iif lo',
    'to 198.51.100.0/24',
  ])
    assert.not.ok(fits(text), text)
})

test('flows spread over next hops by weight, each always by the same one', () => {
  const { binder, world } = makeIpWorld({
    devices,
    routes: ['203.0.113.0/24 nexthop via 192.0.2.2 weight 1 nexthop via 10.0.0.2 weight 3'],
  })
  const select = binder.bind(fibSelectMultipath)
  const route = binder.bind(fibLookup).find(0, ip('203.0.113.5') | 0, 0, 0, SCOPE.universe, new Flow())
  let second = 0
  for (let i = 0; i < 4000; i++) {
    const path = select(1, route, ip('203.0.113.5') | 0, (ip('192.0.2.1') + i * 7919) | 0, new Flow())
    if ((world.columns(FibRoute).gateway[path] as number) >>> 0 === ip('10.0.0.2')) second++
    assert.is(select(1, route, ip('203.0.113.5') | 0, (ip('192.0.2.1') + i * 7919) | 0, new Flow()), path)
  }
  assert.ok(second > 2850 && second < 3150, String(second))
})

test.run()
