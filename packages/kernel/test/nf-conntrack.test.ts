import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ipPacket, makeNftWorld, type NftWorld, tcp, udp } from './support/nft-world.js'

const test = suite('connection tracking')

const STATES = `table ip t { chain i { type filter hook input priority 0;
  ct state new counter
  ct state established counter
  ct state invalid counter
  ct state untracked counter
} }`
const SEC_NS = 1_000_000_000
const SYN = 0x02
const SYNACK = 0x12
const ACK = 0x10
const RST = 0x04
const FINACK = 0x11

const SYSCTL = 'net.netfilter.nf_conntrack_'

/** Flags of a packet whose checksums are right. */
const SOUND = { flags: 16_384 }

/** Counters of the rules, in order. */
const counts = (world: NftWorld): number[] =>
  world.listing().map((text) => Number(/counter packets (\d+)/.exec(text)?.[1] ?? -1))

function send(world: NftWorld, body: readonly number[], options: Parameters<typeof ipPacket>[0] = {}): boolean {
  return world.receive([world.packet(ipPacket({ body, ...options }), SOUND)])[0] as boolean
}

/** The answer of the host to a client, as it would pass the first hook. */
const ANSWER = { saddr: '10.9.0.1', daddr: '10.9.0.2' }

const tracked = (world: NftWorld) => {
  const { conntrack } = world.netfilter()
  if (conntrack === undefined) throw new Error('nothing is tracked')
  return conntrack
}

test('a flow is new until an answer was seen', () => {
  const world = makeNftWorld(STATES)
  send(world, udp(40_000, 5000))
  send(world, udp(40_000, 5000))
  send(world, udp(5000, 40_000), ANSWER)
  send(world, udp(40_000, 5000))
  assert.equal(counts(world), [2, 2, 0, 0])
  assert.equal(tracked(world).entries, [
    'ipv4     2 udp      17 30 src=10.9.0.2 dst=10.9.0.1 sport=40000 dport=5000 src=10.9.0.1 dst=10.9.0.2 sport=5000 dport=40000 mark=0 zone=0 use=2',
  ])
})

test('what is dropped before the last hook leaves no connection', () => {
  const world = makeNftWorld('table ip t { chain i { type filter hook input priority 0; ct state new drop; } }')
  assert.is(send(world, udp(40_000, 5000)), false)
  assert.is(tracked(world).count, 0)
})

test('packets of a new flow in one list make a connection each, and share the first', () => {
  const world = makeNftWorld(STATES)
  const rows = [1, 2, 3].map(() => world.packet(ipPacket({ body: udp(40_000, 5000) })))
  assert.equal(world.receive(rows), [true, true, true])
  assert.is(tracked(world).count, 1)
  assert.is(tracked(world).stat[0]?.clashres, 2)
  assert.equal(counts(world), [3, 0, 0, 0])
})

test('two SYN of one connection in a list clash: TCP may not', () => {
  const world = makeNftWorld(STATES)
  const rows = [1, 2].map(() => world.packet(ipPacket({ protocol: 6, body: tcp(40_000, 80, SYN) }), SOUND))
  assert.equal(world.receive(rows), [true, false])
  assert.is(tracked(world).stat[0]?.insert_failed, 1)
  assert.equal(world.drops(), [{ host: 'h', where: 'nf_hook_slow', reason: 'NETFILTER_DROP', count: 1 }])
})

test('a flow without answer lasts 30 seconds, a stream 120', () => {
  const world = makeNftWorld(STATES)
  send(world, udp(40_000, 5000))
  world.wait(29 * SEC_NS)
  send(world, udp(5000, 40_000), ANSWER)
  send(world, udp(40_000, 5000))
  assert.match(tracked(world).entries[0] ?? '', /ASSURED/)
  world.wait(119 * SEC_NS)
  send(world, udp(40_000, 5000))
  assert.equal(counts(world), [1, 3, 0, 0])
  world.wait(121 * SEC_NS)
  send(world, udp(40_000, 5000))
  assert.equal(counts(world), [2, 3, 0, 0])
})

