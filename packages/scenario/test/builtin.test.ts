import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { BUILTIN_NAMES, BUILTIN_SCENARIOS, builtinScenario } from '../src/builtin/index.js'
import { rssQueueOfFlow, rssScenario } from '../src/builtin/rss.js'
import { compileScenario } from '../src/compile/compile.js'
import { scenarioJsonSchema } from '../src/schema/scenario.js'
import { full, planOf, smallest } from './scenarios.js'

const test = suite('builtin')

for (const { name, scenario, description, question } of BUILTIN_SCENARIOS) {
  test(`${name} compiles without a warning`, () => {
    const result = compileScenario(scenario, { source: name })
    assert.ok(result.ok, JSON.stringify(result.ok ? null : result.errors))
    assert.equal(result.warnings, [])
    assert.is(result.plan.name, name)
    assert.ok(description.length > 20 && question.endsWith('?'))
    // Timers of reassembly and linkwatch run for whole seconds.
    assert.ok(result.plan.durationPs <= (name === 'fragment-flood' || name === 'link-flap' ? 3e12 : 200e9))
  })
}

test('the names users look for are there', () => {
  assert.is(BUILTIN_NAMES[0], 'four-cpus')
  assert.is(new Set(BUILTIN_NAMES).size, BUILTIN_NAMES.length)
  for (const name of ['rss-4-queues', 'rss-scale-64', 'rps-64-cpus', 'wide-256', 'flows-100k', 'classic-80mbit']) {
    assert.ok(builtinScenario(name) !== undefined, name)
  }
  assert.is(builtinScenario('nothing'), undefined)
})

/** Toeplitz as the cards compute it, written straight from its definition. */
function toeplitz(key: string, bytes: readonly number[]): number {
  const bit = (position: number) => (Number.parseInt(key[position >> 2] as string, 16) >> (3 - (position & 3))) & 1
  let hash = 0
  bytes.forEach((byte, index) => {
    for (let inner = 0; inner < 8; inner++) {
      if (((byte >> (7 - inner)) & 1) === 0) continue
      for (let out = 0; out < 32; out++) if (bit(index * 8 + inner + out)) hash ^= 1 << (31 - out)
    }
  })
  return hash >>> 0
}

const bytesOf = (value: number, count: number) =>
  Array.from({ length: count }, (_, index) => Math.floor(value / 256 ** (count - 1 - index)) % 256)

for (const queues of [1, 2, 4, 8, 16, 32, 64]) {
  test(`RSS gives each of ${queues} queues four flows, and each is read on the CPU of its queue`, () => {
    const plan = planOf(rssScenario(queues))
    const host = plan.hosts[0]
    const device = host?.devices[0]
    const app = host?.apps[0]
    const load = plan.traffic[0]
    assert.ok(device !== undefined && app !== undefined && load?.kind === 'open')
    const { flows } = load
    const perQueue = new Array<number>(queues).fill(0)
    for (let flow = 0; flow < flows.count; flow++) {
      const input = [
        ...bytesOf(flows.saddr, 4),
        ...bytesOf(flows.daddr, 4),
        ...bytesOf(flows.sport + (flow % flows.sportCount), 2),
        ...bytesOf(flows.dport + (flow % flows.dportCount), 2),
      ]
      const queue = device.indirection[toeplitz(device.rssKey, input) % device.indirection.length] as number
      assert.is(queue, rssQueueOfFlow(flow, queues))
      perQueue[queue] = (perQueue[queue] as number) + 1
      const socket = app.sockets.find((candidate) => candidate.port === flows.dport + flow)
      const cpu = device.vectors[device.queues[queue]?.vectorIndex as number]?.affinity[0] as number
      assert.equal(app.tasks[socket?.taskIndex as number], [cpu])
    }
    assert.equal(perQueue, new Array<number>(queues).fill(4))
  })
}

test('the test’s own Toeplitz gives the published value', () => {
  const key = '6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa'
  assert.is(toeplitz(key, [66, 9, 149, 187, 161, 142, 100, 80, ...bytesOf(2794, 2), ...bytesOf(1766, 2)]), 0x51ccc178)
})

test('busy-poll reads each socket on the CPU of its queue', () => {
  const app = planOf(builtinScenario('busy-poll')?.scenario).hosts[0]?.apps[0]
  assert.equal(
    app?.sockets.map((socket) => socket.taskIndex),
    Array.from({ length: 16 }, (_, flow) => rssQueueOfFlow(flow, 4)),
  )
})

test('flows-100k has a socket for each flow', () => {
  for (const count of [100_000, 16]) {
    const scenario = builtinScenario('flows-100k')?.scenario
    const result = compileScenario(scenario, {
      source: 'test',
      overrides: [
        { path: 'load.flows.count', value: count, given: String(count) },
        { path: 'sink.sockets.count', value: count, given: String(count) },
      ],
    })
    assert.ok(result.ok)
    const sockets = new Set(result.plan.hosts[0]?.apps[0]?.sockets.map(({ address, port }) => address * 65_536 + port))
    const load = result.plan.traffic[0]
    assert.ok(load?.kind === 'open')
    const { flows } = load
    const targets = new Set<number>()
    for (let flow = 0; flow < count; flow++) {
      targets.add((flows.daddr + (flow % flows.daddrCount)) * 65_536 + flows.dport + (flow % flows.dportCount))
    }
    assert.is(targets.size, count)
    assert.is(sockets.size, count)
    for (const target of targets) assert.ok(sockets.has(target))
  }
})

test('the JSON Schema accepts what the schema accepts', () => {
  const published = z.fromJSONSchema(scenarioJsonSchema() as Parameters<typeof z.fromJSONSchema>[0])
  const named = [...BUILTIN_SCENARIOS.map((builtin) => builtin.scenario), smallest(), full()]
  for (const scenario of named) {
    const parsed = published.safeParse(scenario)
    assert.ok(parsed.success, `${scenario.name}: ${parsed.error?.message}`)
  }
  assert.is(published.safeParse({ ...smallest(), nme: 1 }).success, false)
  assert.is(published.safeParse({ ...smallest(), seed: -1 }).success, false)
})

test('the JSON Schema describes every key', () => {
  const missing: string[] = []
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { properties, anyOf, oneOf, items, additionalProperties } = node as Record<string, unknown>
    for (const [key, value] of Object.entries((properties ?? {}) as Record<string, { description?: string }>)) {
      if (value.description === undefined) missing.push(`${path}.${key}`)
      visit(value, `${path}.${key}`)
    }
    for (const list of [anyOf, oneOf]) if (Array.isArray(list)) for (const option of list) visit(option, path)
    visit(items, `${path}[]`)
    visit(additionalProperties, `${path}.*`)
  }
  visit(scenarioJsonSchema(), '')
  assert.equal(missing, [])
})

test.run()
