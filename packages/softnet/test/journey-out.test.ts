import { builtinScenario, compileScenario, type JourneyDocument, type JourneyQuery } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { followPackets } from '../src/journey-run.js'
import { createSimulation } from '../src/simulation.js'
import * as expected from './expected-journeys-out.js'
import { isSound, told } from './journey-checks.js'

const context = { post: () => {}, stopRequested: () => false }
const ANY = { saddr: null, sport: null, daddr: null, dport: null }

function follow(query: JourneyQuery, given: unknown): JourneyDocument {
  const compiled = compileScenario(given, { source: 'test' })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  const { document } = followPackets(createSimulation, { plan: compiled.plan, query }, context)
  isSound(document)
  return document
}

function builtin(name: string, duration: string): Record<string, unknown> {
  const found = builtinScenario(name)
  if (found === undefined) throw new Error(`no scenario ${name}`)
  return { ...found.scenario, duration, warmup: '0' }
}

/** Two hosts on a cable, one of which sends to a sink on the other. */
function pair(
  sender: Record<string, unknown>,
  device: Record<string, unknown> = {},
  link: Record<string, unknown> = {},
) {
  const card = { driver: 'ixgbe', channels: { combined: 1 } }
  return {
    ...{ name: 'pair', duration: '1ms' },
    hosts: {
      left: {
        cpus: 1,
        devices: { eth0: { ...card, address: '10.0.0.1/24', ...device } },
        apps: {
          send: { kind: 'udp_sender', cpus: [0], to: '10.0.0.2:9000', messages: 20, rate: '100kpps', ...sender },
        },
      },
      right: {
        cpus: 1,
        devices: { eth0: { ...card, address: '10.0.0.2/24' } },
        apps: { sink: { cpus: [0], sockets: { bind: '0.0.0.0:9000' } } },
      },
    },
    links: { cable: { between: ['left/eth0', 'right/eth0'], ...link } },
  }
}

test('from the call that sends to the program that reads, on two hosts', () => {
  const document = follow({ flow: { ...ANY, dport: 9000 }, count: 1 }, pair({ payload: 100 }))
  assert.is(told(document), expected.TWO_HOSTS)
  assert.is(document.journeys[0]?.end.host, 'right')
})

test('a datagram that is too long goes on as its first fragment, and then in the datagram that is put together', () => {
  const document = follow({ flow: { ...ANY, dport: 9000 }, count: 1 }, pair({ payload: 3000 }))
  assert.is(told(document), expected.FRAGMENTS)
})

test('what is lost in the discipline, and on the link', () => {
  const qdisc = { qdisc: { kind: 'pfifo', limit: 5 }, rings: { tx: 64 } }
  const burst = pair({ payload: 1000, rate: '1Mpps', messages: 200 }, qdisc)
  const full = follow({ dropped: { reason: 'QDISC_OVERLIMIT' }, count: 1 }, burst)
  assert.ok(told(full).includes('dropped on CPU 0 of left: QDISC_OVERLIMIT'), told(full))
  const lossy = follow({ dropped: { reason: 'LINK_LOSS' }, count: 1 }, pair({}, {}, { loss: 1 }))
  const ways = lossy.journeys.map(({ waits }) => waits.map(({ queue }) => queue).join())
  assert.ok(ways[0]?.endsWith('tx ring,wire,link'), ways.join('; '))
})

test('a packet that a host makes can be asked for by its number', () => {
  const scenario = pair({ payload: 100 })
  const [found] = follow({ flow: { ...ANY, dport: 9000 }, count: 3 }, scenario).journeys.slice(2)
  assert.ok(found !== undefined && found.packet < 0)
  assert.equal(follow({ packet: found.packet }, scenario).journeys, [found])
})

test('ways are sound where packets are sent, translated, cut, flooded and lost', () => {
  for (const [name, duration] of [
    ['request-response', '500us'],
    ['switch-incast', '400us'],
    ['container-veth', '300us'],
    ['nat-gateway', '200us'],
    ['udp-gso-sender', '200us'],
    ['icmp-flood', '100us'],
    ['xps-off', '300us'],
    ['arp-storm', '200us'],
    ['bufferbloat-fq-codel', '500us'],
  ] as const) {
    const document = follow({ flow: ANY, count: 10_000 }, builtin(name, duration))
    const packets = document.journeys.map(({ packet }) => packet)
    assert.is(new Set(packets).size, packets.length, `${name}: every packet has one way`)
    assert.ok(document.journeys.length >= 10, `${name}: ${document.journeys.length} ways`)
  }
})

test.run()
