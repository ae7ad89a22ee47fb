/** What a comparison is given: a result, an out directory that holds one, or a scenario. */
import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { builtinScenario, type ResultDocument } from '@softnet/scenario'
import { ScenarioError } from '../input-fault.js'
import { type LoadedScenario, loadScenario } from '../load-scenario.js'
import { parseJson } from '../parse-document.js'
import { findPlugins } from '../plugins/find-plugins.js'
import { type FileRule, readText } from '../read-file.js'
import { resultFaults } from './result-shape.js'

/** A scenario, with the result it came with if it came with one. */
export interface Subject {
  /** As the user gave it. */
  readonly given: string
  /** What can be run; null for a result that does not tell its scenario. */
  readonly loaded: LoadedScenario | null
  readonly result: ResultDocument | null
}

const MAX_RESULT_BYTES = 256 * 1024 * 1024

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  )
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function fromResult(given: string, file: string, result: ResultDocument): Promise<Subject> {
  const { input, scenario } = result
  if (!isMap(input) || typeof input.directory !== 'string') return { given, loaded: null, result }
  // Where the directory has gone with its machine, files beside the result are the best there is.
  const directory = input.directory === '' ? dirname(file) : input.directory
  const plugins = await findPlugins(input.scenario, directory)
  return { given, loaded: { name: String(scenario), input: input.scenario, directory, plugins }, result }
}

/** Reads `result.json`, a directory with one, or a scenario by name or file; throws a {@link ScenarioError}. */
export async function loadSubject(given: string): Promise<Subject> {
  if (builtinScenario(given) !== undefined) return { given, loaded: await loadScenario(given), result: null }
  const inDirectory = await isDirectory(given)
  const file = inDirectory ? join(resolve(given), 'result.json') : resolve(given)
  if (!inDirectory && extname(given).toLowerCase() !== '.json') {
    return { given, loaded: await loadScenario(given), result: null }
  }
  const accepted = inDirectory ? 'a directory that holds a result.json' : 'a readable result or scenario'
  const rule: FileRule = { given, path: 'RESULT', accepted, maxBytes: MAX_RESULT_BYTES }
  const value = parseJson(given, await readText(file, rule))
  if (isMap(value) && value.schema === 'softnet.result/1') {
    const faults = resultFaults(value, given)
    if (faults.length > 0) throw new ScenarioError(faults)
    return fromResult(given, file, { latency_ns: null, ...value } as never)
  }
  if (!inDirectory && !(isMap(value) && typeof value.schema === 'string' && value.schema.startsWith('softnet.'))) {
    return { given, loaded: await loadScenario(given), result: null }
  }
  const found = isMap(value) ? `its schema is ${String(value.schema)}` : `${basename(file)} is none`
  throw new ScenarioError([
    { path: 'RESULT', given, accepted: `a softnet.result/1 or a scenario (${found})`, nearest: null },
  ])
}
