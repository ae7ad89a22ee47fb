/** What a sweep is: enough to tell whether a directory belongs to it. */
import { isDeepStrictEqual } from 'node:util'
import { settingText } from '@softnet/observe'
import type { InputFault } from '../input-fault.js'

/** `sweep.json` of a directory, `softnet.sweep-definition/1`. */
export interface SweepDefinition {
  readonly schema: 'softnet.sweep-definition/1'
  /** Version of the program: results are comparable within one version only. */
  readonly softnet: string
  readonly scenario: string
  readonly seeds: readonly number[]
  /** Settings by full path. */
  readonly vary: readonly { readonly path: string; readonly values: readonly unknown[] }[]
  /** SHA-256 of everything that is simulated. */
  readonly plans_sha256: string
}

/** True for a definition that this version of the format can read. */
export function isDefinition(value: unknown): value is SweepDefinition {
  if (typeof value !== 'object' || value === null) return false
  const { schema, softnet, scenario, seeds, vary, plans_sha256 } = value as Partial<
    Record<keyof SweepDefinition, unknown>
  >
  const texts = [softnet, scenario, plans_sha256].every((text) => typeof text === 'string')
  const isAxis = (axis: unknown) =>
    typeof axis === 'object' &&
    axis !== null &&
    typeof (axis as { path?: unknown }).path === 'string' &&
    Array.isArray((axis as { values?: unknown }).values)
  return (
    schema === 'softnet.sweep-definition/1' &&
    texts &&
    Array.isArray(seeds) &&
    Array.isArray(vary) &&
    vary.every(isAxis)
  )
}

const varyText = (vary: SweepDefinition['vary']): string =>
  vary.map(({ path, values }) => `${path}=${values.map(settingText).join(',')}`).join(' ')

const seedsText = (seeds: readonly number[]): string => `${seeds.length} from ${seeds[0] ?? 0}`

/** How a sweep differs from the one that a directory was begun with; `option` is the name of `--out`. */
export function changesOf(
  before: SweepDefinition,
  now: SweepDefinition,
  directory: string,
  option: string,
): InputFault[] {
  const named = (name: string) => option.replace('out', name)
  const faults: InputFault[] = []
  const compare = (path: string, was: unknown, is: unknown, wasText: string, isText: string) => {
    if (isDeepStrictEqual(was, is)) return
    const accepted = `${wasText}, as ${directory} was begun with; or another ${option}`
    faults.push({ path, given: isText, accepted, nearest: null })
  }
  compare('softnet', before.softnet, now.softnet, `version ${before.softnet}`, now.softnet)
  compare('SCENARIO', before.scenario, now.scenario, before.scenario, now.scenario)
  const sizes = [before.seeds, now.seeds].map(seedsText)
  compare(named('runs'), before.seeds, now.seeds, sizes[0] ?? '', sizes[1] ?? '')
  compare(named('vary'), before.vary, now.vary, varyText(before.vary), varyText(now.vary))
  if (faults.length === 0 && before.plans_sha256 !== now.plans_sha256) {
    const accepted = `what ${directory} was begun with, and its file or an option has changed since; or another ${option}`
    faults.push({ path: 'SCENARIO', given: now.scenario, accepted, nearest: null })
  }
  return faults
}
