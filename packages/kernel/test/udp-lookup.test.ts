import type { KernelVersion, SocketPlan } from '@softnet/scenario'
import { inetEhash } from '@softnet/wire'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Skb } from '../src/skb/components.js'
import { Sock } from '../src/sock/components.js'
import { udpEhashSecret, udpLookup, udpSocketForGro } from '../src/udp/lookup.js'
import { type IpWorld, ip, makeIpWorld, socket } from './support/ip-world.js'
import { type Datagram, ReferenceUdp } from './support/udp-reference.js'

const LOCAL = ip('192.0.2.1')
const OTHER = ip('203.0.113.1')
const devices = [
  { name: 'eth0', addresses: ['192.0.2.1/24'] },
  { name: 'eth1', addresses: ['203.0.113.1/24'] },
]

/** Writes a datagram's fields to a packet row. */
function fill(world: IpWorld, row: number, d: Datagram): void {
  const { saddr, daddr, ports, dev } = world.world.columns(Skb)
  saddr[row] = d.saddr
  daddr[row] = d.daddr
  ports[row] = d.sport * 65536 + d.dport
  dev[row] = world.devs[d.dev === 'eth0' ? 0 : 1] as number
}

const anySocket: fc.Arbitrary<SocketPlan> = fc
  .record({
    address: fc.constantFrom(0, LOCAL, OTHER),
    port: fc.constantFrom(5000, 5001),
    peer: fc.oneof(
      { weight: 2, arbitrary: fc.constant(null) },
      {
        weight: 1,
        arbitrary: fc.record({
          address: fc.constantFrom(ip('192.0.2.9'), ip('203.0.113.9')),
          port: fc.constantFrom(40000, 40001),
        }),
      },
    ),
    device: fc.constantFrom(null, null, 'eth0', 'eth1'),
    soIncomingCpu: fc.constantFrom(-1, -1, 0, 1),
    reuseport: fc.boolean(),
  })
  .map((given) => socket(given))

const anyDatagram: fc.Arbitrary<Datagram> = fc.record({
  saddr: fc.oneof(fc.constantFrom(ip('192.0.2.9'), ip('203.0.113.9')), fc.nat(0xffffffff)),
  sport: fc.oneof(fc.constantFrom(40000, 40001), fc.nat(65535)),
  daddr: fc.constantFrom(LOCAL, OTHER, ip('192.0.2.3')),
  dport: fc.constantFrom(5000, 5001, 5002),
  dev: fc.constantFrom('eth0', 'eth1'),
  cpu: fc.constantFrom(0, 1),
})

const RULES: Readonly<Partial<Record<KernelVersion, { hash4: boolean; singleList: boolean }>>> = {
  '6.18': { hash4: true, singleList: false },
  '6.5': { hash4: false, singleList: false },
  '4.14': { hash4: false, singleList: true },
}

for (const [kernel, rules] of Object.entries(RULES)) {
  test(`${kernel}: the lookup agrees with plain lists on random sockets`, () => {
    let found = 0
    let looked = 0
    fc.assert(
      fc.property(
        fc.array(anySocket, { maxLength: 14 }),
        fc.array(anyDatagram, { minLength: 1, maxLength: 40 }),
        fc.nat(0xffff),
        (sockets, datagrams, seed) => {
          const world = makeIpWorld({ kernel: kernel as KernelVersion, devices, sockets, seed })
          const reference = new ReferenceUdp(rules, udpEhashSecret(seed, 0))
          sockets.forEach((plan, i) => {
            const source = plan.peer?.address === ip('203.0.113.9') ? OTHER : LOCAL
            reference.add(plan, world.firstSocket + i, source)
          })
          const { find } = world.binder.bind(udpLookup)
          const row = world.packet()
          for (const datagram of datagrams) {
            fill(world, row, datagram)
            const got = find(datagram.cpu + 1, row)
            looked++
            if (got !== 0) found++
            assert.is(got, reference.lookup(datagram), JSON.stringify({ sockets, datagram }))
          }
        },
      ),
      { numRuns: 400, seed: 11 },
    )
    assert.ok(found > looked / 4, `only ${found} of ${looked} lookups found a socket`)
  })
}

interface Case {
  readonly name: string
  readonly sockets: readonly Partial<SocketPlan>[]
  readonly datagram?: Partial<Datagram>
  /** Position of the socket that gets it, from 1; 0: none. */
  readonly expected: number
}

