import { writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { createStopWord } from '@softnet/engine'
import type { Plan } from '@softnet/scenario'
import { type RawOptions, readOverrides } from '../command-options.js'
import { compileLoaded, type ScenarioOverrides } from '../compile.js'
import { COLLECT_SCRIPT } from '../import/collect-script.js'
import { compareSoftnetStat, comparisonText, type SoftnetComparison } from '../import/compare-softnet-stat.js'
import { draftScenario } from '../import/draft-scenario.js'
import { type HostFacts, parseHost } from '../import/host-facts.js'
import { HOST_FILES, readHostDirectory } from '../import/read-host-directory.js'
import type { Remark, ScenarioDraft } from '../import/scenario-draft.js'
import { scenarioYaml } from '../import/scenario-yaml.js'
import { TextFaults } from '../import/text-faults.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { onInterrupt } from '../interrupt.js'
import { createProgressBar } from '../progress-bar.js'
import { writeReason } from '../read-file.js'
import { shellWord } from '../scenario-template.js'
import { runPlanInIsolate } from '../simulation-run.js'
import type { Terminal } from '../terminal.js'
import { underOptionNames } from './compile-given.js'

/** Options of `softnet import`. */
export interface ImportOptions extends RawOptions {
  readonly out?: string
  readonly compare?: boolean
  readonly script?: boolean
}

/** What `softnet import` found, `softnet.import/1`. */
export interface ImportDocument {
  readonly schema: 'softnet.import/1'
  /** File of `--out`, null without it. */
  readonly file: string | null
  readonly scenario: unknown
  readonly remarks: readonly Remark[]
  /** With `--compare`, and where the host has a softnet_stat. */
  readonly comparison: SoftnetComparison | null
}

const EXIT_DONE = 0
const EXIT_INTERRUPTED = 130

function usageFaults(directory: string | undefined, options: ImportOptions): InputFault[] {
  const faults: InputFault[] = []
  const refuse = (path: string, given: unknown, accepted: string) =>
    faults.push({ path, given, accepted, nearest: null })
  if (options.script === true) {
    if (directory !== undefined) refuse('DIR', directory, 'no directory with --script')
    if (options.out !== undefined) refuse('--out', options.out, 'no file with --script, which prints to stdout')
    if (options.compare === true) refuse('--compare', null, 'only with DIR')
  } else if (directory === undefined) {
    refuse('DIR', null, 'a directory that the script of softnet import --script has written')
  }
  const changes = (['set', 'seed', 'duration', 'profile'] as const).find((name) => options[name] !== undefined)
  if (changes !== undefined && options.compare !== true) {
    refuse(`--${changes}`, options[changes], 'only with --compare: the file says what was found')
  }
  return faults
}

/** Compiles the draft; what is refused is told by the line of the host's file that it came from. */
function compileDraft(draft: ScenarioDraft, facts: HostFacts, overrides: ScenarioOverrides): Plan {
  const loaded = { name: String(draft.root.name), input: draft.root, directory: facts.directory }
  try {
    compileLoaded(loaded, { set: [] })
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    throw new ScenarioError(
      thrown.errors.map((fault) => {
        const source = draft.remarkAt(fault.path)?.source ?? null
        return source === null ? fault : { ...fault, path: `${facts.directory}/${source}: ${fault.path}` }
      }),
    )
  }
  try {
    return compileLoaded(loaded, overrides).plan
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    throw new ScenarioError(underOptionNames(thrown.errors, overrides))
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (thrown) {
    const exists = thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST'
    const accepted = `a file that does not exist yet and can be written (${exists ? 'it exists' : writeReason(thrown)})`
    throw new ScenarioError([{ path: '--out', given: file, accepted, nearest: null }])
  }
}

interface Compared {
  readonly comparison: SoftnetComparison | null
  readonly isInterrupted: boolean
}

async function compare(facts: HostFacts, plan: Plan, terminal: Terminal): Promise<Compared> {
  const stop = createStopWord()
  const interrupt = onInterrupt(() => {
    stop.request()
    terminal.note('stopping; once more ends at once')
  })
  const bar = createProgressBar(process.stderr)
  try {
    const result = await runPlanInIsolate({ plan, captures: [], workers: 'auto' }, stop, (progress) =>
      bar.update(progress),
    )
    const comparison = compareSoftnetStat(facts, result)
    if (comparison === null) terminal.note('warning: the host has no softnet_stat to compare with')
    return { comparison, isInterrupted: result.status === 'interrupted' }
  } finally {
    bar.stop()
    interrupt.release()
  }
}

/** `softnet import`: the settings of a host as a scenario, and its softnet_stat beside the simulated one. */
export async function importCommand(
  directory: string | undefined,
  options: ImportOptions,
  terminal: Terminal,
): Promise<number> {
  const faults = usageFaults(directory, options)
  const overrides = readOverrides(options, faults)
  if (faults.length > 0 || (directory === undefined && options.script !== true)) throw new ScenarioError(faults)
  if (directory === undefined) {
    terminal.print(COLLECT_SCRIPT, { schema: 'softnet.import-script/1', script: COLLECT_SCRIPT })
    return EXIT_DONE
  }
  const textFaults = new TextFaults()
  const texts = await readHostDirectory(directory, faults)
  const facts = parseHost(
    texts,
    HOST_FILES.filter((file) => !texts.files.has(file)),
    textFaults,
  )
  const name = basename(resolve(directory)).slice(0, 200) || 'host'
  const draft = draftScenario(facts, name, textFaults)
  if (faults.length + textFaults.list.length > 0) throw new ScenarioError([...faults, ...textFaults.list])
  const plan = compileDraft(draft, facts, overrides)
  const yaml = scenarioYaml(draft, directory)
  if (options.out !== undefined) await writeNew(options.out, yaml)
  const compared = options.compare === true ? await compare(facts, plan, terminal) : null
  const comparison = compared?.comparison ?? null
  const document: ImportDocument = {
    schema: 'softnet.import/1',
    file: options.out ?? null,
    scenario: draft.root,
    remarks: draft.remarks,
    comparison,
  }
  const parts = [
    ...(options.out === undefined ? (options.compare === true ? [] : [yaml]) : [written(options.out, draft)]),
    ...(comparison === null ? [] : [comparisonText(comparison)]),
  ]
  terminal.print(parts.join('\n'), document)
  return compared?.isInterrupted === true ? EXIT_INTERRUPTED : EXIT_DONE
}

function written(file: string, draft: ScenarioDraft): string {
  const count = (kind: Remark['kind']) => draft.remarks.filter((remark) => remark.kind === kind).length
  const counts = `${count('found')} settings found, ${count('guessed')} guessed, ${count('ignored')} things left out`
  return `wrote ${file}: ${counts}; run it with: softnet run ${shellWord(file)}`
}
