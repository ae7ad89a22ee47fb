import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const source = fileURLToPath(new URL('../../compare/udp-flows.cc', import.meta.url))
const MODULES = ['core', 'network', 'internet', 'point-to-point', 'applications'].map((name) => `ns3-${name}`)

/** ns-3 as it is installed; PKG_CONFIG_PATH leads to another build of it. */
export interface Ns3 {
  readonly version: string
  /** Words for the compiler. */
  readonly flags: readonly string[]
}

/** What one run of the ns-3 program prints. */
export interface Ns3Figures {
  readonly packets: number
  readonly wall_s: number
  readonly events: number
}

/** The ns-3 program, built. */
export interface Ns3Program {
  run(simulatedSeconds: number): Promise<Ns3Figures>
  remove(): Promise<void>
}

/** Looks for ns-3 and a compiler. */
export async function findNs3(): Promise<Ns3 | { readonly missing: string }> {
  const missing = 'ns-3 is not installed (Debian: apt install g++ pkg-config libns3-dev libgsl-dev)'
  try {
    await exec('g++', ['--version'])
    const { stdout: flags } = await exec('pkg-config', ['--cflags', '--libs', ...MODULES])
    const { stdout: version } = await exec('pkg-config', ['--modversion', 'ns3-core'])
    return { version: version.trim(), flags: flags.trim().split(/\s+/) }
  } catch {
    return { missing }
  }
}

/** Builds the program in a directory of its own. */
export async function buildNs3({ flags }: Ns3): Promise<Ns3Program> {
  const directory = await mkdtemp(join(tmpdir(), 'softnet-compare-'))
  const program = join(directory, 'udp-flows')
  const remove = () => rm(directory, { recursive: true, force: true })
  try {
    await exec('g++', ['-O3', '-std=c++17', '-DNDEBUG', source, '-o', program, ...flags])
  } catch (thrown) {
    await remove()
    throw thrown
  }
  return {
    async run(simulatedSeconds) {
      const { stdout } = await exec(program, [`--seconds=${simulatedSeconds}`])
      return JSON.parse(stdout) as Ns3Figures
    },
    remove,
  }
}