const peer = { address: ip('198.51.100.1'), port: 40000 }

const cases: readonly Case[] = [
  { name: 'no socket', sockets: [], expected: 0 },
  { name: 'another port', sockets: [{ port: 5001 }], expected: 0 },
  { name: 'any address', sockets: [{}], expected: 1 },
  { name: 'a bound address beats any', sockets: [{ address: LOCAL }, {}], expected: 1 },
  { name: 'bound elsewhere', sockets: [{ address: OTHER }], expected: 0 },
  { name: 'of equals the last bound', sockets: [{}, {}, {}], expected: 3 },
  { name: 'connected beats what is bound later', sockets: [{ address: LOCAL, peer }, { address: LOCAL }], expected: 1 },
  {
    name: 'connected to another peer',
    sockets: [{}, { address: LOCAL, peer: { address: peer.address, port: 1 } }],
    expected: 1,
  },
  {
    name: 'connected without an address takes that of the route',
    sockets: [{ peer }, { address: LOCAL }],
    expected: 1,
  },
  { name: 'bound to the device beats unbound', sockets: [{ device: 'eth0' }, {}], expected: 1 },
  { name: 'bound to another device', sockets: [{ device: 'eth1' }], expected: 0 },
  { name: 'its CPU breaks the tie', sockets: [{ soIncomingCpu: 0 }, {}], expected: 1 },
  {
    name: 'what a group with a connection chooses is scored itself',
    sockets: [
      { address: LOCAL, reuseport: true, soIncomingCpu: 0 },
      { address: LOCAL, soIncomingCpu: 0 },
      { address: LOCAL, reuseport: true },
      { address: LOCAL, reuseport: true, peer: { address: peer.address, port: 1 } },
    ],
    expected: 1,
  },
  { name: 'the CPU does not outweigh the device', sockets: [{ device: 'eth0' }, { soIncomingCpu: 0 }], expected: 1 },
]

for (const each of cases) {
  test(`lookup: ${each.name}`, () => {
    const world = makeIpWorld({ devices, sockets: each.sockets.map(socket) })
    assert.is(world.binder.bind(udpLookup).find(1, world.packet()), each.expected)
  })
}

test('a reuseport group is spread by the formula over the members in bind order', () => {
  const size = 5
  const sockets = Array.from({ length: size }, () => socket({ reuseport: true }))
  const world = makeIpWorld({ sockets, seed: 99 })
  const { find } = world.binder.bind(udpLookup)
  const secret = udpEhashSecret(99, 0)
  const row = world.packet()
  const hits = new Array<number>(size).fill(0)
  for (let flow = 0; flow < 5000; flow++) {
    const datagram = {
      saddr: ip('198.51.100.1') + flow,
      sport: 1024 + flow,
      daddr: LOCAL,
      dport: 5000,
      dev: 'eth0',
      cpu: 0,
    }
    fill(world, row, datagram)
    // Sockets of any address are hashed with address 0.
    const hash = inetEhash(0, 5000, datagram.saddr, datagram.sport, secret)
    const index = Math.floor((hash * size) / 2 ** 32)
    assert.is(find(1, row), world.firstSocket + index)
    hits[index] = (hits[index] as number) + 1
  }
  for (const each of hits) assert.ok(each > 800 && each < 1200, `spread ${hits.join(' ')}`)
})

test('another seed spreads otherwise', () => {
  const choose = (seed: number): number[] => {
    const world = makeIpWorld({ sockets: Array.from({ length: 8 }, () => socket({ reuseport: true })), seed })
    const { find } = world.binder.bind(udpLookup)
    return Array.from({ length: 32 }, (_, i) => find(1, world.packet({ ports: (40000 + i) * 65536 + 5000 })))
  }
  assert.equal(choose(1), choose(1))
  assert.not.equal(choose(1), choose(2))
})

test('SO_INCOMING_CPU in a group goes to the member of the CPU', () => {
  const sockets = [0, 1, 0].map((soIncomingCpu) => socket({ reuseport: true, soIncomingCpu }))
  const world = makeIpWorld({ sockets })
  const { find } = world.binder.bind(udpLookup)
  for (let i = 0; i < 32; i++) assert.is(find(2, world.packet({ ports: (40000 + i) * 65536 + 5000 })), 2)
})

