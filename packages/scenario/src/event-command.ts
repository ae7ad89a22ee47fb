/** Commands of an event that change settings: ethtool, tc and sysctl. */
import { parseCpuMask } from './cpu-set.js'
import type { EventAction } from './event-plan.js'

/** A discipline as it is typed, its parameters by name; and a setting. Both are checked where they are compiled. */
export type TypedEvent =
  | Exclude<EventAction, { readonly kind: 'qdisc' | 'sysctl' }>
  | {
      readonly kind: 'qdisc'
      readonly dev: string
      readonly words: Readonly<Record<string, string | number | boolean>>
    }
  | { readonly kind: 'sysctl'; readonly dev: null; readonly name: string; readonly text: string }

/** A device, or one of a network namespace as NAMESPACE/DEVICE. */
const DEVICE = /^(?:[A-Za-z0-9_-]{1,63}\/)?[A-Za-z0-9_.-]{1,15}$/

/** Whether a word may be a device. */
export function isDevice(word: string | undefined): word is string {
  return word !== undefined && DEVICE.test(word)
}

/** Pairs of words; null if one is left over, or a name comes twice. */
function pairs(words: readonly string[]): Map<string, string> | null {
  const found = new Map<string, string>()
  for (let i = 0; i < words.length; i += 2) {
    const [name, value] = [words[i], words[i + 1]]
    if (name === undefined || value === undefined || found.has(name)) return null
    found.set(name, value)
  }
  return found.size === 0 ? null : found
}

const FEATURES = {
  gro: 'gro',
  'generic-receive-offload': 'gro',
  'rx-gro-list': 'groList',
  'rx-udp-gro-forwarding': 'udpGroForwarding',
} as const

/** `ethtool -K DEV FEATURE on|off …`. */
export function parseFeatures([dev, ...rest]: readonly string[]): TypedEvent | null {
  const given = pairs(rest)
  if (!isDevice(dev) || given === null) return null
  const values: { gro: boolean | null; groList: boolean | null; udpGroForwarding: boolean | null } = {
    gro: null,
    groList: null,
    udpGroForwarding: null,
  }
  for (const [name, value] of given) {
    if (!Object.hasOwn(FEATURES, name) || (value !== 'on' && value !== 'off')) return null
    values[FEATURES[name as keyof typeof FEATURES]] = value === 'on'
  }
  return { kind: 'features', dev, ...values }
}

/** `ethtool -G DEV rx N`. */
export function parseRings([dev, name, value, ...rest]: readonly string[]): TypedEvent | null {
  if (!isDevice(dev) || name !== 'rx' || rest.length > 0 || value === undefined || !/^\d{1,6}$/.test(value)) return null
  return { kind: 'rings', dev, rx: Number(value) }
}

/** `replace dev DEV root KIND [NAME VALUE …]`, behind `tc qdisc`. */
export function parseQdisc(words: readonly string[]): TypedEvent | null {
  const [replace, word, dev, root, kind, ...rest] = words
  if (replace !== 'replace' || word !== 'dev' || root !== 'root' || !isDevice(dev) || kind === undefined) return null
  const values = new Map<string, string | number | boolean>([['kind', kind]])
  for (let i = 0; i < rest.length; i++) {
    const name = rest[i] as string
    if (name === 'ecn' || name === 'noecn') {
      values.set('ecn', name === 'ecn')
      continue
    }
    const value = rest[++i]
    if (value === undefined || values.has(name)) return null
    values.set(name, /^\d{1,10}$/.test(value) ? Number(value) : value)
  }
  return { kind: 'qdisc', dev, words: Object.fromEntries(values) }
}

const MASK_FILE = /^\/sys\/class\/net\/([A-Za-z0-9_.-]{1,15})\/queues\/(rx|tx)-(\d{1,4})\/(rps_cpus|xps_cpus)$/

/** `MASK > FILE`, behind `echo`. */
export function parseMaskWrite([mask, into, file, ...rest]: readonly string[]): TypedEvent | null {
  const found = MASK_FILE.exec(file ?? '')
  if (mask === undefined || into !== '>' || rest.length > 0 || found === null) return null
  const [, dev, side, queue, name] = found as unknown as [string, string, string, string, string]
  const cpus = parseCpuMask(mask)
  if (!cpus.ok || (side === 'rx') !== (name === 'rps_cpus')) return null
  return { kind: 'mask', dev, of: name === 'rps_cpus' ? 'rps' : 'xps', queue: Number(queue), cpus: cpus.cpus }
}

/** `-w NAME=VALUE`, behind `sysctl`. */
export function parseSysctl([option, setting, ...rest]: readonly string[]): TypedEvent | null {
  const at = setting?.indexOf('=') ?? -1
  if (option !== '-w' || setting === undefined || rest.length > 0 || at <= 0) return null
  return { kind: 'sysctl', dev: null, name: setting.slice(0, at), text: setting.slice(at + 1) }
}
