import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  formatBase,
  formatRule,
  formatSet,
  type NftRuleset,
  needsConntrack,
  parseNft,
  sharesState,
} from '../src/nft/index.js'
import { LISTING } from './nft-listing.js'

const test = suite('nft language')

function list(ruleset: NftRuleset): string {
  const lines: string[] = []
  for (const { family, name, sets, chains } of ruleset.tables) {
    const blocks = [
      ...sets.map((set) => [`set ${set.name}`, ...formatSet(set)]),
      ...chains.map((chain) => [
        `chain ${chain.name}`,
        ...(chain.base === null ? [] : [formatBase(chain.base)]),
        ...chain.rules.map((rule) => formatRule(rule, family)),
      ]),
    ]
    lines.push(
      `table ${family} ${name} {`,
      blocks
        .map(([head, ...rest]) => [`\t${head} {`, ...rest.map((line) => `\t\t${line}`), '\t}'].join('\n'))
        .join('\n\n'),
      '}',
    )
  }
  return `${lines.join('\n')}\n`
}

function parsed(text: string): NftRuleset {
  const { ruleset, faults } = parseNft(text)
  assert.equal(faults, [], JSON.stringify(faults))
  return ruleset
}

function rules(text: string, family = 'ip', type = 'filter hook input priority 0'): string[] {
  const ruleset = parsed(`table ${family} t {\nchain c { }\nchain i { type ${type}\n${text}\n}\n}`)
  return ruleset.tables.flatMap((table) => table.chains[1]?.rules.map((rule) => formatRule(rule, table.family)) ?? [])
}

test('what nft lists is read and written as it stands', () => {
  assert.is(list(parsed(LISTING)), LISTING)
})

test('handles count as those of nft: chains, sets, then rules with their nameless sets', () => {
  const [table] = parsed(LISTING).tables
  assert.equal(
    table?.chains.map((chain) => chain.handle),
    [1, 2],
  )
  assert.is(table?.sets[0]?.handle, 3)
  assert.equal(
    table?.chains.flatMap((chain) => chain.rules.slice(0, 8).map((rule) => rule.handle)),
    [4, 5, 6, 8, 9, 10, 12, 14, 15, 16],
  )
})

const SHORTER: readonly (readonly [written: string, listed: string])[] = [
  ['udp dport == 53 accept', 'udp dport 53 accept'],
  ['udp dport domain accept', 'udp dport 53 accept'],
  ['meta iifname eth0 accept', 'iifname "eth0" accept'],
  ['l4proto udp accept', 'meta l4proto udp accept'],
  ['ip saddr { 10.0.0.1 } drop', 'ip saddr 10.0.0.1 drop'],
  ['ip saddr 10.1.2.3/8 drop', 'ip saddr 10.0.0.0/8 drop'],
  ['udp dport ne 53 drop', 'udp dport != 53 drop'],
  ['udp dport { 9, 7, 9 } drop', 'udp dport { 7, 9 } drop'],
  ['limit rate 5/second burst 5 packets accept', 'limit rate 5/second accept'],
  ['tcp flags & (syn|ack) == syn accept', 'tcp flags syn / syn,ack accept'],
  ['tcp flags & syn == 0 drop', 'tcp flags ! syn drop'],
  ['counter packets 7 bytes 9 accept', 'counter packets 7 bytes 9 accept'],
  ['meta mark set 5', 'meta mark set 0x00000005'],
  ['meta mark set ct mark', 'meta mark set ct mark'],
  ['reject with icmp type port-unreachable', 'reject'],
]

for (const [written, listed] of SHORTER) {
  test(`${written} is listed as ${listed}`, () => {
    assert.equal(rules(written), [listed])
  })
}

test('commands add what blocks hold', () => {
  const block = parsed(
    'table inet t { chain c { udp dport 1 drop\n }\n chain i { type filter hook input priority -1; policy drop; jump c; } }',
  )
  const commands = parsed(
    [
      'flush ruleset',
      'nft add table inet t',
      'add chain inet t c',
      'add chain inet t i { type filter hook input priority -1; policy drop; }',
      'add rule inet t c udp dport 1 drop',
      'insert rule inet t i jump c',
    ].join('\n'),
  )
  assert.is(list(commands), list(block))
})

test('a variable stands for what it was given, in sets too', () => {
  const ruleset = parsed(
    'define lan = 10.0.0.0/8\ndefine all = { $lan, 192.0.2.1 }\ntable ip t { chain c { ip saddr $all drop; ip daddr $lan drop; } }',
  )
  assert.equal(
    ruleset.tables[0]?.chains[0]?.rules.map((each) => formatRule(each, 'ip')),
    ['ip saddr { 10.0.0.0/8, 192.0.2.1 } drop', 'ip daddr 10.0.0.0/8 drop'],
  )
})