test('5.1 has no SO_INCOMING_CPU in groups', () => {
  const sockets = [0, 1].map((soIncomingCpu) => socket({ reuseport: true, soIncomingCpu }))
  const world = makeIpWorld({ kernel: '5.1', sockets })
  const { find } = world.binder.bind(udpLookup)
  const chosen = new Set(Array.from({ length: 32 }, (_, i) => find(2, world.packet({ ports: (i + 1) * 65536 + 5000 }))))
  assert.is(chosen.size, 2)
})

test('a hundred thousand connected sockets and one listener are told apart', () => {
  const count = 100_000
  const sockets = Array.from({ length: count }, (_, i) =>
    socket({ address: LOCAL, peer: { address: ip('10.0.0.0') + (i >>> 8), port: 1000 + (i & 255) } }),
  )
  const world = makeIpWorld({ sockets: [...sockets, socket({ address: LOCAL })] })
  const { find, demux } = world.binder.bind(udpLookup)
  const row = world.packet()
  for (let i = 0; i < count; i++) {
    const saddr = ip('10.0.0.0') + (i >>> 8)
    fill(world, row, { saddr, sport: 1000 + (i & 255), daddr: LOCAL, dport: 5000, dev: 'eth0', cpu: 0 })
    assert.is(find(1, row), world.firstSocket + i)
  }
  fill(world, row, { saddr: ip('10.9.9.9'), sport: 9, daddr: LOCAL, dport: 5000, dev: 'eth0', cpu: 0 })
  assert.is(find(1, row), count + 1)
  assert.is(demux(1, row), 0)
})

test('a hundred thousand ports and addresses each find their socket', () => {
  const sockets = Array.from({ length: 100_000 }, (_, i) =>
    socket({ port: 1 + (i % 50_000), address: i < 50_000 ? 0 : LOCAL }),
  )
  const world = makeIpWorld({ sockets })
  const { find } = world.binder.bind(udpLookup)
  const row = world.packet()
  for (let port = 1; port <= 50_000; port++) {
    fill(world, row, { saddr: 1, sport: 1, daddr: LOCAL, dport: port, dev: 'eth0', cpu: 0 })
    assert.is(find(1, row), 50_000 + port)
    fill(world, row, { saddr: 1, sport: 1, daddr: OTHER, dport: port, dev: 'eth0', cpu: 0 })
    assert.is(find(1, row), port)
  }
})

test('ports 16 apart on three addresses find their sockets, the ports between them none, and reading ahead changes nothing', () => {
  const addresses = [LOCAL, OTHER, ip('192.0.2.3')]
  const sockets = addresses.flatMap((address) =>
    Array.from({ length: 4095 }, (_, i) => socket({ address, port: 16 * (i + 1) })),
  )
  const world = makeIpWorld({ sockets })
  const { find, prefetch } = world.binder.bind(udpLookup)
  const row = world.packet()
  const ids = Int32Array.of(row)
  addresses.forEach((daddr, a) => {
    for (let i = 0; i < 4095; i++) {
      fill(world, row, { saddr: 1, sport: 1, daddr, dport: 16 * (i + 1), dev: 'eth0', cpu: 0 })
      prefetch(1, ids, 1)
      assert.is(find(1, row), world.firstSocket + a * 4095 + i)
      fill(world, row, { saddr: 1, sport: 1, daddr, dport: 16 * (i + 1) + 5, dev: 'eth0', cpu: 0 })
      assert.is(find(1, row), 0)
    }
  })
})

test('GRO learns whether there is a socket and whether it takes merged datagrams', () => {
  const world = makeIpWorld({ sockets: [socket(), socket({ port: 5001, udpGro: true })] })
  world.world.columns(Sock).udpGro[2] = 1
  const lookup = world.binder.bind(udpSocketForGro)
  const answers = [4999, 5000, 5001].map((port) => lookup(1, world.packet({ ports: 40000 * 65536 + port })))
  assert.equal(answers, [0, 1, 2])
})

test('without a socket that takes merged datagrams GRO does not look', () => {
  const world = makeIpWorld({ sockets: [socket()] })
  assert.is(world.binder.bind(udpSocketForGro)(1, world.packet()), 0)
})

test('a socket of a device the host does not have is refused when the tables are filled', () => {
  assert.throws(() => makeIpWorld({ sockets: [socket({ device: 'eth9' })] }), /has no device eth9/)
})

test.run()
