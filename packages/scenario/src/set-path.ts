/**
 * `--set path=value`: one value of a scenario changed by its path.
 *
 * A path may leave out what is the only one of its kind: `eth0.rings.rx`, `net.core.netdev_budget`, `load.rate`. A path
 * through a list without an index means every entry.
 */
import type { z } from 'zod'
import { formatPath, givenValue, type ScenarioFault } from './fault.js'
import { nearestName } from './nearest.js'
import { scenarioSchema } from './schema/scenario.js'
import { isList, isRecord, knownKeys, memberSchema } from './schema/walk.js'

/** One change: the path as given, the value, and its text for error messages. */
export interface Override {
  readonly path: string
  readonly value: unknown
  readonly given: string
}

/** A document with the change made (the old one is untouched), or the fault. */
export type OverrideResult =
  | { readonly ok: true; readonly document: unknown; readonly canonical: string }
  | { readonly ok: false; readonly fault: ScenarioFault }

type Schema = z.core.$ZodType

/** Every entry of a list. */
const EVERY = '*'

interface Place {
  readonly path: readonly (string | number)[]
  readonly schema: Schema
  readonly value: unknown
}

const MAX_PATH_LENGTH = 400

/** Applies one change to a plain document. */
export function applyOverride(document: unknown, override: Override, schema: Schema = scenarioSchema): OverrideResult {
  const text = override.path.trim()
  const root: Place = { path: [], schema, value: document }
  const tiers = text === '' || text.length > MAX_PATH_LENGTH ? [] : basesOf(root)
  for (const bases of tiers) {
    const found = new Map<string, readonly (string | number)[]>()
    for (const base of bases) for (const path of resolve(base, text)) found.set(canonicalText(path), path)
    if (found.size === 1) {
      const [canonical, path] = [...found][0] as [string, readonly (string | number)[]]
      return { ok: true, document: setAt(root, path, override.value), canonical }
    }
    if (found.size > 1) return refuse(override, `one of ${[...found.keys()].join(', ')}`, null)
  }
  const known = new Set<string>()
  for (const bases of tiers) for (const base of bases) addLeaves(base, '', known, 0)
  const nearest = nearestName(text, [...known])
  return refuse(
    override,
    'a path of this scenario such as hosts.HOST.devices.DEV.rings.rx, or its unambiguous end',
    nearest,
  )
}

function refuse(override: Override, accepted: string, nearest: string | null): OverrideResult {
  const path = givenValue(override.path)
  return { ok: false, fault: { path: String(path), given: givenValue(override.given), accepted, nearest } }
}