test('lines may go on, comments and blank lines do not count', () => {
  assert.equal(rules('# nothing\n\nudp dport 5 \\\n  drop # here\n;;udp dport 6 drop;'), [
    'udp dport 5 drop',
    'udp dport 6 drop',
  ])
})

test('connection tracking is needed where a rule asks for it, shared state with limits too', () => {
  const of = (rule: string) => parsed(`table ip t { chain i { type filter hook input priority 0; ${rule}; } }`)
  assert.is(needsConntrack(of('ct state new drop')), true)
  assert.is(needsConntrack(of('ct state vmap { new : drop }')), true)
  assert.is(needsConntrack(of('meta mark set ct mark')), true)
  assert.is(needsConntrack(of('udp dport 5 drop')), false)
  assert.is(sharesState(of('udp dport 5 drop')), false)
  assert.is(sharesState(of('limit rate 5/second drop')), true)
  assert.is(needsConntrack(parsed('table ip t { chain i { type nat hook prerouting priority 0; } }')), true)
})

type FaultRow = readonly [text: string, line: number, column: number, given: string, accepted: RegExp, nearest?: string]

const inChain = (rule: string, type = 'filter hook input priority 0;') =>
  `table ip t {\nchain c { }\nchain i { type ${type}\n${rule}\n} }`