test('the timeout of UDP is a sysctl', () => {
  const world = makeNftWorld(STATES, { [`${SYSCTL}udp_timeout`]: 5 })
  send(world, udp(40_000, 5000))
  send(world, udp(5000, 40_000), ANSWER)
  world.wait(6 * SEC_NS)
  send(world, udp(40_000, 5000))
  assert.equal(counts(world), [2, 1, 0, 0])
})

test('a full table evicts what is not assured, from eight chains', () => {
  const world = makeNftWorld(STATES, { [`${SYSCTL}max`]: 4, [`${SYSCTL}buckets`]: 1 })
  for (let port = 1; port <= 5; port++) assert.is(send(world, udp(40_000 + port, 5000)), true)
  const { count, stat } = tracked(world)
  assert.is(count, 1)
  assert.is(stat[0]?.early_drop, 4)
})

test('a table full of assured connections drops what is new', () => {
  const world = makeNftWorld(STATES, { [`${SYSCTL}max`]: 2 })
  for (const port of [40_001, 40_002]) {
    send(world, tcp(port, 80, SYN), { protocol: 6 })
    send(world, tcp(80, port, SYNACK), { protocol: 6, ...ANSWER })
    send(world, tcp(port, 80, ACK), { protocol: 6 })
  }
  assert.is(tracked(world).entries.filter((line) => line.includes('ASSURED')).length, 2)
  assert.is(send(world, udp(40_000, 5000)), false)
  assert.is(tracked(world).stat[0]?.drop, 1)
  assert.is(world.drops()[0]?.where, 'nf_hook_slow')
})

test('the background scan ends what has expired before the table is full', () => {
  const world = makeNftWorld(STATES, { [`${SYSCTL}max`]: 100 })
  for (let port = 1; port <= 50; port++) send(world, udp(40_000 + port, 5000))
  assert.is(tracked(world).count, 50)
  world.wait(61 * SEC_NS)
  send(world, udp(39_999, 5000))
  assert.is(tracked(world).count, 1)
})

test('TCP goes through its states; a reset without answer ends it', () => {
  const world = makeNftWorld(STATES)
  const state = (): string => /tcp {6}6 \d+ (\w+)/.exec(tracked(world).entries[0] ?? '')?.[1] ?? 'none'
  const client = (flags: number): boolean => send(world, tcp(40_000, 80, flags), { protocol: 6 })
  const server = (flags: number): boolean => send(world, tcp(80, 40_000, flags), { protocol: 6, ...ANSWER })
  const seen: string[] = []
  for (const step of [
    () => client(SYN),
    () => server(SYNACK),
    () => client(ACK),
    () => client(FINACK),
    () => server(ACK),
    () => server(FINACK),
    () => client(ACK),
    () => client(SYN),
    () => client(RST),
  ]) {
    step()
    seen.push(state())
  }
  assert.is(seen.join(' '), 'SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT SYN_SENT none')
})

test('connections are picked up in the middle unless tcp_loose is 0', () => {
  for (const loose of [0, 1]) {
    const world = makeNftWorld(STATES, { [`${SYSCTL}tcp_loose`]: loose })
    send(world, tcp(40_000, 80, ACK), { protocol: 6 })
    assert.equal(counts(world), loose === 1 ? [1, 0, 0, 0] : [0, 0, 1, 0])
  }
})

test('a wrong checksum is invalid unless nf_conntrack_checksum is 0', () => {
  for (const checksum of [0, 1]) {
    const world = makeNftWorld(STATES, { [`${SYSCTL}checksum`]: checksum })
    const csumBad = 2
    world.receive([world.packet(ipPacket({ body: udp(40_000, 5000) }), { flags: csumBad })])
    assert.equal(counts(world), checksum === 0 ? [1, 0, 0, 0] : [0, 0, 1, 0])
  }
})

