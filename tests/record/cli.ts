/** `pnpm oracle:record [FILE…] [--random N] [--seed S] [--runs R] [--out FILE] [--differing FILE]`. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { drawCase } from './draw-case.js'
import { type CaseInput, type RecordedCase, recordCases } from './kernel-case.js'
import { recordTables, type TableKind, type TableRecording, tableKind } from './kernel-tables.js'

const ORACLE = fileURLToPath(new URL('../../../packages/softnet/bin/oracle.js', import.meta.url))
const MAX_CASES = 100_000
const MAX_RUNS = 20
/** Cases that are recorded and compared together. */
const BATCH_CASES = 100
const TRACING = '/sys/kernel/tracing/instances'
const EXIT_DIFFER = 1
const EXIT_WRONG_INPUT = 2

const USAGE = `Plays packets to the running Linux kernel, in network namespaces of its own, and compares the simulated stack with it.

usage: pnpm oracle:record [FILE...] [options]
  FILE...             recordings whose cases are played again (tests/data/oracle/ip.json); one alone may be of
                      buffers (rmem.json), GRO (gro.json) or softirqs (softnet.json)
  --random N          N cases drawn at random
  --seed S            seed of the random cases (1)
  --runs R            times each case is played; what differs is not compared (3, of random cases 2)
  --out FILE          writes the recordings
  --differing FILE    writes those that the simulated stack does not agree with
Needs root, python3, ip(8), /dev/net/tun, and nft(8) for rules; GRO and softirqs also tracefs and ethtool(8), softirqs a
second CPU. Without them it says so and skips.`

/** A fault of the command line. */
class UsageFault extends Error {}

function whole(name: string, text: string | undefined, fallback: number, most: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new UsageFault(`--${name}: ${text} (accepted: a whole number up to ${most})`)
}

