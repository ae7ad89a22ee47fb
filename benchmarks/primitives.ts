/** What the pieces cost that everything else is made of, ns per operation. */
import { Binder, EventHeap, EventRow, eventList, RandomStream, randomStreams, World } from '@softnet/ecs'
import { bucketIndex } from '@softnet/scenario'
import { checksum, flowHash, jhash3words, MICROSOFT_RSS_KEY, Toeplitz } from '@softnet/wire'
import { Bench } from 'tinybench'
import { wallMs } from './support/host-clock.js'
import { type BenchmarkOptions, runIfStarted } from './support/options.js'
import { textTable } from './support/text-table.js'

/** Operations between two looks at the clock. */
const BATCH = 10_000
const MASK = 4095

/** Cost of one operation, ns. */
export interface PrimitiveCost {
  readonly name: string
  readonly medianNs: number
  readonly leastNs: number
}

/** Takes what operations compute, so that none is left out. */
const sink = new Float64Array(1)

type Operation = readonly [name: string, batch: () => void]

function eventOperations(): Operation[] {
  const world = new World()
  const pendings = [16, 64, 1024, 16_384]
  const firstOwner = world.spawn([EventHeap, RandomStream], pendings.length)
  const rows = pendings.reduce((sum, pending) => sum + pending + 2, 0)
  world.pool(EventRow, rows)
  world.freeze()
  const { base, capacity } = world.columns(EventHeap)
  const { timePs } = world.columns(EventRow)
  const binder = new Binder(world)
  const events = binder.bind(eventList)
  const random = binder.bind(randomStreams)
  random.seed(firstOwner, 1, firstOwner, 1)
  const ahead = Float64Array.from({ length: MASK + 1 }, () => Math.ceil(random.exponential(firstOwner) * 1e6))
  let nextRow = 1
  const holds = pendings.map((pending, i): Operation => {
    const owner = firstOwner + i
    base[owner] = nextRow
    capacity[owner] = pending + 2
    nextRow += pending + 2
    for (let e = 0; e < pending; e++) events.push(owner, owner, ahead[e & MASK] as number, 1, e, 0, 0)
    let step = 0
    const batch = (): void => {
      for (let n = 0; n < BATCH; n++) {
        const row = events.pop(owner)
        step = (step + 1) & MASK
        events.due[0] = (timePs[row] as number) + (ahead[step] as number)
        events.pushAt(owner, owner, 1, n, 0, 0)
      }
    }
    return [`event list, ${pending} pending: pop and push`, batch]
  })
  const draw = (name: string, value: () => number): Operation => [
    `random stream: ${name}`,
    () => {
      let sum = 0
      for (let n = 0; n < BATCH; n++) sum += value()
      sink[0] = sum
    },
  ]
  return [
    ...holds,
    draw('word', () => random.word(firstOwner)),
    draw('exponential', () => random.exponential(firstOwner)),
  ]
}

function hashOperations(): Operation[] {
  const toeplitz = new Toeplitz(MICROSOFT_RSS_KEY)
  const header = new DataView(new ArrayBuffer(64))
  for (let i = 0; i < 64; i++) header.setUint8(i, (i * 37) & 0xff)
  const over = (name: string, value: (n: number) => number): Operation => [
    name,
    () => {
      let sum = 0
      for (let n = 0; n < BATCH; n++) sum += value(n)
      sink[0] = sum
    },
  ]
  return [
    over('Toeplitz hash of addresses and ports', (n) => toeplitz.hash4tuple(n, 0xc0000201, n << 16)),
    over('jhash of three words', (n) => jhash3words(n, 1, 2, 3)),
    over('flow hash (SipHash)', (n) => flowHash(1, 2, n, 0xc0000201, n & 0xffff, 9000, 17)),
    over('checksum of 20 bytes', (n) => checksum(header, (n & 7) * 4, 20, 0)),
    over('latency bucket', (n) => bucketIndex(n * 37)),
  ]
}

/** Times each operation for about `rounds` times 100 ms. */
export async function primitives({ rounds, scale }: BenchmarkOptions): Promise<PrimitiveCost[]> {
  const bench = new Bench({
    now: wallMs,
    time: 100 * rounds * scale,
    iterations: 8,
    warmupTime: 100 * scale,
    warmupIterations: 8,
    throws: true,
  })
  for (const [name, batch] of [...eventOperations(), ...hashOperations()]) bench.add(name, batch, { async: false })
  return bench.runSync().map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${name} was not measured`)
    const { p50, min } = result.latency
    return { name, medianNs: (p50 * 1e6) / BATCH, leastNs: (min * 1e6) / BATCH }
  })
}

await runIfStarted(import.meta.url, primitives, (costs) =>
  textTable([
    ['ns per operation', 'median', 'least'],
    ...costs.map(({ name, medianNs, leastNs }) => [name, medianNs.toFixed(1), leastNs.toFixed(1)]),
  ]),
)
