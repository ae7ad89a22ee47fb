import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileScenario } from '../src/index.js'

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

ip.run()
