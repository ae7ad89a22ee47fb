/** Options that several commands share, and their faults. */
import type { Override } from '@softnet/scenario'
import { type Command, Option } from 'commander'
import type { ScenarioOverrides } from './compile.js'
import { type InputFault, ScenarioError } from './input-fault.js'
import { parseYaml } from './parse-document.js'

/** Options of a command as commander hands them over. */
export interface RawOptions {
  readonly format: 'text' | 'json'
  readonly set?: readonly string[]
  readonly seed?: string
  readonly duration?: string
  readonly profile?: string
}

const SET_FORM = 'path=value, such as hosts.server.cpus=8'
const SEED_MAX = 4_294_967_295

/** Collects an option that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** Adds `--format`. */
export function addFormat(command: Command): Command {
  return command.addOption(
    new Option('--format <format>', 'form of the output').choices(['text', 'json']).default('text'),
  )
}

/** Adds the options that change a scenario before it is compiled. */
export function addOverrides(command: Command): Command {
  return command
    .option('--set <path=value>', 'change one value of the scenario (may be repeated)', collect)
    .option('--seed <n>', 'seed of every random stream, 0 to 4294967295')
    .option('--duration <time>', 'simulated time, such as 100ms')
    .option('--profile <name>', 'cost profile')
}

/** Reads the overrides; what is wrong with their form goes to `faults`. */
export function readOverrides(options: RawOptions, faults: InputFault[]): ScenarioOverrides {
  const set: Override[] = []
  for (const given of options.set ?? []) {
    const equals = given.indexOf('=')
    if (equals > 0) readSet(given.slice(0, equals), given.slice(equals + 1), set, faults)
    else faults.push({ path: '--set', given, accepted: SET_FORM, nearest: null })
  }
  return {
    set,
    ...(options.seed === undefined ? {} : readSeed(options.seed, faults)),
    ...(options.duration === undefined ? {} : { duration: options.duration }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
  }
}

/** Values are written as in YAML, so that `[0, 1]` is a list and `4096` a number. */
function readSet(path: string, text: string, set: Override[], faults: InputFault[]): void {
  try {
    set.push({ path, value: parseYaml(`--set ${path}`, text), given: text })
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    faults.push(...thrown.errors.map((fault) => ({ ...fault, given: text })))
  }
}

function readSeed(given: string, faults: InputFault[]): { seed?: number } {
  const seed = Number(given)
  if (/^\d+$/.test(given) && seed <= SEED_MAX) return { seed }
  faults.push({ path: '--seed', given, accepted: `an integer from 0 to ${SEED_MAX}`, nearest: null })
  return {}
}
