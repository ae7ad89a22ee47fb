/**
 * Plain copy of what a user gave: only objects, arrays, text, numbers, booleans and null, without cycles.
 *
 * A TypeScript scenario can hold anything; everything else is a fault, so that later steps never meet a getter, a
 * function or a prototype.
 */
import { type FaultPath, formatPath, givenValue, type ScenarioFault } from './fault.js'

const MAX_DEPTH = 32
const MAX_NODES = 1_000_000
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor'])

/** A plain copy and the faults that were left out of it. */
export interface PlainCopy {
  readonly value: unknown
  readonly faults: readonly ScenarioFault[]
  /** Paths of those faults. */
  readonly paths: readonly FaultPath[]
}

interface Walk {
  readonly faults: ScenarioFault[]
  readonly paths: FaultPath[]
  readonly ancestors: Set<object>
  nodes: number
}

/** Copies a value of any kind as plain data. */
export function toPlain(input: unknown): PlainCopy {
  const walk: Walk = { faults: [], paths: [], ancestors: new Set(), nodes: 0 }
  const value = copy(input, [], walk)
  return { value, faults: walk.faults, paths: walk.paths }
}

function refuse(walk: Walk, path: FaultPath, given: unknown, accepted: string): undefined {
  walk.faults.push({ path: formatPath(path), given: givenValue(given), accepted, nearest: null })
  walk.paths.push(path)
  return undefined
}

function copy(value: unknown, path: FaultPath, walk: Walk): unknown {
  if (++walk.nodes > MAX_NODES) {
    return walk.nodes === MAX_NODES + 1
      ? refuse(walk, path, 'too many values', `at most ${MAX_NODES} values in a scenario`)
      : undefined
  }
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value
    case 'number':
      return Number.isFinite(value) ? value : refuse(walk, path, value, 'a finite number')
    case 'object':
      return value === null ? null : copyObject(value, path, walk)
    default:
      return refuse(walk, path, `a ${typeof value}`, 'plain data: objects, lists, text, numbers, true or false')
  }
}

function copyObject(value: object, path: FaultPath, walk: Walk): unknown {
  if (path.length >= MAX_DEPTH) return refuse(walk, path, 'too deep', `at most ${MAX_DEPTH} levels`)
  if (walk.ancestors.has(value)) return refuse(walk, path, 'a cycle', 'an object that does not contain itself')
  walk.ancestors.add(value)
  try {
    if (Array.isArray(value)) return copyArray(value, path, walk)
    const prototype: unknown = Object.getPrototypeOf(value)
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
    if (!isPlain) return refuse(walk, path, 'an instance of a class', 'a plain object')
    return copyRecord(value, path, walk)
  } catch {
    return refuse(walk, path, 'an object that cannot be read', 'a plain object')
  } finally {
    walk.ancestors.delete(value)
  }
}

function copyArray(value: readonly unknown[], path: FaultPath, walk: Walk): unknown {
  if (value.length > MAX_NODES) return refuse(walk, path, 'a longer list', `a list of at most ${MAX_NODES}`)
  const out: unknown[] = []
  for (let index = 0; index < value.length; index++) out.push(copy(value[index], [...path, index], walk))
  return out
}

function copyRecord(value: object, path: FaultPath, walk: Walk): unknown {
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const here = [...path, key]
    if (FORBIDDEN_KEYS.has(key)) {
      refuse(walk, here, key, 'a key other than __proto__, prototype and constructor')
      continue
    }
    const entry = copy((value as Record<string, unknown>)[key], here, walk)
    if (entry !== undefined) out[key] = entry
  }
  return out
}
