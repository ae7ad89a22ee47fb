/** Reading of recordings that somebody else wrote: every field is checked, every fault is told with its path. */
import type { InputFault } from '../input-fault.js'

type Json = Readonly<Record<string, unknown>>

/** True for a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields of one object of a recording. A wrong field gives a harmless value and adds a fault. */
export class Fields {
  readonly path: string
  readonly #object: Json
  readonly #faults: InputFault[]

  constructor(path: string, value: unknown, faults: InputFault[]) {
    this.path = path
    this.#faults = faults
    this.#object = isObject(value) ? value : {}
    if (!isObject(value)) this.#fault(path, value, 'an object')
  }

  /** True if the field is there. */
  has(key: string): boolean {
    return this.#object[key] !== undefined && this.#object[key] !== null
  }

  integer(key: string, min: number, max: number): number {
    const value = this.#object[key]
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
    this.#fault(`${this.path}.${key}`, value, `an integer from ${min} to ${max}`)
    return min
  }

  /** A number within a range, both ends included. */
  number(key: string, min: number, max: number): number {
    const value = this.#object[key]
    if (typeof value === 'number' && value >= min && value <= max) return value
    this.#fault(`${this.path}.${key}`, value, `a number from ${min} to ${max}`)
    return min
  }

  /** True or false; false where it is left out. */
  flag(key: string): boolean {
    const value = this.#object[key]
    if (typeof value === 'boolean') return value
    if (this.has(key)) this.#fault(`${this.path}.${key}`, value, 'true or false')
    return false
  }

  /** Whatever stands there. */
  value(key: string): unknown {
    return this.#object[key] ?? null
  }

  /** An object in the object. */
  object(key: string): Fields {
    return new Fields(`${this.path}.${key}`, this.#object[key], this.#faults)
  }

  /** Entry of a list of objects. */
  entry(key: string, index: number): Fields {
    return new Fields(`${this.path}.${key}[${index}]`, this.list(key)[index], this.#faults)
  }

  /** Names of the fields, in order. */
  keys(): readonly string[] {
    return Object.keys(this.#object)
  }

  text(key: string): string {
    const value = this.#object[key]
    if (typeof value === 'string') return value
    this.#fault(`${this.path}.${key}`, value, 'text')
    return ''
  }

  texts(key: string): readonly string[] {
    return this.list(key).map((value, index) => {
      if (typeof value === 'string') return value
      this.#fault(`${this.path}.${key}[${index}]`, value, 'text')
      return ''
    })
  }

  list(key: string): readonly unknown[] {
    const value = this.#object[key]
    if (Array.isArray(value)) return value
    this.#fault(`${this.path}.${key}`, value, 'a list')
    return []
  }

  /** The numbers of an object of numbers, in order of its names. */
  numbers(key: string): readonly (readonly [string, number])[] {
    const value = this.#object[key]
    if (!isObject(value)) {
      this.#fault(`${this.path}.${key}`, value, 'an object of numbers')
      return []
    }
    return Object.entries(value).flatMap(([name, number]) => {
      if (typeof number === 'number') return [[name, number] as const]
      this.#fault(`${this.path}.${key}.${name}`, number, 'a number')
      return []
    })
  }

  /** False where the recordings of a case differed from each other. */
  gated(): boolean {
    if (this.#object.stable === false) return false
    const { agree, runs } = this.#object
    return typeof agree !== 'number' || typeof runs !== 'number' || agree >= runs
  }

  /** Notes a fault of a field. */
  refuse(key: string, accepted: string, nearest: string | null = null): void {
    this.#fault(`${this.path}.${key}`, this.#object[key], accepted, nearest)
  }

  #fault(path: string, given: unknown, accepted: string, nearest: string | null = null): void {
    this.#faults.push({ path, given: given ?? null, accepted, nearest })
  }
}