/** What keeps cases from being played here, or null. */
function missing(kind: TableKind | null): string | null {
  if (process.platform !== 'linux') return 'this is not Linux'
  if (process.getuid?.() !== 0) return 'the user is not root'
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    return '/dev/net/tun cannot be opened'
  }
  for (const tool of [
    ['python3', '--version'],
    ['ip', '-V'],
    ['unshare', '-n', 'true'],
    ...(kind === null ? [['nft', '--version']] : []),
    ...(kind === 'gro' || kind === 'softirqs' ? [['ethtool', '--version']] : []),
  ]) {
    const [command = '', ...args] = tool
    if (spawnSync(command, args, { stdio: 'ignore' }).status !== 0) return `\`${tool.join(' ')}\` does not work`
  }
  if (kind === 'softirqs' && cpus().length < 2) return 'there is one CPU only'
  if ((kind === 'gro' || kind === 'softirqs') && !existsSync(TRACING)) return `there is no tracefs at ${TRACING}`
  return null
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw new UsageFault(`${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
  }
}

function readCases(file: string): CaseInput[] {
  const { cases } = (readJson(file) ?? {}) as { cases?: CaseInput[] }
  if (Array.isArray(cases) && cases.every((each) => Array.isArray(each.steps) && each.setup !== undefined)) return cases
  throw new UsageFault(`${file}: no recording of packets in and out (cases with setup and steps)`)
}

interface Compared {
  readonly name: string
  readonly pass: boolean
  readonly diff: string | null
  readonly missing?: string
}

/** What the simulated stack says of recordings. */
function compare(recording: object, directory: string): Compared[] {
  const file = join(directory, 'recorded.json')
  writeFileSync(file, JSON.stringify(recording))
  const { stdout, stderr } = spawnSync(process.execPath, [ORACLE, file, '--format', 'json'], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  try {
    const { cases: compared } = JSON.parse(stdout) as { cases?: Compared[] }
    if (compared !== undefined) return compared
  } catch {
    // Told below.
  }
  throw new Error(`the comparison broke off: ${stdout.slice(0, 2000)}${stderr.slice(0, 2000)}`)
}

interface Totals {
  readonly recorded: RecordedCase[]
  readonly differing: RecordedCase[]
  packets: number
  unstable: number
  skipped: number
}

async function play(cases: readonly CaseInput[], runs: number, directory: string, totals: Totals): Promise<void> {
  for (let from = 0; from < cases.length; from += BATCH_CASES) {
    const batch = cases.slice(from, from + BATCH_CASES)
    const found = await recordCases(batch, runs, (name, why) => {
      totals.skipped++
      console.log(`skip  ${name} (not played: ${why})`)
    })
    const compared = compare({ kernel: 'this one', cases: found }, directory)
    found.forEach((each, i) => {
      const { name, pass, diff, missing: why } = compared[i] as Compared
      totals.recorded.push(each)
      totals.packets += each.packets_in.length
      if (Object.values(each.stable as object).includes(false)) totals.unstable++
      if (why !== undefined) {
        totals.skipped++
        console.log(`skip  ${name} (not modelled: ${why})`)
      } else if (!pass) {
        totals.differing.push(each)
        console.log(`FAIL  ${name}\n      ${diff}`)
      }
    })
    console.log(`${from + batch.length} of ${cases.length} cases played, ${totals.differing.length} differ`)
  }
}

function options() {
  try {
    const string = { type: 'string' } as const
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        random: string,
        seed: string,
        runs: string,
        out: string,
        differing: string,
        help: { type: 'boolean' },
      },
    })
    return { values, positionals }
  } catch (thrown) {
    throw new UsageFault((thrown as Error).message)
  }
}

/** Plays a recording of buffers, GRO or softirqs. */
function playTables(kind: TableKind, file: string, runs: number, directory: string, out: string | undefined): number {
  let skipped = 0
  const recorded = recordTables(kind, readJson(file) as TableRecording, runs, (name, why) => {
    skipped++
    console.log(`skip  ${name} (not played: ${why})`)
  })
  const entries = [...recorded.cases, ...(recorded.multi_napi ?? [])]
  const compared = entries.length === 0 ? [] : compare(recorded, directory)
  const differing = compared.filter(({ pass }) => !pass)
  for (const { name, diff } of differing) console.log(`FAIL  ${name}\n      ${diff}`)
  if (out !== undefined) writeFileSync(out, `${JSON.stringify(recorded)}\n`)
  const unstable = entries.filter(({ stable }) => stable !== true).length
  console.log(
    `${entries.length} cases: ${differing.length} differ, ${unstable} not the same in all runs (not compared), ${skipped} skipped`,
  )
  return differing.length > 0 ? EXIT_DIFFER : 0
}

/** Kind of the file if it is one that is played alone. */
function aloneKind(files: readonly string[]): TableKind | null {
  const kinds = files.map((file) => tableKind(readJson(file)))
  const at = kinds.findIndex((kind) => kind !== null)
  if (at >= 0 && files.length > 1)
    throw new UsageFault(`${files[at]}: a recording of ${kinds[at]} is played alone, without other files`)
  return kinds[at] ?? null
}

async function main(): Promise<number> {
  const { values, positionals } = options()
  if (values.help === true) {
    console.log(USAGE)
    return 0
  }
  const count = whole('random', values.random, 0, MAX_CASES)
  const seed = whole('seed', values.seed, 1, 2 ** 32 - 1)
  const runs = Math.max(1, whole('runs', values.runs, count > 0 ? 2 : 3, MAX_RUNS))
  const kind = aloneKind(positionals)
  if (kind !== null && (count > 0 || values.differing !== undefined))
    throw new UsageFault(`${positionals[0]}: a recording of ${kind} is played without --random and --differing`)
  const files = kind === null ? positionals : []
  const cases = [...files.flatMap(readCases), ...Array.from({ length: count }, (_, i) => drawCase(seed, i))]
  if (kind === null && cases.length === 0) throw new UsageFault(`nothing to play\n${USAGE}`)
  const why = missing(kind)
  if (why !== null) {
    console.log(`skipped: packets cannot be played to the kernel here: ${why}`)
    return 0
  }
  const directory = mkdtempSync(join(tmpdir(), 'softnet-record-'))
  if (kind !== null) {
    try {
      return playTables(kind, positionals[0] as string, runs, directory, values.out)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
  const totals: Totals = { recorded: [], differing: [], packets: 0, unstable: 0, skipped: 0 }
  try {
    await play(cases, runs, directory, totals)
  } finally {
    rmSync(directory, { recursive: true })
  }
  const write = (file: string | undefined, of: readonly RecordedCase[]): void => {
    if (file !== undefined) writeFileSync(file, `${JSON.stringify({ kernel: 'Linux', cases: of })}\n`)
  }
  write(values.out, totals.recorded)
  write(values.differing, totals.differing)
  const { recorded, differing, packets, unstable, skipped } = totals
  console.log(
    `${recorded.length} cases, ${packets} packets: ${differing.length} differ, ${unstable} not the same in all runs (compared in part), ${skipped} skipped`,
  )
  return differing.length > 0 ? EXIT_DIFFER : 0
}

try {
  process.exitCode = await main()
} catch (thrown) {
  if (!(thrown instanceof UsageFault)) throw thrown
  console.error(`error: ${thrown.message}`)
  process.exitCode = EXIT_WRONG_INPUT
}