function canonicalText(path: readonly (string | number)[]): string {
  return formatPath(path).replaceAll(`.${EVERY}`, `[${EVERY}]`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Value as far as it says which form a schema has; a number or text where an object could be counts as an empty one. */
function formOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? value : {}
}

function member(place: Place, key: string | number): Place | null {
  const form = formOf(place.value)
  const schema = memberSchema(place.schema, form, key === EVERY ? 0 : key)
  if (schema === undefined) return null
  const isOwn = Object.hasOwn(form as object, key === EVERY ? 0 : key)
  const value = isOwn ? (form as Record<string | number, unknown>)[key === EVERY ? 0 : key] : undefined
  return { path: [...place.path, key], schema, value }
}

/** Members by the names a path may use. */
function membersOf(place: Place): Place[] {
  const form = formOf(place.value)
  const keys = isRecord(place.schema, form) ? Object.keys(form as object) : knownKeys(place.schema, form)
  return keys.map((key) => member(place, key)).filter((found): found is Place => found !== null)
}

/** Places a path may start from, the outermost first; a later tier counts only if no earlier one has the path. */
function basesOf(root: Place): Place[][] {
  const at = (place: Place | null, key: string) => (place === null ? null : member(place, key))
  const present = (places: (Place | null)[]) => places.filter((place): place is Place => place !== null)
  const hosts = at(root, 'hosts')
  const traffic = at(root, 'traffic')
  const plugins = at(root, 'plugins')
  const eachPlugin = plugins === null ? [] : membersOf(plugins).filter((place) => isObject(place.value))
  const eachHost = hosts === null ? [] : membersOf(hosts)
  const inHosts = (key: string) => present(eachHost.map((host) => at(host, key)))
  const [devices, apps, sysctl] = [inHosts('devices'), inHosts('apps'), inHosts('sysctl')]
  return [
    [root],
    present([hosts, traffic, plugins]),
    [...eachHost, ...(traffic === null ? [] : membersOf(traffic))],
    [
      ...devices,
      ...apps,
      ...sysctl,
      ...present([at(root, 'limits'), ...eachPlugin.map((each) => at(each, 'options'))]),
    ],
    [...devices.flatMap(membersOf), ...apps.flatMap(membersOf), ...eachPlugin],
  ]
}

/** All ways to read a path from a place; keys may contain dots, so the text decides nothing by itself. */
function resolve(place: Place, text: string): (readonly (string | number)[])[] {
  if (text === '') return [place.path]
  const form = formOf(place.value)
  if (Array.isArray(place.value) && isList(place.schema, form)) return resolveEntry(place, place.value, text)
  const out: (readonly (string | number)[])[] = []
  for (const next of membersOf(place)) {
    const key = String(next.path.at(-1))
    if (!text.startsWith(key)) continue
    const rest = text.slice(key.length)
    if (rest === '' || rest.startsWith('[')) out.push(...resolve(next, rest))
    else if (rest.startsWith('.') && rest.length > 1) out.push(...resolve(next, rest.slice(1)))
  }
  return out
}

function resolveEntry(place: Place, list: readonly unknown[], text: string): (readonly (string | number)[])[] {
  const match = /^(?:\[(\d{1,6}|\*)\]|(\d{1,6})(?=$|\.|\[))\.?/.exec(text)
  if (match === null) {
    const every = text.startsWith('[') ? null : member(place, EVERY)
    return every === null || list.length === 0 ? [] : resolve(every, text)
  }
  const given = match[1] ?? match[2]
  const index = given === EVERY ? EVERY : Number(given)
  if (typeof index === 'number' && index >= list.length) return []
  const next = member(place, index)
  return next === null ? [] : resolve(next, text.slice(match[0].length))
}

/** Depth of paths offered as nearest; deeper ones do not exist in the schema. */
const MAX_LEAF_DEPTH = 8

function addLeaves(place: Place, prefix: string, out: Set<string>, depth: number): void {
  if (depth > MAX_LEAF_DEPTH || out.size > 20_000) return
  const list = Array.isArray(place.value) && isList(place.schema, place.value)
  const entry = list ? member(place, EVERY) : null
  const members = entry === null ? membersOf(place) : membersOf(entry)
  for (const next of members) {
    const text = prefix === '' ? String(next.path.at(-1)) : `${prefix}.${String(next.path.at(-1))}`
    out.add(text)
    addLeaves(next, text, out, depth + 1)
  }
}

function setAt(place: Place, path: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (Array.isArray(place.value)) {
    return place.value.map((entry: unknown, index) => {
      if (key !== EVERY && key !== index) return entry
      const next = member(place, index)
      return next === null ? entry : setAt({ ...next, value: entry }, rest, value)
    })
  }
  const next = member(place, key)
  if (next === null) return place.value
  return { ...asObject(place), [key]: setAt(next, rest, value) }
}

/** The object at a place; a bare count becomes `{count}` where that is what it stands for. */
function asObject(place: Place): Record<string, unknown> {
  if (isObject(place.value)) return place.value
  const isCount = typeof place.value === 'number' && knownKeys(place.schema, {}).includes('count')
  return isCount ? { count: place.value } : {}
}
