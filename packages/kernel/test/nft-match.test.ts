import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ipPacket, makeNftWorld, tcp, udp } from './support/nft-world.js'

const test = suite('nft_do_chain')

const FIRST_FRAGMENT = 0x2000
const LATER_FRAGMENT = 3

/** Packets of the tables below, by name. */
const PACKETS: Readonly<Record<string, Uint8Array>> = {
  dns: ipPacket({ body: udp(40_000, 53) }),
  low: ipPacket({ saddr: '10.1.2.3', ttl: 3, tos: 0x20, body: udp(53, 5000, 20) }),
  syn: ipPacket({ protocol: 6, body: tcp(40_000, 80, 0x02) }),
  synack: ipPacket({ protocol: 6, body: tcp(80, 40_000, 0x12) }),
  echo: ipPacket({ protocol: 1, body: [8, 0, 0, 0, 0, 1, 0, 1] }),
  unreachable: ipPacket({ protocol: 1, body: [3, 3, 0, 0, 0, 0, 0, 0] }),
  other: ipPacket({ protocol: 200, body: [1, 2, 3, 4] }),
  first: ipPacket({ body: udp(40_000, 53), fragment: FIRST_FRAGMENT }),
  later: ipPacket({ body: udp(40_000, 53), fragment: LATER_FRAGMENT }),
  short: ipPacket({ body: [0, 53] }),
}
const ALL = Object.keys(PACKETS).join(' ')
const UDP = 'dns low first'

type Row = readonly [match: string, packets: string]

/** Each match and the packets it holds for. */
const MATCHES: readonly Row[] = [
  ['ip saddr 10.1.2.3', 'low'],
  ['ip saddr != 10.9.0.2', 'low'],
  ['ip saddr 10.1.0.0/16', 'low'],
  ['ip saddr != 10.9.0.0/24', 'low'],
  ['ip saddr 10.1.2.2-10.1.2.4', 'low'],
  ['ip saddr != 10.1.2.0-10.1.2.3', ALL.replace('low ', '')],
  ['ip saddr { 10.1.2.3, 10.1.2.5 }', 'low'],
  ['ip saddr { 10.1.2.0/24, 10.2.0.0-10.3.0.0 }', 'low'],
  ['ip saddr != { 10.9.0.2, 10.1.2.5 }', 'low'],
  ['ip saddr @near', 'low'],
  ['ip saddr != @near', ALL.replace('low ', '')],
  ['ip daddr 10.9.0.1', ALL],
  ['ip protocol tcp', 'syn synack'],
  ['ip protocol { 1, 200 }', 'echo unreachable other'],
  ['meta l4proto != udp', 'syn synack echo unreachable other'],
  ['ip ttl 3', 'low'],
  ['ip ttl < 64', 'low'],
  ['ip ttl <= 3', 'low'],
  ['ip ttl > 63', ALL.replace('low ', '')],
  ['ip ttl >= 65', ''],
  ['ip dscp cs1', 'low'],
  ['ip length 48', 'low'],
  ['meta length > 40', 'low'],
  ['udp dport 53', 'dns first'],
  ['udp dport 50-60', 'dns first'],
  ['udp dport != 53', 'low'],
  ['udp dport { 53, 99 }', 'dns first'],
  ['udp sport 53', 'low'],
  ['udp length 28', 'low'],
  ['th dport 80', 'syn'],
  ['meta l4proto { tcp, udp } th sport 53', 'low'],
  ['tcp dport 80', 'syn'],
  ['tcp flags syn', 'syn synack'],
  ['tcp flags == syn', 'syn'],
  ['tcp flags syn / syn,ack', 'syn'],
  ['tcp flags ! ack', 'syn'],
  ['tcp flags { syn, fin }', 'syn'],
  ['icmp type echo-request', 'echo'],
  ['icmp type != echo-request', 'unreachable'],
  ['icmp code port-unreachable', 'unreachable'],
  ['iifname "tun0"', ALL],
  ['iifname "tun*"', ALL],
  ['iifname != "tun1"', ALL],
  ['iifname { "tun1", "eth0" }', ''],
  ['iif "tun1"', ''],
  ['oifname "tun1"', ''],
  ['oifname != "tun1"', ALL],
  ['oif "lo"', ''],
  ['meta pkttype host', ALL],
  ['meta mark 0', ALL],
  ['meta mark & 1 == 1', ''],
  ['ether saddr 02:00:00:00:ff:01', ''],
  ['limit rate 1/hour burst 2 packets', 'dns low'],
  ['limit rate over 1/hour burst 2 packets', ALL.replace('dns low ', '')],
]

