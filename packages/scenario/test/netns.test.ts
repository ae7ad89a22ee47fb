import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compileScenario } from '../src/index.js'

type Document = Record<string, unknown>

function container(host: Document = {}, inside: Document = {}, traffic: Document = { to: 'h/eth0' }): Document {
  return {
    hosts: {
      h: {
        devices: {
          eth0: {},
          veth0: { driver: 'veth', peer: 'c/eth0', address: '10.0.0.1/24' },
          ...(host.devices as Document | undefined),
        },
        netns: { c: { devices: { eth0: { driver: 'veth', address: '10.0.0.2/24' } }, ...inside } },
        ...Object.fromEntries(Object.entries(host).filter(([key]) => key !== 'devices')),
      },
    },
    traffic: { t: { rate: '1kpps', ...traffic } },
  }
}

function planOf(document: Document) {
  const compiled = compileScenario(document, { source: 'test' })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  return compiled.plan.hosts[0] as NonNullable<(typeof compiled.plan.hosts)[0]>
}

function faultsOf(document: Document): [string, string][] {
  const compiled = compileScenario(document, { source: 'test' })
  return compiled.ok ? [] : compiled.errors.map(({ path, accepted }) => [path, accepted])
}

test('devices of a namespace have a name on the host and one inside, and both ends of a pair know each other', () => {
  const { devices, netns } = planOf(container())
  assert.equal(
    devices.map(({ name, ifname, netns, peer, gro }) => [name, ifname, netns, peer, gro]),
    [
      ['eth0', undefined, undefined, undefined, true],
      ['veth0', undefined, undefined, 'c/eth0', false],
      ['c/eth0', 'eth0', 'c', 'veth0', false],
    ],
  )
  assert.equal(
    netns?.map(({ name, routes }) => [name, routes[0]?.dev]),
    [['c', 'eth0']],
  )
})

test('an end without an address has none, since a container may get it later or only bridge', () => {
  const { devices } = planOf(container({ devices: { veth0: { driver: 'veth', peer: 'c/eth0' } } }))
  assert.equal(devices[1]?.addresses, [])
})

test('a namespace has its own settings under net.ipv4, starts with the conf of its host, and shares the rest', () => {
  const sysctl = {
    'net.ipv4.ip_forward': 1,
    'net.ipv4.conf.all.rp_filter': 2,
    'net.ipv4.ipfrag_time': 5,
    'net.core.netdev_budget': 77,
    'net.netfilter.nf_conntrack_max': 9,
    'net.netfilter.nf_conntrack_udp_timeout': 3,
  }
  const { netns } = planOf(container({ sysctl }, { sysctl: { 'net.ipv4.ipfrag_max_dist': 1 } }))
  const own = netns?.[0]?.sysctl
  assert.equal(
    [...Object.keys(sysctl).slice(1), 'net.ipv4.ipfrag_max_dist'].map((name) => own?.[name as keyof typeof own]),
    [2, 30, 77, 9, 30, 1],
  )
  assert.is(netns?.[0]?.confAll.forwarding, 1)
  const closed = planOf(container({ sysctl }, { sysctl: { 'net.ipv4.ip_forward': 0 } }))
  assert.equal([closed.netns?.[0]?.confAll.forwarding, closed.devices[2]?.conf.forwarding], [0, 0])
})

test('two namespaces may use the same addresses and ports', () => {
  const apps = { a: { netns: 'c' }, b: { netns: 'd' }, c: { netns: 'init' } }
  const document = container({ apps }) as { hosts: { h: { netns: Document } } }
  document.hosts.h.netns.d = { devices: { eth0: { address: '10.0.0.2/24' } } }
  assert.equal(
    planOf(document as unknown as Document).apps.map(({ netns }) => netns),
    ['c', 'd', undefined],
  )
})

const faults: readonly (readonly [string, Document, string, RegExp])[] = [
  [
    'a peer that is not there',
    { devices: { veth0: { driver: 'veth', peer: 'c/eth1' } } },
    'devices.veth0.peer',
    /veth: c\/eth0$/,
  ],
  [
    'a peer that is itself',
    { devices: { veth0: { driver: 'veth', peer: 'veth0' } } },
    'devices.veth0.peer',
    /another device/,
  ],
  ['a peer of a card', { devices: { eth0: { peer: 'veth0' } } }, 'devices.eth0.peer', /^no peer: ixgbe/],
  [
    'a peer that is a card',
    { devices: { veth0: { driver: 'veth', peer: 'eth0' } } },
    'devices.veth0.peer',
    /driver veth/,
  ],
  [
    'an end with two peers',
    { devices: { veth1: { driver: 'veth', peer: 'c/eth0' } } },
    'devices.veth1.peer',
    /a pair$/,
  ],
  [
    'a discipline on a pair',
    { devices: { veth0: { driver: 'veth', peer: 'c/eth0', qdisc: 'fq' } } },
    'devices.veth0.qdisc',
    /noqueue/,
  ],
  [
    'two queues',
    { devices: { veth0: { driver: 'veth', peer: 'c/eth0', channels: { combined: 2 } } } },
    'devices.veth0.channels.combined',
    /one queue/,
  ],
  [
    'native XDP',
    { devices: { veth0: { driver: 'veth', peer: 'c/eth0', xdp: { rules: [] } } } },
    'devices.veth0.xdp.mode',
    /^generic/,
  ],
  ['a namespace called init', { netns: { init: {} }, devices: { veth0: {} } }, 'netns.init', /^a name other than/],
  ['a program in a namespace that is not there', { apps: { a: { netns: 'd' } } }, 'apps.a.netns', /init, c$/],
  [
    'a setting that all namespaces share',
    { netns: { c: { sysctl: { 'net.core.netdev_budget': 1 } } }, devices: { veth0: {} } },
    'netns.c.sysctl.net.core.netdev_budget',
    /keys/,
  ],
]

for (const [name, host, path, accepted] of faults) {
  test(`${name} is refused`, () => {
    const found = faultsOf(container(host)).filter(([at]) => at === `hosts.h.${path}`)
    assert.ok(found.length > 0, JSON.stringify(faultsOf(container(host))))
    assert.match(found[0]?.[1] ?? '', accepted)
  })
}

test('a route, a rule and a socket know the devices of their own namespace alone', () => {
  const inside = {
    routes: ['default dev veth0'],
    nftables: 'table ip t { chain c { type filter hook input priority 0; iif veth0 drop; } }',
  }
  const apps = { a: { netns: 'c', sockets: { SO_BINDTODEVICE: 'veth0', bind: '10.0.0.1:9000' } } }
  const paths = faultsOf(container({ apps }, inside)).map(([path]) => path)
  assert.equal(paths.sort(), [
    'hosts.h.apps.a.sockets.SO_BINDTODEVICE',
    'hosts.h.apps.a.sockets.bind',
    'hosts.h.netns.c.nftables',
    'hosts.h.netns.c.routes[0]',
  ])
})

test('traffic may come to a card in a namespace, not to an end of a pair', () => {
  const card = container({}, { devices: { eth0: { driver: 'veth' }, eth1: {} } }, { to: 'h/c/eth1' })
  assert.equal(faultsOf(card), [])
  assert.equal(faultsOf(container({}, {}, { to: 'h/c/eth0' })), [
    ['traffic.t.to', 'a device with a link: veth takes packets from veth0 alone'],
  ])
})

test.run()
