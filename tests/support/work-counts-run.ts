/**
 * Runs in a process of its own: what a packet of a built-in scenario asks for, in counts that are the same every time.
 * Prints one line of JSON.
 */
import { Session } from 'node:inspector/promises'
import { type ColumnWatch, EventHeap } from '@softnet/ecs'
import { createRunner } from '@softnet/engine'
import { buildModel, type Model, modelPartitions, modelProgress } from '@softnet/kernel'
import { builtinScenario, compileScenario, type Plan } from '@softnet/scenario'

/** Counts per thousand packets, rounded. */
export interface WorkCounts {
  readonly packets: number
  /** Times a partition was advanced, and events it was told of. */
  readonly steps: number
  readonly events: number
  /** Packet rows taken from the pools. */
  readonly rows: number
  /** Calls of functions, by layer of the model or package. */
  readonly calls: Readonly<Record<string, number>>
  /** Cells read and written, by component. */
  readonly cells: Readonly<Record<string, number>>
}

/** Before it the machine is not in its steady state. */
const WARM_PS = 5e8
/** Until when calls are counted, and then accesses to cells. */
const CALLS_PS = 1e9
const CELLS_PS = 1.25e9
const SCRIPTS = /\/packages\/(\w+)\/dist\/src\/(?:(\w+)\/)?[^/]+\.js$/

function planOf(name: string): Plan {
  const document = builtinScenario(name)?.scenario
  if (document === undefined) throw new Error(`no built-in scenario is called ${name}`)
  const overrides = [{ path: 'duration', value: `${CELLS_PS / 1e9 + 4}ms`, given: 'duration' }]
  const compiled = compileScenario(document, { source: name, overrides })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  return compiled.plan
}

interface Measured {
  readonly packets: number
  readonly steps: number
  readonly events: number
}

/** Advances a model, and counts what it did between the two times. */
async function measured(
  model: Model,
  fromPs: number,
  untilPs: number,
  begin: () => unknown,
  end: () => unknown,
): Promise<Measured> {
  const runner = createRunner(modelPartitions(model))
  const { nextSequence } = model.world.columns(EventHeap)
  const { cpus, wires } = model.layout
  const events = () => [...cpus, ...wires].reduce((sum, id) => sum + (nextSequence[id] ?? 0), 0)
  runner.runUntil(fromPs)
  const before = { packets: modelProgress(model).offered, steps: runner.steps(), events: events() }
  await begin()
  runner.runUntil(untilPs)
  await end()
  return {
    packets: modelProgress(model).offered - before.packets,
    steps: runner.steps() - before.steps,
    events: events() - before.events,
  }
}

const add = (to: Map<string, number>, name: string, count: number) => to.set(name, (to.get(name) ?? 0) + count)

/** Counts the calls of every function of the project, as V8's coverage tells them. */
async function countCalls(model: Model) {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  const calls = new Map<string, number>()
  let rows = 0
  const begin = () => session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  const counted = await measured(model, WARM_PS, CALLS_PS, begin, async () => {
    const { result } = await session.post('Profiler.takePreciseCoverage')
    for (const { url, functions } of result) {
      const match = SCRIPTS.exec(url)
      if (match === null) continue
      const layer = match[1] === 'kernel' ? (match[2] ?? 'kernel') : (match[1] as string)
      for (const { functionName, ranges } of functions) {
        const count = ranges[0]?.count ?? 0
        add(calls, layer, count)
        if (url.endsWith('/skb/skb-pool.js') && functionName === 'take') rows += count
      }
    }
    await session.post('Profiler.stopPreciseCoverage')
  })
  session.disconnect()
  return { ...counted, calls, rows }
}

/** Goes on with a model and counts every access to a cell of a column. */
async function countCells(plan: Plan, arena: readonly SharedArrayBuffer[]) {
  const cells = new Map<string, number>()
  let isCounting = false
  const watch: ColumnWatch = (name, column) => {
    const values = column as unknown as Record<string, number>
    const component = name.split('.')[0] as string
    return new Proxy(column, {
      get(_, key) {
        if (isCounting && typeof key === 'string' && /^\d/.test(key)) add(cells, component, 1)
        const member = Reflect.get(column, key) as unknown
        return typeof member === 'function' ? member.bind(column) : member
      },
      set(_, key, value) {
        if (isCounting) add(cells, component, 1)
        values[key as string] = value
        return true
      },
    })
  }
  const setCounting = (on: boolean) => () => {
    isCounting = on
  }
  const model = buildModel(plan, { watch }, arena)
  return { ...(await measured(model, CALLS_PS, CELLS_PS, setCounting(true), setCounting(false))), cells }
}

async function workCounts(name: string): Promise<WorkCounts> {
  const plan = planOf(name)
  const model = buildModel(plan)
  const byCall = await countCalls(model)
  const byCell = await countCells(plan, model.world.arena())
  const per1000 = (count: number, packets = byCall.packets) => Math.round((1000 * count) / packets)
  const rounded = (counts: ReadonlyMap<string, number>, packets: number) => {
    const entries = [...counts].map(([key, count]) => [key, per1000(count, packets)] as const)
    return Object.fromEntries(entries.filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return {
    packets: byCall.packets,
    steps: per1000(byCall.steps),
    events: per1000(byCall.events),
    rows: per1000(byCall.rows),
    calls: rounded(byCall.calls, byCall.packets),
    cells: rounded(byCell.cells, byCell.packets),
  }
}

console.log(JSON.stringify(await workCounts(process.argv[2] ?? '')))
