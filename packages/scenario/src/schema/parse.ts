/** Parses a plain document by the scenario schema and turns everything zod refuses into faults. */
import type { z } from 'zod'
import { type FaultPath, formatPath, givenValue, type ScenarioFault, valueAt } from '../fault.js'
import { nearestName } from '../nearest.js'
import { type ParsedScenario, scenarioSchema } from './scenario.js'
import { acceptedWords, discriminatorNames, knownKeys, optionNames, schemaAt } from './walk.js'

/** A parsed scenario, and what had to be left out of it. */
export interface ParseResult {
  /** The scenario without its faulty parts; null if too little is left to look at. */
  readonly scenario: ParsedScenario | null
  readonly faults: readonly ScenarioFault[]
  /** Where the faults are. */
  readonly paths: readonly FaultPath[]
}

type ScenarioSchema = typeof scenarioSchema

interface Leaf {
  readonly path: FaultPath
  readonly issue: z.core.$ZodIssue
}

/** Rounds of leaving faulty parts out before giving up; each removes at least one value. */
const MAX_ROUNDS = 64

/**
 * Parses a document. After faults, it leaves the faulty values out and parses again, so that one pass over the rest
 * can find what is wrong with meaning as well.
 */
export function parseScenario(document: unknown, schema: ScenarioSchema = scenarioSchema): ParseResult {
  const faults: ScenarioFault[] = []
  const paths: FaultPath[] = []
  let rest: unknown = document
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const parsed = schema.safeParse(rest)
    if (parsed.success) return { scenario: parsed.data, faults, paths }
    if (round === 0) rest = structuredClone(document)
    for (const leaf of parsed.error.issues.flatMap((issue) => flatten(issue, []))) {
      // In later rounds a missing value is one that an earlier round took away.
      if (round === 0) faults.push(...toFaults(leaf, document, schema))
      paths.push(...placesOf(leaf))
      if (!prune(rest, leaf)) return { scenario: null, faults, paths }
    }
  }
  return { scenario: null, faults, paths }
}

function flatten(issue: z.core.$ZodIssue, base: FaultPath): Leaf[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The option whose outermost type fits is the one the user meant.
    const fitting = issue.errors.filter((option) => option.every((inner) => inner.path.length > 0))
    if (fitting.length > 0) {
      const meant = fitting.reduce((best, option) => (option.length < best.length ? option : best))
      return meant.flatMap((inner) => flatten(inner, path))
    }
    const deeper = issue.errors.find((option) => option.every((inner) => inner.code === 'unrecognized_keys'))
    if (deeper !== undefined) return deeper.flatMap((inner) => flatten(inner, path))
    const worded = issue.errors.flat().find((inner) => inner.code === 'custom')
    if (worded !== undefined) return flatten(worded, path)
  }
  return [{ path, issue }]
}

function placesOf({ path, issue }: Leaf): FaultPath[] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path]
}

/** What keys are accepted, by the field they are in; names where nothing is said. */
const KEY_WORDS: Readonly<Record<string, string>> = {
  devices: 'a device name of 1 to 15 letters, digits, _ or -',
  vlans: 'a VLAN id from 1 to 4094',
}

function toFaults(leaf: Leaf, document: unknown, schema: ScenarioSchema): ScenarioFault[] {
  const { path, issue } = leaf
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, document, schema))
  const place = schemaAt(schema, document, path)
  const value = valueAt(document, path)
  const last = path.at(-1)
  if (issue.code === 'invalid_key') {
    const accepted = KEY_WORDS[String(path.at(-2))] ?? 'a name of 1 to 63 letters, digits, _ or -'
    return [{ path: formatPath(path), given: givenValue(last), accepted, nearest: null }]
  }
  if (issue.code === 'invalid_union' && issue.errors.length === 0) {
    const kinds = discriminatorNames(schemaAt(schema, document, path.slice(0, -1))?.schema ?? schema)
    const accepted = `one of ${kinds.join(', ')}`
    return [{ path: formatPath(path), given: givenValue(value), accepted, nearest: nearestName(value, kinds) }]
  }
  const accepted = wordsAt(path, document, schema) ?? wordsOf(issue) ?? issue.message
  const options = place === undefined ? [] : optionNames(place.schema)
  return [{ path: formatPath(path), given: givenValue(value), accepted, nearest: nearestName(value, options) }]
}

/** What a place accepts, or what the field it is part of accepts. */
function wordsAt(path: FaultPath, document: unknown, schema: ScenarioSchema): string | undefined {
  for (let length = path.length; length >= 0 && length >= path.length - 2; length--) {
    const here = path.slice(0, length)
    const place = schemaAt(schema, document, here)
    const words = place === undefined ? undefined : acceptedWords(place.schema, valueAt(document, here))
    if (words !== undefined) return words
  }
  return undefined
}

function unknownKey(path: FaultPath, key: string, document: unknown, schema: ScenarioSchema): ScenarioFault {
  const place = schemaAt(schema, document, path)
  const known = place === undefined ? [] : knownKeys(place.schema, place.value)
  return {
    path: formatPath([...path, key]),
    given: givenValue(key),
    accepted: `one of the keys ${known.join(', ')}`,
    nearest: nearestName(key, known),
  }
}

function wordsOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === 'custom') {
    const words: unknown = issue.params?.accepted
    return typeof words === 'string' ? words : undefined
  }
  if (issue.code === 'invalid_type') return `a value of type ${issue.expected}`
  if (issue.code === 'too_big') return `at most ${issue.maximum}`
  if (issue.code === 'too_small') return `at least ${issue.minimum}`
  return undefined
}

/** Removes what a leaf complains about; false if that would be the whole document. */
function prune(root: unknown, leaf: Leaf): boolean {
  if (leaf.issue.code === 'unrecognized_keys') {
    const owner = valueAt(root, leaf.path)
    if (typeof owner !== 'object' || owner === null) return true
    for (const key of leaf.issue.keys) delete (owner as Record<string, unknown>)[key]
    return true
  }
  for (let path = leaf.path; path.length > 0; path = path.slice(0, -1)) {
    const owner = valueAt(root, path.slice(0, -1))
    const key = path.at(-1) as string | number
    // Members of a list are not removed one by one, since that would shift the others' paths.
    if (typeof owner !== 'object' || owner === null || Array.isArray(owner)) continue
    if (!Object.hasOwn(owner, key)) continue
    delete (owner as Record<string | number, unknown>)[key]
    return true
  }
  return false
}
