/** Finds the schema of a place in a document, so that faults and `--set` know what belongs there. */
import type { z } from 'zod'
import type { FaultPath } from '../fault.js'
import { acceptedBy } from './accepted.js'

type Schema = z.core.$ZodType

interface AnyDef {
  readonly type: string
  readonly innerType?: Schema
  readonly in?: Schema
  readonly options?: readonly Schema[]
  readonly discriminator?: string
  readonly shape?: Readonly<Record<string, Schema>>
  readonly valueType?: Schema
  readonly element?: Schema
  readonly items?: readonly Schema[]
  readonly entries?: Readonly<Record<string, string | number>>
  readonly values?: readonly unknown[]
}

const defOf = (schema: Schema): AnyDef => schema._zod.def as unknown as AnyDef

const WRAPPERS: ReadonlySet<string> = new Set([
  'optional',
  'nullable',
  'default',
  'prefault',
  'readonly',
  'nonoptional',
])

/** Schemas from the outermost wrapper to the core that fits the value. */
function layers(schema: Schema, value: unknown): Schema[] {
  const out = [schema]
  for (let current = schema; ; ) {
    const def = defOf(current)
    let next: Schema | undefined
    if (WRAPPERS.has(def.type)) next = def.innerType
    else if (def.type === 'pipe') next = def.in
    else if (def.type === 'union') next = pickOption(def, value)
    if (next === undefined) return out
    out.push(next)
    current = next
  }
}

/** The schema that decides about a value, without wrappers, and with unions resolved by the value. */
export function coreSchema(schema: Schema, value: unknown): Schema {
  return layers(schema, value).at(-1) as Schema
}

function pickOption(def: AnyDef, value: unknown): Schema | undefined {
  const options = def.options ?? []
  if (def.discriminator !== undefined) {
    const kind = isObject(value) ? value[def.discriminator] : undefined
    return (
      options.find((option) => {
        const field = defOf(coreSchema(option, value)).shape?.[def.discriminator as string]
        if (field === undefined) return false
        if (kind === undefined) return defOf(field).type === 'optional'
        return optionNames(field).includes(String(kind))
      }) ?? options[0]
    )
  }
  const wanted = Array.isArray(value) ? ['array', 'tuple'] : isObject(value) ? ['object', 'record'] : []
  if (wanted.length === 0) return undefined
  return options.find((option) => wanted.includes(defOf(coreSchema(option, value)).type))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Schema of a member of a value; undefined if it cannot have one of that name. */
export function memberSchema(schema: Schema, value: unknown, key: string | number): Schema | undefined {
  const def = defOf(coreSchema(schema, value))
  if (def.type === 'object') {
    const shape = def.shape as Readonly<Record<string, Schema>>
    return Object.hasOwn(shape, key) ? shape[key] : undefined
  }
  if (def.type === 'record') return def.valueType
  if (def.type === 'array') return typeof key === 'number' ? def.element : undefined
  if (def.type === 'tuple') return typeof key === 'number' ? def.items?.[key] : undefined
  return undefined
}

/** Whether members of the value have names that the user chooses (hosts, devices, …). */
export function isRecord(schema: Schema, value: unknown): boolean {
  return defOf(coreSchema(schema, value)).type === 'record'
}

/** Whether the value is a list. */
export function isList(schema: Schema, value: unknown): boolean {
  const type = defOf(coreSchema(schema, value)).type
  return type === 'array' || type === 'tuple'
}

/** Keys an object schema knows; empty for anything else. */
export function knownKeys(schema: Schema, value: unknown): string[] {
  const def = defOf(coreSchema(schema, value))
  return def.type === 'object' ? Object.keys(def.shape as object) : []
}

/** Schemas from the root to a place, each with the value there. */
export function schemaAt(
  root: Schema,
  document: unknown,
  path: FaultPath,
): { schema: Schema; value: unknown } | undefined {
  let schema: Schema | undefined = root
  let value = document
  for (const part of path) {
    schema = memberSchema(schema, value, part)
    if (schema === undefined) return undefined
    value = typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[part] : undefined
  }
  return { schema, value }
}

/** What a schema accepts in words, from the outermost layer that says it. */
export function acceptedWords(schema: Schema, value: unknown): string | undefined {
  for (const layer of layers(schema, value)) {
    const words = acceptedBy(layer)
    if (words !== undefined) return words
  }
  const core = defOf(coreSchema(schema, value))
  if (core.type === 'union' && core.discriminator === undefined) {
    const options = (core.options ?? []).map((option) => acceptedWords(option, undefined))
    const worded = options.filter((words) => words !== undefined)
    return worded.length === 0 ? undefined : worded.join('; or ')
  }
  const keys = knownKeys(schema, {})
  if (keys.length > 0) return `an object with keys ${keys.join(', ')}`
  if (core.type === 'record') return 'an object of named entries'
  if (core.type === 'tuple') return 'a list'
  if (core.type !== 'array' || core.element === undefined) return undefined
  const entry = acceptedWords(core.element, undefined)
  return entry === undefined ? 'a list' : `a list, each ${entry}`
}

/** Words and numbers that a schema lists as values, for finding the nearest. */
export function optionNames(schema: Schema): string[] {
  const def = defOf(schema)
  if (WRAPPERS.has(def.type) && def.innerType !== undefined) return optionNames(def.innerType)
  if (def.type === 'pipe' && def.in !== undefined) return optionNames(def.in)
  if (def.type === 'enum') return Object.values(def.entries ?? {}).map(String)
  if (def.type === 'literal') return (def.values ?? []).filter((value) => typeof value === 'string').map(String)
  if (def.type === 'union') return (def.options ?? []).flatMap(optionNames)
  return []
}

/** Values a union tells its options apart by, such as the kinds of traffic; empty for other schemas. */
export function discriminatorNames(schema: Schema): string[] {
  const def = defOf(schema)
  if (WRAPPERS.has(def.type) && def.innerType !== undefined) return discriminatorNames(def.innerType)
  const key = def.discriminator
  if (key === undefined) return []
  return (def.options ?? []).flatMap((option) => {
    const field = defOf(option).shape?.[key]
    return field === undefined ? [] : optionNames(field)
  })
}
