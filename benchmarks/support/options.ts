import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** What a benchmark is told: how often each run is repeated, and how much of its full length it has. */
export interface BenchmarkOptions {
  /** Fresh processes per run, at least 1. */
  readonly rounds: number
  /** Simulated time relative to the full benchmark, above 0. */
  readonly scale: number
  /** Times compared runs in this process instead, which is quicker: for runs whose times nobody looks at. */
  readonly here?: boolean
  /** Only so many of the runs that are compared, the first ones. */
  readonly most?: number
}

/** Runs a benchmark if its file is the program that was started: `[--rounds N] [--scale X] [--format json]`. */
export async function runIfStarted<Result>(
  moduleUrl: string,
  run: (options: BenchmarkOptions) => Promise<Result>,
  render: (result: Result) => string,
): Promise<void> {
  if (process.argv[1] !== fileURLToPath(moduleUrl)) return
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '6' },
      scale: { type: 'string', default: '1' },
      format: { type: 'string', default: 'text' },
    },
  })
  const options = { rounds: Number(values.rounds), scale: Number(values.scale) }
  if (!(Number.isInteger(options.rounds) && options.rounds >= 1 && options.scale > 0)) {
    throw new Error('--rounds takes a whole number from 1, --scale a number above 0')
  }
  const result = await run(options)
  console.log(values.format === 'json' ? JSON.stringify(result, null, 2) : render(result))
}