const FAULTS: readonly FaultRow[] = [
  ['tabel ip t { }', 1, 1, 'tabel', /a command/, 'table'],
  ['table ip6 t { }', 1, 7, 'ip6', /ip or inet/],
  ['list ruleset', 1, 1, 'list', /a command that is simulated/],
  ['include "x"', 1, 1, 'include', /a command that is simulated/],
  ['table ip t { chian c { } }', 1, 14, 'chian', /chain/, 'chain'],
  ['table ip t { chain c {', 1, 23, 'end of text', /`}`/],
  ['table ip t { chain c { type filter hook inptu priority 0; } }', 1, 41, 'inptu', /a hook: prerouting/, 'input'],
  ['table ip t { chain c { type filter hook input priority dstnat; } }', 1, 56, 'dstnat', /filter, security/],
  ['table ip t { chain c { type route hook output priority 0; } }', 1, 29, 'route', /filter or nat/],
  ['table ip t { chain c { type nat hook forward priority 0; } }', 1, 38, 'forward', /all but forward/],
  ['table ip t { chain c { type nat hook prerouting priority -300; } }', 1, 58, '-', /above -200/],
  ['table ip t { chain c { type nat hook prerouting priority 0; policy drop; } }', 1, 61, 'policy', /may not drop/],
  ['table ip t { chain c { policy drop; } }', 1, 24, 'policy', /behind `type/],
  [inChain('udp dpotr 53 drop'), 4, 5, 'dpotr', /a field of udp that is simulated: sport, dport/, 'dport'],
  [inChain('udp dport 70000 drop'), 4, 11, '70000', /a port from 0 to 65535/],
  [inChain('udp dport htpp drop'), 4, 11, 'htpp', /a port/, 'http'],
  [inChain('udp dport 9-5 drop'), 4, 11, '9', /end is above/],
  [inChain('ip saddr 10.0.0.999 drop'), 4, 10, '10.0.0.999', /an IPv4 address/],
  [inChain('ip saddr 10.0.0.0/33 drop'), 4, 19, '33', /prefix length from 0 to 32/],
  [inChain('ip6 saddr ::1 drop'), 4, 1, 'ip6', /a match/],
  [inChain('ip saddr { 10.0.0.0/8, 10.0.0.5 } drop'), 4, 24, '10.0.0.5', /do not overlap/],
  [inChain('ip saddr { } drop'), 4, 10, '{', /at least one element/],
  [inChain('ip saddr { 1.1.1.1 2.2.2.2 } drop'), 4, 20, '2.2.2.2', /`,` or `}`/],
  [inChain('icmp type echo-requets drop'), 4, 11, 'echo-requets', /an ICMP type/, 'echo-request'],
  [inChain('ct state establihed drop'), 4, 10, 'establihed', /states of a connection/, 'established'],
  [inChain('udp dport 5 dorp'), 4, 13, 'dorp', /a match .* or a statement/, 'drop'],
  [inChain('udp dport 5 drop accept'), 4, 18, 'accept', /nothing is done behind a verdict/],
  [inChain('log prefix "x" drop'), 4, 1, 'log', /`log` is not/],
  [inChain('queue num 1'), 4, 1, 'queue', /`queue` is not/],
  [inChain('limit rate 10/fortnight accept'), 4, 25, 'accept', /a unit of time/],
  [inChain('limit rate 0/second accept'), 4, 12, '0', /a rate from 1/],
  [inChain('jump nowhere'), 4, 1, 'jump', /`nowhere` is none/],
  [inChain('jump i'), 4, 1, 'jump', /is a base chain/],
  [inChain('ip saddr @gone drop'), 4, 1, 'ip', /there is none of that name/],
  [inChain('udp dport < 5-9 drop'), 4, 13, '5', /one number behind/],
  [inChain('dnat to 10.0.0.1'), 4, 1, 'dnat', /hook prerouting or output/],
  [inChain('masquerade', 'nat hook prerouting priority 0;'), 4, 1, 'masquerade', /postrouting/],
  [inChain('dnat to 10.0.0.1:80', 'nat hook prerouting priority 0;'), 4, 1, 'dnat', /matches tcp or udp/],
  [inChain('reject with tcp reset'), 4, 1, 'reject', /matches tcp/],
  [
    inChain('reject with icmp port-unreachabel'),
    4,
    18,
    'port-unreachabel',
    /one of net-unreachable/,
    'port-unreachable',
  ],
  [inChain('notrack'), 4, 1, 'notrack', /below -200/],
  [inChain('udp dport $ports drop'), 4, 12, 'ports', /`define`/],
  [inChain('udp dport 5 comment drop'), 4, 21, 'drop', /in quotes/],
  [inChain('iifname "a-name-of-an-interface" drop'), 4, 9, 'a-name-of-an-interface', /name of an interface/],
  ['table ip t { chain a { jump b; }\nchain b { jump a; } }', 2, 11, 'jump', /on the way to itself/],
  ['table ip t { set s { type ipv4_addr; elements = { 10.0.0.0/8 }; } }', 1, 49, '{', /flags interval/],
  ['table ip t { set s { type ipv4_adr; } }', 1, 27, 'ipv4_adr', /a type of sets/, 'ipv4_addr'],
  ['add rule ip t c drop', 1, 10, 'ip', /a table that was added before/],
  ['table ip t { }\nadd rule ip t c drop', 2, 15, 'c', /a chain that was added before/],
]

for (const [text, line, column, given, accepted, nearest] of FAULTS) {
  test(`refused: ${text.replaceAll('\n', ' ')}`, () => {
    const { faults } = parseNft(text)
    assert.ok(faults.length > 0, 'no fault')
    const [fault] = faults
    assert.equal([fault?.line, fault?.column, fault?.given], [line, column, given])
    assert.match(fault?.accepted ?? '', accepted)
    if (nearest !== undefined) assert.is(fault?.nearest, nearest)
  })
}

test('every faulty rule of a text is told, and those between are read', () => {
  const { ruleset, faults } = parseNft(inChain('udp dport x drop\nudp dport 5 drop\nudp sport y drop'))
  assert.equal(
    faults.map(({ line, given }) => [line, given]),
    [
      [4, 'x'],
      [6, 'y'],
    ],
  )
  assert.is(ruleset.tables[0]?.chains[1]?.rules.length, 1)
})

test('chains sixteen jumps deep are refused, fifteen are not', () => {
  const deep = (jumps: number) => {
    const chains = Array.from({ length: jumps }, (_, i) => `chain c${i} { ${i + 1 < jumps ? `jump c${i + 1};` : ''} }`)
    return parseNft(`table ip t {\n${chains.join('\n')}\nchain i { type filter hook input priority 0; jump c0; }\n}`)
      .faults
  }
  assert.is(deep(15).length, 0)
  assert.match(deep(16)[0]?.accepted ?? '', /at most 16 jumps/)
})

/** Numbers from a seed, the same in every run. */
function draws(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('no text makes the parser throw', () => {
  const below = draws(7)
  const words = LISTING.split(/\s+/)
  const signs = ['{', '}', ';', '\n', ',', '"', '$', '@', '-', '/', '(', '!', '\\', '\u0000', 'é', '0x', '1.2.3.4.5']
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: 1 + below(60) }, () =>
      below(3) === 0 ? (signs[below(signs.length)] as string) : (words[below(words.length)] as string),
    ).join(' ')
    const { faults } = parseNft(text)
    for (const fault of faults) assert.ok(fault.line >= 1 && fault.column >= 1 && fault.accepted !== '')
  }
  for (let round = 0; round < 500; round++) {
    const at = below(LISTING.length)
    parseNft(LISTING.slice(0, at) + (signs[below(signs.length)] as string) + LISTING.slice(at + below(40)))
  }
})

test.run()
