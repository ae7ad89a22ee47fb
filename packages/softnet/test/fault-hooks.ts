/** Module hooks that break one worker of a run: `SOFTNET_FAULT="throw 1 5e9"` makes worker 1 throw from 5 ms on. */

interface Loaded {
  readonly source?: string | ArrayBuffer | Uint8Array | null
}

const PARTITIONS = '/kernel/dist/src/build/model-partitions.js'
const WORKER = '/softnet/dist/src/worker.js'

const BROKEN_PARTITIONS = `
export function modelPartitions(model) {
  const [kind, worker, fromPs] = process.env.SOFTNET_FAULT.split(' ')
  const partitions = soundPartitions(model)
  let times
  for (const partition of partitions) {
    const { attach, run } = partition
    partition.attach = (given) => {
      times = given
      attach.call(partition, given)
    }
    partition.run = () => {
      if (globalThis.softnetWorker !== Number(worker) || times.next[partition.id] < Number(fromPs)) {
        return run.call(partition)
      }
      if (kind === 'throw') throw new RangeError('it broke')
      if (kind === 'exit') process.exit(7)
      const hoard = []
      for (;;) hoard.push(new Array(1 << 20).fill(hoard.length))
    }
  }
  return partitions
}`

function replaced(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`a module to be broken has no ${from}`)
  return text.replaceAll(from, to)
}

/** Loads a module, broken where it is one of the two. */
export async function load<Context>(
  url: string,
  context: Context,
  nextLoad: (url: string, context: Context) => Promise<Loaded>,
): Promise<Loaded> {
  const loaded = await nextLoad(url, context)
  const text = () =>
    typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source ?? new Uint8Array())
  if (url.endsWith(PARTITIONS)) {
    const renamed = replaced(text(), 'export function modelPartitions(', 'function soundPartitions(')
    return { ...loaded, source: renamed + BROKEN_PARTITIONS }
  }
  if (!url.endsWith(WORKER)) return loaded
  return {
    ...loaded,
    source: replaced(text(), 'tuneIsolate();', 'tuneIsolate(); globalThis.softnetWorker = context.worker;'),
  }
}
