/** Fields that scenario schemas are made of: each parses one kind of value and says what it accepts. */
import { z } from 'zod'
import { parseEndpoint, parseIpv4, parseMac, parsePrefix } from '../address.js'
import { type ParsedCpus, parseCpuList, parseCpuMask } from '../cpu-set.js'
import { describeKind, parseQuantity, type QuantityKind } from '../quantity.js'
import { accepts } from './accepted.js'

/** Text or number as it came, before units are read. */
const raw = () => z.union([z.string().max(200), z.number()])

interface Context {
  issues: z.core.$ZodRawIssue[]
}

function refuse(context: Context, input: unknown, accepted: string): never {
  context.issues.push({ code: 'custom', input, message: accepted, params: { accepted } })
  return z.NEVER
}

interface Range {
  /** Smallest value accepted, in the base unit of the kind. */
  readonly min?: number
  readonly max?: number
  /** The range in words; appended to what is accepted. */
  readonly words?: string
}

/** A number with a unit; the result is in the base unit of the kind (ps, packets/s, bits/s, bytes, Hz). */
export function quantity(kind: QuantityKind, description: string, range: Range = {}) {
  const words = describeKind(kind) + (range.words === undefined ? '' : `, ${range.words}`)
  const schema = raw()
    .transform((value, context) => {
      const parsed = parseQuantity(kind, value)
      if (!parsed.ok || parsed.value < (range.min ?? 0) || parsed.value > (range.max ?? Number.MAX_VALUE)) {
        return refuse(context, value, words)
      }
      return parsed.value
    })
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** A time, result in ps. */
export const time = (description: string, range?: Range) => quantity('time', description, range)

/** A time whose bare number is in the unit Linux uses for it; the result is a whole number of that unit. */
export function linuxTime(unit: 'ns' | 'us' | 's', max: number, description: string) {
  const psPerUnit = unit === 'ns' ? 1e3 : unit === 'us' ? 1e6 : 1e12
  const words = `an integer in ${unit} or a time such as ${unit === 's' ? '2s' : '20us'}, at most ${max} ${unit}`
  const schema = raw()
    .transform((value, context) => {
      const bare = typeof value === 'number' || /^\d+$/.test(value)
      const parsed = bare ? { ok: true as const, value: Number(value) * psPerUnit } : parseQuantity('time', value)
      const units = parsed.ok ? parsed.value / psPerUnit : Number.NaN
      if (!Number.isSafeInteger(units) || units < 0 || units > max) return refuse(context, value, words)
      return units
    })
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** An offered rate: packets per second, or bits per second of frames without preamble and gap. */
export type OfferedRate = { readonly packetsPerSec: number } | { readonly bitsPerSec: number }

/** Fastest source accepted, packets per second: 800 Gbit/s of smallest frames is 1.19 Gpps. */
export const MAX_PACKETS_PER_SEC = 2e9

/** An offered rate in packets or in bits per second. */
export function offeredRate(description: string) {
  const words =
    'a rate above 0 and at most 2 Gpps, such as 4Mpps, 100kpps or 80Mbit (bits of frames, FCS included); a bare number is packets per second'
  const schema = raw()
    .transform((value, context): OfferedRate => {
      const packets = parseQuantity('rate', value)
      if (packets.ok && packets.value > 0 && packets.value <= MAX_PACKETS_PER_SEC)
        return { packetsPerSec: packets.value }
      const bits = parseQuantity('bits', value)
      if (bits.ok && bits.value > 0 && bits.value <= 1e12) return { bitsPerSec: bits.value }
      return refuse(context, value, words)
    })
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** A whole number within a range, both ends included. */
export function integer(description: string, min: number, max: number) {
  const words = `an integer from ${min} to ${max}`
  return accepts(z.int().min(min).max(max).describe(`${description} Accepts ${words}.`), words)
}

/** A number within a range, both ends included. */
export function decimal(description: string, min: number, max: number) {
  const words = `a number from ${min} to ${max}`
  return accepts(z.number().min(min).max(max).describe(`${description} Accepts ${words}.`), words)
}

/** A switch as `ethtool` and YAML write it. */
export function toggle(description: string) {
  const words = 'on or off (true or false, 1 or 0)'
  const schema = z
    .union([z.boolean(), z.enum(['on', 'off']), z.literal(0), z.literal(1)])
    .transform((value) => value === true || value === 'on' || value === 1)
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** One of a list of words. */
export function choice<const T extends readonly [string, ...string[]]>(values: T, description: string) {
  const words = `one of ${values.join(', ')}`
  return accepts(z.enum(values).describe(`${description} Accepts ${words}.`), words)
}

/** Free text of limited length. */
export function text(description: string, maxLength: number) {
  const words = `text of at most ${maxLength} characters`
  return accepts(z.string().max(maxLength).describe(`${description} Accepts ${words}.`), words)
}

function cpus(parse: (value: unknown) => ParsedCpus, description: string) {
  const sample = parse('?')
  const words = sample.ok ? '' : sample.accepted
  const schema = z
    .union([z.string().max(4096), z.number(), z.array(z.union([z.string().max(4096), z.number()])).max(8192)])
    .transform((value, context): readonly number[] => {
      const parsed = parse(value)
      return parsed.ok ? parsed.cpus : refuse(context, value, words)
    })
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** CPUs as a list, the way `taskset -c` takes them. */
export const cpuList = (description: string) => cpus(parseCpuList, description)

/** CPUs as a hex mask, the way `/proc/irq/N/smp_affinity` and `rps_cpus` take them. */
export const cpuMask = (description: string) => cpus(parseCpuMask, description)

/** An IPv4 address, result an unsigned 32-bit number. */
export function ipv4(description: string) {
  const words = 'an IPv4 address such as 192.0.2.1'
  const schema = z
    .string()
    .transform((value, context) => parseIpv4(value) ?? refuse(context, value, words))
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** An IPv4 address with prefix length, kept as text. */
export function prefix(description: string) {
  const words = 'an IPv4 address with prefix length such as 192.0.2.1/24'
  const schema = z
    .string()
    .transform((value, context) => (parsePrefix(value) === null ? refuse(context, value, words) : value))
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** A line of words that a parser understands. */
export function words<T>(parse: (text: string) => T | null, description: string, accepted: string) {
  const schema = z
    .string()
    .max(400)
    .transform((value, context): T => parse(value) ?? refuse(context, value, accepted))
    .describe(description)
  return accepts(schema, accepted)
}

/** An address and port. */
export function endpoint(description: string) {
  const words = 'an address and port such as 0.0.0.0:9000, or a port alone, from 1 to 65535'
  const schema = raw()
    .transform((value, context) => parseEndpoint(value) ?? refuse(context, value, words))
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** A MAC address, result in lower case with colons. */
export function mac(description: string) {
  const words = 'a MAC address such as 02:00:00:00:00:01'
  const schema = z
    .string()
    .transform((value, context) => parseMac(value) ?? refuse(context, value, words))
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** An RSS key of 40 bytes as `ethtool -x` prints it, result 80 lower-case hex digits. */
export function rssKey(description: string) {
  const words = '40 bytes in hex, with or without colons'
  const schema = z
    .string()
    .max(200)
    .transform((value, context) => {
      const hex = value.replaceAll(':', '').toLowerCase()
      return /^[0-9a-f]{80}$/.test(hex) ? hex : refuse(context, value, words)
    })
    .describe(`${description} Accepts ${words}.`)
  return accepts(schema, words)
}

/** Name of something a scenario defines (host, application, traffic): no dots, so that paths stay readable. */
export function nameKey(what: string) {
  const words = `a ${what} name of 1 to 63 letters, digits, _ or -`
  return accepts(z.string().regex(/^[A-Za-z0-9_-]{1,63}$/), words)
}

/** Name of a network device. Kernel: net/core/dev.c, dev_valid_name (IFNAMSIZ 16). */
export function deviceKey() {
  const words = 'a device name of 1 to 15 letters, digits, _ or -'
  return accepts(z.string().regex(/^[A-Za-z0-9_-]{1,15}$/), words)
}

/** A classic BPF program. */
export function bpfProgram(description: string) {
  return z
    .array(
      z.tuple([
        z.int().min(0).max(0xffff),
        z.int().min(0).max(255),
        z.int().min(0).max(255),
        z.int().min(0).max(0xffffffff),
      ]),
    )
    .min(1)
    .max(4096)
    .describe(description)
}
