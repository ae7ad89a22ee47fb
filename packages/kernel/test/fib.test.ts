import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ERRNO, FibRoute, RTN, SCOPE } from '../src/route/components.js'
import type { RouteEntry } from '../src/route/fib-entries.js'
import { prefixMask } from '../src/route/fib-entries.js'
import { fibLookup } from '../src/route/fib-lookup.js'
import { buildTrie } from '../src/route/fib-trie.js'
import { ANY_FLOW } from '../src/route/flow.js'
import { ifAddrs } from '../src/route/ifaddr.js'
import { ip, makeIpWorld } from './support/ip-world.js'

function entry(prefix: number, lengthBits: number, metric = 0): RouteEntry {
  return {
    prefix: (prefix & prefixMask(lengthBits)) >>> 0,
    lengthBits,
    type: RTN.unicast,
    table: 254,
    tos: 0,
    scope: 0,
    nhScope: SCOPE.host,
    metric,
    dev: 1,
    gateway: 0,
    prefsrc: 0,
    mtu: 0,
    mtuLocked: 0,
    hoplimit: 0,
    weight: 1,
    paths: [],
    added: 0,
  }
}

/** Position of the longest prefix that holds an address, by looking at all of them; −1 for none. */
function bruteForce(prefixes: readonly { prefix: number; lengthBits: number }[], address: number): number {
  let best = -1
  prefixes.forEach(({ prefix, lengthBits }, i) => {
    if (((prefix ^ address) & prefixMask(lengthBits)) !== 0) return
    if (best < 0 || lengthBits > (prefixes[best]?.lengthBits ?? -1)) best = i
  })
  return best
}

/** Prefixes of a trie as objects, in its order. */
function listOf({ prefixes }: ReturnType<typeof buildTrie>) {
  return Array.from({ length: prefixes.count }, (_, i) => ({
    prefix: prefixes.prefix[i] as number,
    lengthBits: prefixes.lengthBits[i] as number,
    covering: prefixes.covering[i] as number,
  }))
}

/** The same in a built trie. */
function lookUp(trie: ReturnType<typeof buildTrie>, address: number): number {
  let at = trie.root
  while (at > 0) {
    const { key, pos, bits, best, child } = trie.nodes
    const node = { key: key[at - 1], pos: pos[at - 1], bits: bits[at - 1], best: best[at - 1], child: child[at - 1] }
    const index = ((address ^ node.key) >>> node.pos) >>> 0
    if (index >>> node.bits !== 0) return node.best - 1
    at = trie.children[node.child - 1 + index] as number
  }
  return -at - 1
}

const address = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  // Close together, so that prefixes nest.
  fc.integer({ min: 0, max: 0xfff }).map((low) => (0x0a000000 + low) >>> 0),
  fc.constantFrom(0, 0xffffffff, 0x80000000, 0x7fffffff),
)
const prefix = fc.tuple(address, fc.integer({ min: 0, max: 32 }))

test('the trie finds the prefix that looking at all of them finds', () => {
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 60 }), fc.array(address, { maxLength: 20 }), (given, probes) => {
      const trie = buildTrie(given.map(([value, bits]) => entry(value, bits)))
      const list = listOf(trie)
      const edges = list.flatMap(({ prefix: first, lengthBits }) => {
        const last = (first | ~prefixMask(lengthBits)) >>> 0
        return [first, last, (first - 1) >>> 0, (last + 1) >>> 0]
      })
      for (const probe of [...probes, ...edges]) assert.is(lookUp(trie, probe), bruteForce(list, probe))
    }),
    { numRuns: 300 },
  )
})

test('prefixes that contain others leave the trie small', () => {
  const routes = [entry(0, 0)]
  for (let i = 0; i < 200; i++) {
    const first = ip('10.0.0.0') + i * 0x10000
    routes.push(entry(first, 16), entry(first + 0x1200, 24), entry(first + 0x1280, 25))
  }
  const trie = buildTrie(routes)
  assert.ok(trie.children.length <= 4 * trie.prefixes.count, `${trie.children.length} children`)
})

test('a shorter prefix that contains another is its covering one', () => {
  const trie = buildTrie([entry(ip('10.1.2.0'), 24), entry(0, 0), entry(ip('10.0.0.0'), 8), entry(ip('11.0.0.0'), 8)])
  const name = (row: number) => (row === 0 ? '' : `${trie.prefixes.lengthBits[row - 1]}`)
  assert.equal(
    listOf(trie).map(({ lengthBits, covering }) => `${lengthBits}<${name(covering)}`),
    ['0<', '8<0', '24<8', '8<0'],
  )
})

