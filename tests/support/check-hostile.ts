import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plan } from '@softnet/scenario'
import { type CompileOptions, compile, ScenarioError } from 'softnet'
import { replayScenario } from './check-packets.js'
import { checkReport } from './check-report.js'
import { Draw } from './draw.js'
import { damagedCapture } from './hostile-captures.js'
import { hostileText } from './hostile-text.js'
import { runModel } from './run-model.js'

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

const EXAMPLES = ['replay-capture', 'small-ring', 'socket-buffer']

/** What came of inputs: how many were accepted and refused, and everything that was wrong with that. */
export interface Outcome {
  accepted: number
  refused: number
  readonly faults: string[]
}

/** Calls a test with a directory that is removed afterwards. */
export async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'softnet-hostile-'))
  try {
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Compiles; a refusal has to tell each fault by path, with what is accepted, in text that a terminal can show. */
async function attempt(
  what: string,
  outcome: Outcome,
  scenario: Parameters<typeof compile>[0],
  options: CompileOptions = {},
): Promise<Plan | null> {
  try {
    const plan = await compile(scenario, options)
    outcome.accepted++
    return plan
  } catch (thrown) {
    outcome.refused++
    if (!(thrown instanceof ScenarioError)) {
      outcome.faults.push(`${what}: ${(thrown as Error).stack}`)
      return null
    }
    if (thrown.errors.length === 0) outcome.faults.push(`${what}: refused without a fault`)
    for (const { path, accepted, given } of thrown.errors) {
      if (path === '' || accepted === '' || given === undefined)
        outcome.faults.push(`${what}: ${JSON.stringify({ path, given, accepted })}`)
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may reach a terminal
    if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(thrown.message))
      outcome.faults.push(`${what}: ${JSON.stringify(thrown.message)}`)
    return null
  }
}

/** Scenario text with mistakes, through the loader of the command line. */
export async function checkTexts(first: number, count: number): Promise<Outcome> {
  const outcome: Outcome = { accepted: 0, refused: 0, faults: [] }
  const texts = EXAMPLES.map((name) =>
    readFileSync(join(ROOT, 'examples', `${name}.yaml`), 'utf8').replace('../tests', join(ROOT, 'tests')),
  )
  await inDirectory(async (directory) => {
    const file = join(directory, 's.yaml')
    for (let seed = first; seed < first + count; seed++) {
      writeFileSync(file, hostileText(new Draw(seed), texts[seed % texts.length] as string))
      await attempt(`text ${seed}`, outcome, file)
    }
  })
  return outcome
}

/** Damaged captures; of those that are accepted, one in `runEvery` is run. */
export async function checkCaptures(first: number, count: number, runEvery: number): Promise<Outcome> {
  const outcome: Outcome = { accepted: 0, refused: 0, faults: [] }
  const files = ['pcap', 'pcapng'].map((kind) =>
    readFileSync(join(ROOT, `tests/data/capture/veth-two-namespaces.${kind}`)),
  )
  const scenario = replayScenario(false, 400e6)
  await inDirectory(async (directory) => {
    for (let seed = first; seed < first + count; seed++) {
      const what = `capture ${seed}`
      writeFileSync(join(directory, 'hostile.pcap'), damagedCapture(new Draw(seed), files[seed % 2] as Buffer))
      const plan = await attempt(what, outcome, scenario, { directory })
      if (plan !== null && outcome.accepted % runEvery === 0)
        outcome.faults.push(...checkReport(plan, runModel(plan).report).map((fault) => `${what}: ${fault}`))
    }
  })
  return outcome
}

const PARTS = [
  'hosts',
  'server',
  'devices',
  'eth0',
  'rings',
  'rx',
  'apps',
  'sink',
  'sockets',
  'count',
  '__proto__',
  'load',
]
const MARKS = ['.', '.', '.', '[0]', '[*]', '[-1]', '[', ']', '..', ' ', '/', '[99999999999]', "['a']"]
const ODD: readonly unknown[] = [
  null,
  undefined,
  Number.NaN,
  -1,
  1e300,
  '',
  [],
  {},
  [[[]]],
  '\u0000',
  '__proto__',
  1n,
  true,
]

/** `--set` with paths and values that mean nothing. */
export async function checkOverrides(first: number, count: number): Promise<Outcome> {
  const outcome: Outcome = { accepted: 0, refused: 0, faults: [] }
  for (let seed = first; seed < first + count; seed++) {
    const draw = new Draw(seed)
    let path = ''
    for (let parts = draw.between(1, 6); parts > 0; parts--) path += draw.pick(PARTS) + draw.pick(MARKS)
    if (draw.chance(0.5)) path = path.replace(/[^\w\]]+$/, '')
    await attempt(`--set ${path} (seed ${seed})`, outcome, 'four-cpus', { set: { [path]: draw.pick(ODD) } })
  }
  return outcome
}