test('notrack leaves a packet alone', () => {
  const world = makeNftWorld(
    `${STATES} table ip raw { chain p { type filter hook prerouting priority raw; udp dport 5000 notrack; } }`,
  )
  send(world, udp(40_000, 5000))
  send(world, udp(40_000, 5001))
  assert.equal(counts(world).slice(0, 4), [1, 0, 0, 1])
})

test('marks of connections and packets', () => {
  const world = makeNftWorld(`table ip t { chain i { type filter hook input priority 0;
    ct mark 7 counter meta mark set ct mark
    meta mark 7 counter
    ct state new ct mark set 7 } }`)
  send(world, udp(40_000, 5000))
  send(world, udp(40_000, 5000))
  assert.equal(counts(world), [1, 1, -1])
})

const NAT = (rule: string): string => `table ip n { chain p { type nat hook prerouting priority dstnat; ${rule}; } }
  table ip t { chain i { type filter hook input priority 0; udp dport 5000 counter; ip daddr 10.8.0.1 counter; } }`

test('a translated datagram reaches the socket of its new port, and its answer is turned back', () => {
  const world = makeNftWorld(NAT('udp dport 80 redirect to :5000'))
  world.deliver(world.packet(ipPacket({ body: udp(40_000, 80) }), { flags: 16_384 }))
  assert.is(world.drops().length, 0)
  assert.equal(counts(world).slice(1), [1, 0])
  assert.match(tracked(world).entries[0] ?? '', /sport=40000 dport=80 .*sport=5000 dport=40000/)
})

test('rules are asked for the first packet of a connection only', () => {
  const world = makeNftWorld(NAT('udp dport 80 counter dnat to 10.8.0.1:5000'))
  for (let i = 0; i < 3; i++) send(world, udp(40_000, 80))
  assert.equal(counts(world), [1, 3, 3])
})

test('two sources that would get the same tuple get different ports', () => {
  const world = makeNftWorld(
    `table ip n { chain q { type nat hook input priority srcnat; udp dport 5000 snat to 10.6.0.6; } }`,
  )
  for (const saddr of ['10.9.0.2', '10.9.0.3', '10.9.0.4']) send(world, udp(40_000, 5000), { saddr })
  const ports = tracked(world).entries.map((line) => Number(/dst=10\.6\.0\.6 sport=5000 dport=(\d+)/.exec(line)?.[1]))
  assert.is(new Set(ports).size, 3)
  assert.ok(ports.includes(40_000))
  assert.ok(
    ports.every((port) => port >= 1024),
    ports.join(),
  )
  assert.ok((tracked(world).stat[0]?.found ?? 0) >= 2)
})

test('ports that are all taken end in a drop', () => {
  const world = makeNftWorld(
    `table ip n { chain q { type nat hook input priority srcnat; udp dport 5000 snat to 10.6.0.6:2000-2001; } }`,
  )
  const passed = ['10.9.0.2', '10.9.0.3', '10.9.0.4'].map((saddr) => send(world, udp(40_000, 5000), { saddr }))
  assert.equal(passed, [true, true, false])
})

test('a table for a million connections is small, and its entries are found again', () => {
  const world = makeNftWorld(STATES, { [`${SYSCTL}max`]: 1_100_000, [`${SYSCTL}buckets`]: 1_048_576 })
  const bytes = ipPacket({ body: udp(1, 5000) })
  const flows = 100_000
  const list = (from: number): void => {
    const rows = Array.from({ length: 250 }, (_, i) => {
      const n = from + i
      return world.packet(bytes, {
        saddr: (0x0b000000 + (n >> 4)) >>> 0,
        ports: ((1024 + (n & 15)) * 65_536 + 5000) >>> 0,
      })
    })
    world.receive(rows)
  }
  for (let from = 0; from < flows; from += 250) list(from)
  assert.is(tracked(world).count, flows)
  list(0)
  assert.is(tracked(world).count, flows)
  const bytesPerEntry = world.memoryBytes('nf_conn') / 1_100_000
  assert.ok(bytesPerEntry < 70, `${bytesPerEntry} bytes per entry`)
})

test.run()
