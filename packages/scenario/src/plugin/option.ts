/** Options of a plugin: fields that say what they accept, so that a scenario with a wrong value says why. */
import { z } from 'zod'
import { parsePrefix } from '../address.js'
import { accepts } from '../schema/accepted.js'
import * as fields from '../schema/fields.js'

/** Fields of a plugin's options by name. */
export type OptionFields = Readonly<Record<string, z.ZodType>>

/** Values of a plugin's options, as its systems get them. */
export type OptionValues<Fields extends OptionFields> = z.output<z.ZodObject<Fields>>

/** A network: its address as an unsigned 32-bit number, and the mask. */
export interface Network {
  readonly address: number
  readonly mask: number
}

/** The same field, with a value for scenarios that leave it out; without one the option has to be given. */
function orElse<T extends z.ZodType>(schema: T, otherwise: z.input<T> | undefined): T {
  if (otherwise === undefined) return schema
  // The value is read like one that was given, so defaults are written as users write them.
  return schema.prefault(otherwise as never) as unknown as T
}

/** Fields that name a device of the scenario; compiling checks that it is there. */
const deviceFields = new WeakSet<object>()

/** True if the field names a device. */
export function namesDevice(schema: object): boolean {
  return deviceFields.has(schema)
}

/** Bounds of a quantity in its base unit, and their words. */
export interface OptionRange {
  readonly min?: number
  readonly max?: number
  /** The range in words, `at most 10ms`. */
  readonly words?: string
}

/**
 * Makers of option fields. The first argument says what the option is; the last one is its default, written as a user
 * would write it. Without a default the option has to be given.
 */
export const option = {
  /** A whole number from `min` to `max`. */
  integer: (about: string, range: { readonly min: number; readonly max: number }, otherwise?: number) =>
    orElse(fields.integer(about, range.min, range.max), otherwise),
  /** A number from `min` to `max`. */
  number: (about: string, range: { readonly min: number; readonly max: number }, otherwise?: number) =>
    orElse(fields.decimal(about, range.min, range.max), otherwise),
  /** `on` or `off`; the value is true or false. */
  toggle: (about: string, otherwise?: boolean) => orElse(fields.toggle(about), otherwise),
  /** One of some words. */
  choice: <const T extends readonly [string, ...string[]]>(about: string, words: T, otherwise?: T[number]) =>
    orElse(fields.choice(words, about), otherwise),
  /** Text of at most 1000 characters. */
  text: (about: string, otherwise?: string) => orElse(fields.text(about, 1000), otherwise),
  /** A time such as `20us`; the value is in ps. */
  time: (about: string, range: OptionRange = {}, otherwise?: string) => orElse(fields.time(about, range), otherwise),
  /** A rate such as `1Mpps`; the value is in packets per second. */
  rate: (about: string, range: OptionRange = {}, otherwise?: string) =>
    orElse(fields.quantity('rate', about, range), otherwise),
  /** A bit rate such as `10Gbit`; the value is in bits per second. */
  bits: (about: string, range: OptionRange = {}, otherwise?: string) =>
    orElse(fields.quantity('bits', about, range), otherwise),
  /** A size such as `64KiB`; the value is in bytes. */
  bytes: (about: string, range: OptionRange = {}, otherwise?: string | number) =>
    orElse(fields.quantity('bytes', about, range), otherwise),
  /** An IPv4 address; the value is an unsigned 32-bit number. */
  address: (about: string, otherwise?: string) => orElse(fields.ipv4(about), otherwise),
  /** A network such as `198.51.100.0/24`; the value is its {@link Network}. */
  network: (about: string, otherwise?: string) => {
    const words = 'a network such as 198.51.100.0/24, without bits beyond its prefix'
    const schema = z
      .string()
      .transform((value, context): Network => {
        const parsed = parsePrefix(value)
        const mask = parsed === null || parsed.length === 0 ? 0 : (0xffffffff << (32 - parsed.length)) >>> 0
        if (parsed === null || (parsed.address & ~mask) !== 0) {
          context.issues.push({ code: 'custom', input: value, message: words, params: { accepted: words } })
          return z.NEVER
        }
        return { address: parsed.address, mask }
      })
      .describe(`${about} Accepts ${words}.`)
    return orElse(accepts(schema, words), otherwise)
  },
  /** Name of a device of the scenario. */
  device: (about: string) => {
    const words = 'a device of this scenario'
    const schema = accepts(z.string().max(15).describe(`${about} Accepts ${words}.`), words)
    deviceFields.add(schema)
    return schema
  },
  /** A list of at most `max` entries of one kind. */
  list: <T extends z.ZodType>(about: string, entry: T, max = 1000, otherwise?: z.input<T>[]) => {
    const schema = z.array(entry).max(max).describe(about)
    return orElse(schema, otherwise as never)
  },
}