for (const family of ['ip', 'inet']) {
  for (const [match, expected] of MATCHES) {
    test(`${family}: ${match}`, () => {
      const world = makeNftWorld(
        `table ${family} t { set near { type ipv4_addr; flags interval; elements = { 10.1.2.0/24 }; }
         chain i { type filter hook prerouting priority 0; ${match} counter drop; } }`,
      )
      const names = Object.keys(PACKETS)
      const passed = world.receive(names.map((name) => world.packet(PACKETS[name] as Uint8Array)))
      assert.is(names.filter((_, index) => !passed[index]).join(' '), expected)
    })
  }
}

test('a datagram of a fragment behind the first has no ports, a cut header neither', () => {
  const world = makeNftWorld('table ip t { chain i { type filter hook input priority 0; udp dport 0-65535 drop; } }')
  const passed = world.receive(Object.values(PACKETS).map((bytes) => world.packet(bytes)))
  assert.is(
    Object.keys(PACKETS)
      .filter((_, index) => !passed[index])
      .join(' '),
    UDP,
  )
})

test('hardware addresses of frames from a generator', () => {
  const world = makeNftWorld(
    `table ip t { chain i { type filter hook input priority 0;
      ether saddr 02:00:00:00:ff:01 counter
      ether daddr 02:00:00:00:00:01 counter
      meta pkttype broadcast ether daddr ff:ff:ff:ff:ff:ff counter
    } }`,
  )
  const bytes = PACKETS.dns as Uint8Array
  world.receive([world.packet(bytes, { flags: 0 }), world.packet(bytes, { flags: 0, packetType: 1 })])
  const counts = world.listing().map((text) => /counter packets (\d+)/.exec(text)?.[1])
  assert.is(counts[0], '2')
  assert.is(counts[2], '1')
})

type Verdict = readonly [rules: string, dropped: string]

/** Rules of chain `i` (chains `a` and `b` are there to jump to) and the packets they drop. */
const VERDICTS: readonly Verdict[] = [
  ['udp dport 53 accept\n drop', 'low'],
  ['continue\n udp dport 53 drop', 'dns'],
  ['return\n drop', ''],
  ['jump a\n udp dport 5000 drop', 'dns low'],
  ['goto a\n drop', 'dns'],
  ['jump b\n udp dport 5000 drop', 'low'],
  ['jump nest\n drop', 'dns low'],
  ['udp dport vmap { 53 : drop, 5000 : accept }\n drop', 'dns'],
  ['udp dport vmap { 1-52 : accept, 53-60 : jump a }\n drop', 'dns low'],
  ['ip saddr vmap { 10.1.0.0/16 : goto a, 10.9.0.2 : return }\n drop', ''],
  ['meta mark set 5\n meta mark 5 drop', 'dns low'],
  ['reject', 'dns low'],
  ['reject with icmp host-unreachable', 'dns low'],
]

for (const [rules, dropped] of VERDICTS) {
  test(`verdicts: ${rules.replaceAll('\n', ';')}`, () => {
    const world = makeNftWorld(
      `table ip t { chain a { udp dport 53 drop; } chain b { udp dport 53 accept; } chain nest { jump b; udp dport 5000 drop; jump a; }
       chain i { type filter hook input priority 0; ${rules}\n } }`.replace('jump b; udp', 'udp dport 1 jump b; udp'),
    )
    const passed = world.receive(['dns', 'low'].map((name) => world.packet(PACKETS[name] as Uint8Array)))
    assert.is(['dns', 'low'].filter((_, index) => !passed[index]).join(' '), dropped)
  })
}

test('policies count what reaches the end of a base chain', () => {
  const world = makeNftWorld(
    'table ip t { chain i { type filter hook input priority 0; policy drop; udp dport 53 accept; } }',
  )
  const rows = ['dns', 'low', 'syn'].map((name) => world.packet(PACKETS[name] as Uint8Array))
  assert.equal(world.receive(rows), [true, false, false])
  assert.equal(world.netfilter().tables[0]?.chains[0]?.policy, { packets: 2, dropped: 2 })
})

test('lower priorities come first, of equal ones the chain that was added last; accept ends only its chain', () => {
  const world = makeNftWorld(`
    table ip one { chain late { type filter hook input priority 5; counter drop; }
      chain same { type filter hook input priority 0; counter; }
      chain early { type filter hook prerouting priority 300; counter accept; } }
    table ip two { chain same { type filter hook input priority 0; counter accept; udp dport 1 drop; }
      chain first { type filter hook input priority -1; udp dport 53 drop; } }`)
  const passed = world.receive(['dns', 'low'].map((name) => world.packet(PACKETS[name] as Uint8Array)))
  assert.equal(passed, [false, false])
  const counts = world.listing().map((text) => /counter packets (\d+)/.exec(text)?.[1] ?? '-')
  assert.equal(counts, ['1', '1', '2', '1', '-', '-'])
})

