import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildModel } from '../src/build/build-model.js'
import { modelPartitions } from '../src/build/model-partitions.js'
import { type InspectDocument, inspectModel } from '../src/observe/inspect.js'
import { Skb } from '../src/skb/components.js'
import { planOf } from './support/run-model.js'

function model(device: Record<string, unknown>, sink: Record<string, unknown>) {
  return buildModel(
    planOf({
      hosts: {
        server: {
          cpus: 4,
          devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', ...device } },
          apps: { sink: { cpus: [2, 3], sockets: { count: 2, bind: '0.0.0.0:9000', 'port-step': 1 }, ...sink } },
        },
      },
      traffic: { load: { rate: '1kpps', flows: { count: 64 } } },
    }),
  )
}

const built = model({ channels: { combined: 2 }, vlans: [9], queues: { rps_cpus: 'c' } }, {})
const document = inspectModel(built)

function entity(seen: InspectDocument, kind: string) {
  const found = seen.entities.find((each) => each.kind === kind)
  assert.ok(found, kind)
  return found as NonNullable<typeof found>
}

test('partitions and edges are those the model runs in', () => {
  const partitions = modelPartitions(built)
  assert.equal(
    document.partitions.map(({ id, name }) => ({ id, name })),
    partitions.map(({ id, name }) => ({ id, name })),
  )
  assert.equal(
    document.partitions.map(({ cpus }) => cpus),
    [[0], [1], [2], [3], []],
  )
  for (const [to, partition] of partitions.entries()) {
    const seen = document.edges.filter((edge) => edge.to === to)
    assert.equal(
      seen.map(({ from, latencyNs }) => [from, latencyNs]),
      partition.inputs.map(({ from, latencyPs }) => [from, latencyPs / 1000]),
    )
    for (const { why, latencyNs } of seen) assert.ok(why.length > 0 && latencyNs > 0)
  }
  assert.ok(document.edges.some(({ from, to, why }) => from === 0 && to === 2 && /steered to its backlog/.test(why)))
  assert.ok(document.edges.some(({ from, why }) => from === 4 && /frames after DMA/.test(why)))
  assert.ok(document.partitions.every(({ fusedBecause }) => fusedBecause === undefined))
})

test('CPUs that share something are one partition and it is said why', () => {
  const epoll = { shared: true }
  const seen = inspectModel(model({ channels: { combined: 1 } }, { wait: 'epoll_wait', epoll }))
  const fused = seen.partitions.filter(({ cpus }) => cpus.length > 1)
  assert.equal(
    fused.map(({ cpus }) => cpus),
    [[2, 3]],
  )
  assert.equal(fused[0].fusedBecause, ['tasks of sink share an epoll instance'])
})

test('stages follow the packet, and systems tell what they touch', () => {
  const stages = document.stages.map(({ stage }) => stage)
  const path = ['wire', 'nic', 'irq', 'softirq', 'napi', 'gro', 'netif', 'ip', 'udp', 'sock', 'task']
  assert.equal(
    stages.filter((stage) => path.includes(stage)),
    path,
  )
  assert.is(new Set(stages).size, stages.length)
  const systems = document.stages.flatMap((stage) => stage.systems)
  assert.is(systems.length, built.binder.access().length)
  const ring = systems.find(({ name }) => name === 'rx_ring')
  assert.ok(ring?.writes.includes('rx_queue') && ring.reads.includes('cpu'))
  assert.match(ring?.kernel ?? '', 'ixgbe_main.c')
  const known = new Set(document.tables.map(({ component }) => component))
  for (const { reads, writes } of systems) for (const name of [...reads, ...writes]) assert.ok(known.has(name), name)
})

test('entities are counted with their components', () => {
  const counts = document.entities.map(({ kind, count }) => [kind, count])
  assert.equal(counts.slice(0, 4), [
    ['CPU', 4],
    ['wire', 1],
    // Two of the plan (one a VLAN) and loopback.
    ['device', 3],
    ['receive queue', 2],
  ])
  assert.ok(entity(document, 'CPU').components.includes('softnet'))
  assert.is(entity(document, 'task').count, built.layout.tasks.length)
  assert.ok(document.entities.every(({ count }) => count > 0))
})

test('tables add up to the memory of all columns, and limits are there', () => {
  const skb = document.tables.find(({ component }) => component === 'skb')
  const columns = Object.values(built.world.columns(Skb))
  assert.is(skb?.columns.length, columns.length)
  assert.is(
    skb?.bytes,
    columns.reduce((sum, column) => sum + column.byteLength, 0),
  )
  assert.ok(skb?.pool)
  assert.is(
    document.memoryBytes,
    document.tables.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  assert.equal(document.limits, built.plan.limits)
  assert.ok(Object.keys(document.limits).length > 0)
  assert.equal(JSON.parse(JSON.stringify(document)), document)
})

test.run()
