import { compileScenario, type JourneyDocument, type JourneyQuery } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { followPackets } from '../src/journey-run.js'
import { createSimulation } from '../src/simulation.js'
import * as expected from './expected-journeys.js'
import { isSound, told } from './journey-checks.js'

interface Parts {
  readonly cpus?: number
  readonly device?: Record<string, unknown>
  readonly traffic?: Record<string, unknown>
  readonly sockets?: Record<string, unknown>
  readonly host?: Record<string, unknown>
}

function follow(query: JourneyQuery, parts: Parts): JourneyDocument {
  const { cpus = 2, device = {}, traffic = {}, sockets = {}, host = {} } = parts
  const compiled = compileScenario(
    {
      ...{ name: 'way', duration: '1ms' },
      hosts: {
        server: {
          ...host,
          cpus,
          devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', ...device } },
          apps: { sink: { cpus: [cpus - 1], sockets: { count: 1, bind: '0.0.0.0:9000', ...sockets } } },
        },
      },
      traffic: { load: { rate: '400kpps', packets: 200, flows: { count: 4, dport: 9000 }, ...traffic } },
    },
    { source: 'test' },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  const context = { post: () => {}, stopRequested: () => false }
  return followPackets(createSimulation, { plan: compiled.plan, query }, context).document
}

test('a delivered packet: ring, poll, socket, and the reader it wakes', () => {
  const document = follow({ packet: 3 }, {})
  isSound(document)
  assert.is(told(document), expected.DELIVERED)
  assert.ok(document.simulated_ns < 1e6, 'the run ends when all is known')
})

test('a steered packet: from one CPU to the backlog of another', () => {
  const document = follow(
    { packet: 20 },
    { cpus: 3, device: { channels: { combined: 1 }, queues: { rps_cpus: '2' } }, traffic: { rate: '1Mpps' } },
  )
  isSound(document)
  assert.equal(document.journeys[0]?.cpus, [0, 1, 2])
  assert.is(told(document), expected.STEERED)
})

test('packets that found no descriptor, and packets that the full backlog refused', () => {
  const ring = { rings: { rx: 64 }, 'packet-buffer': '4KiB' }
  const flood = { rate: '8Mpps', packets: 900 }
  const lost = follow({ dropped: { reason: null }, count: 1 }, { device: ring, traffic: flood })
  isSound(lost)
  assert.equal(
    lost.journeys.map(({ end }) => `${end.reason} ${end.where}`).sort(),
    lost.drops.map(({ reason, where }) => `${reason} ${where}`).sort(),
  )
  const inRing = follow({ dropped: { reason: 'NIC_RX_NO_BUFFER' }, count: 1 }, { device: ring, traffic: flood })
  assert.is(told(inRing), expected.DROPPED_IN_RING)
  const backlog = follow(
    { dropped: { reason: 'CPU_BACKLOG' }, count: 1 },
    {
      cpus: 3,
      device: { queues: { rps_cpus: '2' } },
      traffic: { rate: '4Mpps', packets: 900 },
      host: { sysctl: { 'net.core.netdev_max_backlog': 30 } },
    },
  )
  isSound(backlog)
  assert.is(told(backlog), expected.DROPPED_IN_BACKLOG)
})

test('a segment that GRO has merged goes on as part of the packet it joined', () => {
  const traffic = { frame: 346, rate: '1Mpps', packets: 100, flows: { count: 1, dport: 9000 } }
  const parts = { cpus: 1, sockets: { UDP_GRO: true }, device: { coalesce: { 'rx-usecs': 20 } }, traffic }
  const document = follow({ packet: 5 }, parts)
  isSound(document)
  assert.is(document.journeys[0]?.end.merged_into, 4)
  assert.is(told(document), expected.MERGED)
})

test('packets of a flow, as many as asked for', () => {
  const flow = { saddr: null, sport: null, daddr: null, dport: 9000 }
  const { journeys } = follow({ flow: { ...flow }, count: 7 }, {})
  assert.equal(
    journeys.map(({ packet }) => packet),
    [1, 2, 3, 4, 5, 6, 7],
  )
  assert.is(follow({ flow: { ...flow, dport: 9001 }, count: 7 }, {}).journeys.length, 0)
})

test('every packet has a way, and ends as the result counts it', () => {
  const traffic = { rate: '2Mpps', packets: 600 }
  const flow = { saddr: null, sport: null, daddr: null, dport: null }
  for (const parts of [
    { sockets: { SO_RCVBUF: 2304 }, traffic },
    { cpus: 4, device: { queues: { rps_cpus: '6' } }, traffic },
    { cpus: 1, sockets: { SO_BUSY_POLL: '50us' }, traffic: { rate: '100kpps', packets: 80 } },
    { device: { threaded: true }, traffic },
    { traffic: { protocol: 'tcp', frame: 1518, rate: '800kpps', packets: 300, train: 16 } },
  ]) {
    const document = follow({ flow, count: 10_000 }, parts)
    isSound(document)
    assert.is(document.journeys.filter(({ packet }) => packet > 0).length, document.offered)
    const delivered = document.journeys.filter(({ end }) => end.fate === 'delivered').length
    const dropped = document.journeys.filter(({ end }) => end.fate === 'dropped').length
    assert.ok(delivered + dropped >= 0.9 * document.offered, `${delivered} ${dropped} of ${document.offered}`)
  }
})

test.run()