test('a limit fills with time, in whole nanoseconds', () => {
  const world = makeNftWorld(
    'table ip t { chain i { type filter hook input priority 0; limit rate 10/second burst 2 packets accept; drop; } }',
  )
  const send = (): boolean => world.receive([world.packet(PACKETS.dns as Uint8Array)])[0] as boolean
  assert.equal([send(), send(), send()], [true, true, false])
  world.wait(99_000_000)
  assert.is(send(), false)
  world.wait(1_000_000)
  assert.equal([send(), send()], [true, false])
  world.wait(1_000_000_000)
  assert.equal([send(), send(), send()], [true, true, false])
})

test('a limit of bytes counts IP bytes and saves a second of them', () => {
  const world = makeNftWorld(
    'table ip t { chain i { type filter hook input priority 0; limit rate 100 bytes/second accept; drop; } }',
  )
  const send = (): boolean => world.receive([world.packet(PACKETS.dns as Uint8Array)])[0] as boolean
  assert.equal([send(), send(), send(), send()], [true, true, true, false])
  world.wait(160_000_000)
  assert.equal([send(), send()], [true, false])
})

test('counters start where the text says', () => {
  const world = makeNftWorld(
    'table ip t { chain i { type filter hook input priority 0; counter packets 7 bytes 100; } }',
  )
  world.receive([world.packet(PACKETS.dns as Uint8Array)])
  assert.equal(world.listing(), ['counter packets 8 bytes 129'])
})

test('drops of rules are told by place and reason, frames that came merged count as all of them', () => {
  const world = makeNftWorld('table ip t { chain i { type filter hook input priority 0; udp dport 53 drop; } }')
  world.deliver(world.packet(PACKETS.dns as Uint8Array, { frames: 3, flags: 16_384 }))
  assert.equal(world.drops(), [{ host: 'h', where: 'nft_do_chain', reason: 'NETFILTER_DROP', count: 3 }])
  assert.is(world.netfilter().tables[0]?.chains[0]?.rules[0]?.dropped, 3)
})

for (const [name, chain] of [
  ['nft-input-drop', 'input priority 0'],
  ['nft-prerouting-drop', 'prerouting priority -300'],
] as const) {
  test(`${name} as Linux 6.18 counted it`, () => {
    const world = makeNftWorld(`table ip t { chain i { type filter hook ${chain}; udp dport 5000 drop; }\n}`)
    const hex = '4500001d00010000401166bb0a0900020a0900019c4013880009c3fe78'
    world.deliver(world.packet(Uint8Array.from(Buffer.from(hex, 'hex'))))
    assert.equal(world.moved(), { IpInReceives: 1, IpExtInOctets: 29, IpExtInNoECTPkts: 1 })
    assert.equal(world.drops(), [{ host: 'h', where: 'nft_do_chain', reason: 'NETFILTER_DROP', count: 1 }])
  })
}

test('every rule that is looked at costs time, and a set costs nearly the same at any size', () => {
  const cost = (rules: string): number => {
    const world = makeNftWorld(`table ip t { chain i { type filter hook input priority 0; ${rules} } }`)
    world.receive([world.packet(PACKETS.dns as Uint8Array)])
    return world.stagePs('nft_do_chain')
  }
  const rules = (n: number): string =>
    Array.from({ length: n }, (_, i) => `ip saddr 10.2.${i >> 8}.${i & 255} drop`).join('\n')
  const set = (n: number): string =>
    `ip saddr { ${Array.from({ length: n }, (_, i) => `10.2.${i >> 8}.${i & 255}`).join(', ')} } drop\n`
  const none = cost('')
  const perRule = (cost(rules(200)) - cost(rules(100))) / 100
  assert.ok(Math.abs(cost(rules(300)) - none - 300 * perRule) < 300, 'cost grows with the number of rules')
  assert.is(cost(set(2)), cost(set(1000)))
  assert.ok(cost(set(1000)) < cost(rules(40)), 'one lookup is cheaper than forty rules')
  assert.ok(cost('udp dport 1-9 drop\n') > cost('udp dport 9 drop\n'), 'a range costs more than a value')
  assert.ok(cost('counter\n') > none)
})

test.run()
