/** Where a scenario comes from: the built-in ones, or a file. */
import { readdirSync } from 'node:fs'
import { basename, dirname, extname, resolve } from 'node:path'
import { BUILTIN_SCENARIOS, builtinScenario, nearestName, type PluginsFound } from '@softnet/scenario'
import { ScenarioError } from './input-fault.js'
import { loadModule } from './load-module.js'
import { parseJson, parseYaml } from './parse-document.js'
import { findPlugins } from './plugins/find-plugins.js'
import { type FileRule, readLimited, readText } from './read-file.js'

/** A scenario as it was written, before anything is checked. */
export interface LoadedScenario {
  /** Name for a scenario that gives itself none. */
  readonly name: string
  readonly input: unknown
  /** Directory that relative file names in it start from. */
  readonly directory: string
  /** What was found for the plugins it names. */
  readonly plugins?: PluginsFound
}

const MAX_FILE_BYTES = 16 * 1024 * 1024
const EXTENSIONS: readonly string[] = ['.yaml', '.yml', '.json', '.ts', '.mts', '.mjs', '.js']
const ACCEPTED = `a built-in scenario (softnet list), or a file that ends in ${EXTENSIONS.join(' ')}`

/** Names of the built-in scenarios, the default one first. */
export function builtinNames(): readonly string[] {
  return BUILTIN_SCENARIOS.map((scenario) => scenario.name)
}

/** Finds and reads a scenario by built-in name or file name; throws a {@link ScenarioError}. */
export async function loadScenario(given: string): Promise<LoadedScenario> {
  const builtin = builtinScenario(given)
  if (builtin !== undefined) return { name: builtin.name, input: builtin.scenario, directory: process.cwd() }
  const extension = extname(given).toLowerCase()
  if (!EXTENSIONS.includes(extension)) {
    const nearest = nearestName(given, builtinNames())
    throw new ScenarioError([{ path: 'SCENARIO', given, accepted: ACCEPTED, nearest }])
  }
  const file = resolve(given)
  const rule: FileRule = { given, path: 'SCENARIO', accepted: 'a readable scenario file', maxBytes: MAX_FILE_BYTES }
  try {
    const input = await read(given, file, extension, rule)
    const directory = dirname(file)
    return { name: basename(file, extname(file)), input, directory, plugins: await findPlugins(input, directory) }
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    throw new ScenarioError(thrown.errors.map((fault) => ({ ...fault, nearest: fault.nearest ?? nearFile(given) })))
  }
}

async function read(given: string, file: string, extension: string, rule: FileRule): Promise<unknown> {
  if (extension === '.yaml' || extension === '.yml') return parseYaml(given, await readText(file, rule))
  if (extension === '.json') return parseJson(given, await readText(file, rule))
  // Read first: a missing or unreadable module then has the same words as any other file.
  await readLimited(file, rule)
  return loadModule(file, rule)
}

/** A scenario file of that directory with nearly the same name; null if the file itself exists. */
function nearFile(given: string): string | null {
  try {
    const directory = dirname(resolve(given))
    const names = readdirSync(directory).filter((name) => EXTENSIONS.includes(extname(name).toLowerCase()))
    return names.includes(basename(given)) ? null : nearestName(basename(given), names)
  } catch {
    return null
  }
}
