import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const script = fileURLToPath(new URL('../../compare/models.py', import.meta.url))

/** What one run tells, per model. */
export type SimpyFigures = readonly {
  readonly model: string
  /** Events of the model, and all that SimPy counts for them. */
  readonly events: number
  readonly own_events: number
  readonly wall_s: number
}[]

/** SimPy as it is installed. */
export interface Simpy {
  readonly version: string
  run(seconds: number): Promise<SimpyFigures>
}

/** Looks for a Python with SimPy; Debian's packages belong to its own Python. */
export async function findSimpy(): Promise<Simpy | { readonly missing: string }> {
  for (const python of ['python3', '/usr/bin/python3']) {
    try {
      const { stdout } = await exec(python, ['-c', 'import simpy; print(simpy.__version__)'])
      return {
        version: stdout.trim(),
        async run(seconds) {
          const { stdout } = await exec(python, [script, `${seconds}`])
          return stdout
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
        },
      }
    } catch {}
  }
  return { missing: 'SimPy is not installed (Debian: apt install python3-simpy3)' }
}
