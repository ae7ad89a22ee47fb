/** `pnpm oracle [FILE…] [--case NAME] [--format json]`: runs recorded cases on the simulated stack. */
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nearestName } from '@softnet/scenario'
import { Command, CommanderError } from 'commander'
import { addFormat } from '../command-options.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { parseJson } from '../parse-document.js'
import { readText } from '../read-file.js'
import { createTerminal, type Format, type Streams, type Terminal } from '../terminal.js'
import { usageFault, wasAskedFor } from '../usage-fault.js'
import type { OracleCase } from './oracle-case.js'
import { readRecording } from './recording.js'

const EXIT_AGREE = 0
const EXIT_DIFFER = 1
const EXIT_WRONG_INPUT = 2

const MAX_FILE_BYTES = 64 * 1024 * 1024
/** Recordings that come with softnet, below the root of the workspace. */
const CARRIED = [
  'softnet.json',
  'softirqs.json',
  'gro.json',
  'gro-sequences.json',
  'rmem.json',
  'buffers.json',
  'ip.json',
  'packets.json',
  'random.json',
  'routes.json',
  'sends.json',
]
const CARRIED_FOLDER = new URL('../../../../../tests/data/oracle/', import.meta.url)

/** One line of the result. */
interface CaseResult {
  readonly name: string
  readonly pass: boolean
  /** What differs; null if nothing does. */
  readonly diff: string | null
  /** False: shown only, because the recordings differed among themselves. */
  readonly gated: boolean
  /** Why it was not run; left out where it was. */
  readonly missing?: string
}

/** Reads all files; throws with every fault of all of them. */
async function readCases(files: readonly string[]): Promise<OracleCase[]> {
  const carried = CARRIED.map((name) => fileURLToPath(new URL(name, CARRIED_FOLDER)))
  const faults: InputFault[] = []
  const cases: OracleCase[] = []
  for (const file of files.length > 0 ? files : carried) {
    const shown = files.length > 0 ? file : basename(file)
    try {
      const rule = { given: shown, path: 'FILE', accepted: 'a JSON file of recordings', maxBytes: MAX_FILE_BYTES }
      cases.push(...readRecording(shown, parseJson(shown, await readText(file, rule)), faults))
    } catch (thrown) {
      if (!(thrown instanceof ScenarioError)) throw thrown
      faults.push(...thrown.errors)
    }
  }
  if (faults.length > 0) throw new ScenarioError(faults)
  return cases
}

/** The cases of one name, or all; a name that no case has is a fault. */
function chosen(cases: readonly OracleCase[], name: string | undefined): readonly OracleCase[] {
  const names = [...new Set(cases.map((each) => each.name))]
  if (name === undefined && cases.length > 0) return cases
  const found = cases.filter((each) => each.name === name)
  if (found.length > 0) return found
  const accepted = cases.length === 0 ? 'files with at least one case' : `the name of one of ${names.length} cases`
  throw new ScenarioError([
    {
      path: name === undefined ? 'FILE' : '--case',
      given: name ?? null,
      accepted,
      nearest: nearestName(name ?? '', names),
    },
  ])
}

/** Runs a case; settings that no machine can have and a simulation that breaks off are differences too. */
function simulate(each: OracleCase): string | null {
  try {
    return each.run()
  } catch (thrown) {
    if (thrown instanceof ScenarioError)
      return thrown.errors
        .map(({ path, given, accepted }) => `${path}: given ${JSON.stringify(given)}; accepted: ${accepted}`)
        .join('; ')
    return `the simulation broke off: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  }
}

function runCase(each: OracleCase): CaseResult {
  if (each.missing !== undefined) {
    return { name: each.name, pass: true, diff: null, gated: each.gated, missing: each.missing }
  }
  const diff = simulate(each)
  return { name: each.name, pass: diff === null || !each.gated, diff, gated: each.gated }
}

function line(result: CaseResult): string {
  if (result.missing !== undefined) return `skip  ${result.name} (not modelled yet: ${result.missing})`
  const verdict = !result.pass ? 'FAIL' : result.diff === null ? 'pass' : 'show'
  const note = result.gated ? '' : ' (recordings differ: not gated)'
  return `${verdict}  ${result.name}${note}${result.diff === null ? '' : `\n      ${result.diff}`}`
}

function print(results: readonly CaseResult[], terminal: Terminal): void {
  const failed = results.filter((result) => !result.pass).length
  const shown = results.filter((result) => !result.gated && result.missing === undefined).length
  const skipped = results.filter((result) => result.missing !== undefined).length
  const agree = results.length - failed - shown - skipped
  const rest = skipped === 0 ? '' : `, ${skipped} not modelled yet`
  const summary = `${results.length} cases: ${agree} agree, ${failed} differ, ${shown} shown only${rest}`
  terminal.print([...results.map(line), summary].join('\n'), { cases: results })
}

function formatOf(argv: readonly string[]): Format {
  const at = argv.lastIndexOf('--format')
  return (at >= 0 && argv[at + 1] === 'json') || argv.includes('--format=json') ? 'json' : 'text'
}

/** Runs one command line and returns its exit code: 0 all agree, 1 some differ, 2 wrong input. */
export async function main(argv: readonly string[], streams: Streams = process): Promise<number> {
  let exitCode = EXIT_AGREE
  const program = new Command('oracle')
    .description('Runs recordings of the real kernel on the simulated stack and shows what differs.')
    .argument('[FILE...]', 'recordings (softnet, gro, rmem, ip); without one, those that come with softnet')
    .option('--case <name>', 'only the case of this name')
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {}, writeOut: (text) => streams.stdout.write(text) })
  addFormat(program).action(async (files: readonly string[], options: { case?: string; format: Format }) => {
    const results = chosen(await readCases(files), options.case).map(runCase)
    print(results, createTerminal(options.format, streams))
    if (results.some((result) => !result.pass)) exitCode = EXIT_DIFFER
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (thrown) {
    const terminal = createTerminal(formatOf(argv), streams)
    if (thrown instanceof ScenarioError) {
      terminal.refuse(thrown.errors)
      return EXIT_WRONG_INPUT
    }
    if (!(thrown instanceof CommanderError)) throw thrown
    if (wasAskedFor(thrown)) return EXIT_AGREE
    terminal.refuse([usageFault(program, argv, thrown)])
    if (terminal.format === 'text') terminal.note('try: pnpm oracle --help')
    return EXIT_WRONG_INPUT
  }
}
