import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ALLOCATION_FLAGS } from './measure-allocation.js'
import { measureTime } from './measure-time.js'
import type { BenchmarkOptions } from './options.js'
import type { AllocationFigures, ProfileFigures, RunRequest, TimeFigures } from './request.js'

const numberLines = new URL('./number-lines.js', import.meta.url).href
const script = fileURLToPath(new URL('./measure-process.js', import.meta.url))

async function measureFresh<Figures>(kind: string, request: RunRequest, flags: readonly string[]): Promise<Figures> {
  const args = [...process.execArgv, ...flags, script, kind, JSON.stringify(request)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 })
  return JSON.parse(stdout) as Figures
}

/** Times one run in a fresh process. */
export function timeRun(request: RunRequest): Promise<TimeFigures> {
  return measureFresh('time', request, [])
}

/** Measures what one run allocates, in a fresh process. */
export function allocationOfRun(request: RunRequest): Promise<AllocationFigures> {
  return measureFresh('allocation', request, ALLOCATION_FLAGS)
}

/** Samples one run in a fresh process. */
export function profileRun(request: RunRequest): Promise<ProfileFigures> {
  return measureFresh('profile', request, [`--import=${numberLines}`])
}

/**
 * Times several runs, each `rounds` times and each time in a fresh process, in the order A B … B A: a neighbour that comes
 * or goes then disturbs all of them alike. A run whose digest is not the same every time is an error.
 */
export async function timeRuns(
  requests: readonly RunRequest[],
  { rounds, here = false }: Pick<BenchmarkOptions, 'rounds' | 'here'>,
): Promise<TimeFigures[][]> {
  const figures: TimeFigures[][] = requests.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const order = requests.map((_, i) => (round % 2 === 0 ? i : requests.length - 1 - i))
    for (const i of order) {
      const request = requests[i] as RunRequest
      const found = here ? measureTime(request) : await timeRun(request)
      const first = figures[i]?.[0]
      if (first !== undefined && first.digest !== found.digest) {
        throw new Error(`${request.scenario}: digest ${found.digest} after ${first.digest}`)
      }
      figures[i]?.push(found)
    }
  }
  return figures
}