const devices = [
  { name: 'eth0', addresses: ['192.0.2.1/24', '192.0.2.2/24', '10.1.0.1/16'] },
  { name: 'eth1', addresses: ['203.0.113.1/28', '10.0.0.1/8'] },
]
const routes = [
  'default via 192.0.2.254',
  'unreachable 198.51.100.0/24',
  'prohibit 198.51.101.0/24',
  'blackhole 198.51.102.0/24',
  'throw 198.51.103.0/24',
  '198.51.104.0/24 via 203.0.113.2 metric 20',
  '198.51.104.0/24 via 192.0.2.9 metric 10',
  '198.51.105.0/24 via 203.0.113.2 tos 16',
  '198.51.106.0/24 dev eth1 src 10.0.0.1 mtu 1400',
]

test('routes decide by length, then tos, then metric; some types are errors', () => {
  const { world, binder, devs } = makeIpWorld({ devices, routes })
  const fib = binder.bind(fibLookup)
  const route = world.columns(FibRoute)
  const [eth0 = 0, eth1 = 0] = devs
  const via = (text: string, tos = 0, oif = 0) => {
    const found = fib.find(0, ip(text) | 0, tos, oif, SCOPE.universe, ANY_FLOW)
    return found < 0 ? found : [route.dev[found], route.gateway[found]]
  }
  assert.equal(via('8.8.8.8'), [eth0, ip('192.0.2.254')])
  assert.is(via('198.51.100.1'), -ERRNO.EHOSTUNREACH)
  assert.is(via('198.51.101.1'), -ERRNO.EACCES)
  assert.is(via('198.51.102.1'), -ERRNO.EINVAL)
  assert.is(via('198.51.103.1'), -ERRNO.ENETUNREACH)
  assert.equal(via('198.51.104.1'), [eth0, ip('192.0.2.9')])
  assert.equal(via('198.51.104.1', 0, eth1), [eth1, ip('203.0.113.2')], 'another device asked for')
  assert.equal(via('198.51.105.1'), [eth0, ip('192.0.2.254')], 'a route for another type of service is passed over')
  assert.equal(via('198.51.105.1', 16), [eth1, ip('203.0.113.2')])
  assert.equal(via('10.1.9.9'), [eth0, 0])
  assert.equal(via('10.9.9.9'), [eth1, 0])
})

test('types of addresses come from the local table only', () => {
  const { binder } = makeIpWorld({ devices, routes })
  const fib = binder.bind(fibLookup)
  const type = (text: string) => fib.addressType(0, ip(text) | 0, 0)
  assert.is(type('192.0.2.1'), RTN.local)
  assert.is(type('127.5.5.5'), RTN.local)
  assert.is(type('192.0.2.255'), RTN.broadcast)
  assert.is(type('255.255.255.255'), RTN.broadcast)
  assert.is(type('224.1.1.1'), RTN.multicast)
  assert.is(type('192.0.2.77'), RTN.unicast)
  assert.is(type('198.51.100.1'), RTN.unicast)
})

test('a source address comes from the route, the subnet of the next hop, the device, or any device', () => {
  const { binder, devs } = makeIpWorld({ devices, routes })
  const fib = binder.bind(fibLookup)
  const addresses = binder.bind(ifAddrs)
  const [eth0 = 0, eth1 = 0] = devs
  const source = (text: string) => fib.prefsrc(0, fib.find(0, ip(text) | 0, 0, 0, SCOPE.universe, ANY_FLOW)) >>> 0
  assert.is(source('198.51.106.1'), ip('10.0.0.1'))
  assert.is(source('198.51.104.1'), ip('192.0.2.1'))
  assert.is(source('10.1.9.9'), ip('10.1.0.1'))
  assert.is(addresses.select(0, eth1, ip('10.7.7.7') | 0, SCOPE.universe) >>> 0, ip('10.0.0.1'))
  assert.is(addresses.select(0, eth1, ip('172.16.0.1') | 0, SCOPE.universe) >>> 0, ip('203.0.113.1'))
  assert.ok(addresses.onlink(eth0, ip('192.0.2.9') | 0, 0))
  assert.not(addresses.onlink(eth0, ip('192.0.2.9') | 0, ip('10.1.0.9') | 0))
  const bare = makeIpWorld({ devices: [...devices, { name: 'eth2', addresses: [] }] })
  const other = bare.binder.bind(ifAddrs).select(0, bare.devs[2] ?? 0, 0, SCOPE.universe)
  assert.is(other >>> 0, ip('192.0.2.1'))
})

test('ten thousand addresses are all local, and their neighbours are not', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => `10.${i >>> 12}.${(i >>> 4) & 255}.${(i & 15) * 16 + 1}/28`)
  const world = makeIpWorld({ devices: [{ name: 'eth0', addresses: many }] })
  const fib = world.binder.bind(fibLookup)
  const addresses = world.binder.bind(ifAddrs)
  for (const text of many) {
    const own = ip((text.split('/') as [string])[0]) | 0
    assert.is(fib.addressType(0, own, 0), RTN.local)
    assert.is(fib.addressType(0, own + 1, 0), RTN.unicast)
    assert.is(fib.addressType(0, own + 14, 0), RTN.broadcast)
    assert.ok(addresses.find(0, own) > 0 && addresses.find(0, own + 1) === 0)
  }
})

test.run()
