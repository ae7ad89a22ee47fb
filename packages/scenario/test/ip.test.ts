import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileScenario, type HostPlan, parseRoute, parseRule } from '../src/index.js'

const ip = suite('routes, neighbours and settings of IP')

function compile(host: object) {
  const devices = { eth0: { address: '192.0.2.1/24' }, eth1: { address: '198.18.0.1/24' } }
  return compileScenario({ hosts: { h: { devices, ...host } }, traffic: { t: { to: 'h/eth0' } } }, { source: 'ip' })
}

function planOf(host: object) {
  const compiled = compile(host)
  assert.ok(compiled.ok)
  return compiled.ok ? compiled.plan.hosts[0] : undefined
}

function faultsOf(host: object): string[] {
  const compiled = compile(host)
  return compiled.ok ? [] : compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`)
}

ip('routes given take the place of the default one', () => {
  assert.equal(
    planOf({})?.routes.map(({ lengthBits, dev }) => [lengthBits, dev]),
    [[0, 'eth0']],
  )
  const given = planOf({ routes: ['203.0.113.0/24 via 198.18.0.9 metric 5', 'unreachable 10.0.0.0/8'] })?.routes
  assert.equal(
    given?.map(({ type, lengthBits, gateway, metric, dev }) => [type, lengthBits, gateway, metric, dev]),
    [
      ['unicast', 24, 0xc6120009, 5, null],
      ['unreachable', 8, 0, 0, null],
    ],
  )
})

ip('ip_forward is what devices do that say nothing else', () => {
  const host = planOf({
    sysctl: { 'net.ipv4.ip_forward': 1, 'net.ipv4.icmp_ratelimit': 7 },
    devices: { eth0: {}, eth1: { conf: { forwarding: 0 } } },
  })
  assert.equal(
    host?.devices.map(({ conf }) => conf.forwarding),
    [1, 0],
  )
  assert.is(host?.confAll.forwarding, 1)
  assert.is(host?.ipv4.icmp_ratelimit, 7)
})

ip('what cannot be is told with its place', () => {
  assert.equal(faultsOf({ routes: ['203.0.113.0/24 via 10.0.0.1'] }), [
    'hosts.h.routes[0]: a gateway on a subnet of a device of the host; 10.0.0.1 is on none',
  ])
  assert.equal(faultsOf({ routes: ['default dev eth7'] }), [
    'hosts.h.routes[0]: a device of the host behind dev: lo, eth0, eth1',
  ])
  assert.match(faultsOf({ routes: ['203.0.113.1/24 dev eth0'] })[0] ?? '', /PREFIX\|default/)
  assert.match(faultsOf({ neighbours: ['192.0.2.9 dev eth0'] })[0] ?? '', /lladdr/)
  const twice = ['192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0', '192.0.2.9 dev eth0 lladdr 02:00:00:00:00:08']
  assert.equal(faultsOf({ neighbours: twice }), ['hosts.h.neighbours[1]: each address of a device once'])
})

ip('next hops, tables and metrics of routes are read', () => {
  const host = planOf({
    routes: [
      '203.0.113.0/24 mtu lock 900 nexthop via 198.18.0.9 weight 3 nexthop via 10.0.0.1 dev eth0 onlink',
      'default via 192.0.2.9 table 7 hoplimit 9',
    ],
  })
  const [route, other] = (host as HostPlan).routes
  assert.equal(route?.nexthops, [
    { gateway: 0xc6120009, dev: null, weight: 3 },
    { gateway: 0x0a000001, dev: 'eth0', weight: 1, onlink: true },
  ])
  assert.equal([route?.mtu, route?.mtuLocked, other?.table, other?.hoplimit], [900, true, 7, 9])
  const refused = [
    '203.0.113.0/24 nexthop weight 2',
    '203.0.113.0/24 nexthop via 198.18.0.9 weight 0',
    '203.0.113.0/24 nexthop via 198.18.0.9 weight 257',
    '203.0.113.0/24 via 198.18.0.9 nexthop via 198.18.0.8',
    'unreachable 203.0.113.0/24 nexthop via 198.18.0.8',
    '203.0.113.0/24 via 198.18.0.9 tos 1',
    '203.0.113.0/24 via 198.18.0.9 table 0',
    '203.0.113.0/24 via 198.18.0.9 mtu lock',
  ]
  for (const wrong of refused) assert.is(parseRoute(wrong), null, wrong)
  assert.equal(faultsOf({ routes: ['203.0.113.0/24 nexthop via 10.0.0.1 nexthop dev eth8'] }), [
    'hosts.h.routes[0]: a gateway on a subnet of a device of the host; 10.0.0.1 is on none',
    'hosts.h.routes[0]: a device of the host behind dev: lo, eth0, eth1',
  ])
})

ip('rules are read in the words of ip rule', () => {
  const text = 'not from 10.0.0.0/8 iif eth1 fwmark 0x7/0xff dport 53-60 pref 9 lookup main'
  const [rule] = (planOf({ rules: [text] }) as HostPlan).rules ?? []
  assert.equal(rule, {
    inverted: true,
    from: [0x0a000000, 8],
    iif: 'eth1',
    mark: 7,
    markMask: 255,
    dport: [53, 60],
    priority: 9,
    action: 'table',
    table: 254,
  })
  for (const text of [
    '',
    'from',
    'from 10.0.0.1/8 table 1',
    'dport 9-5',
    'tos 0x20',
    'table 1 goto 5',
    'nop suppress_prefixlength 1',
    'prohibit unreachable',
    'frm all',
  ])
    assert.is(parseRule(text), null, text)
  assert.equal(faultsOf({ rules: ['iif eth9 table 5', 'goto 9', 'priority 9 goto 9'] }), [
    'hosts.h.rules[0]: a device of the host behind iif: lo, eth0, eth1',
    'hosts.h.rules[1]: a priority with goto',
    'hosts.h.rules[2]: goto to a higher priority than its own',
  ])
  assert.match(faultsOf({ rules: ['frm all'] })[0] ?? '', /from PREFIX/)
})

ip.run()
