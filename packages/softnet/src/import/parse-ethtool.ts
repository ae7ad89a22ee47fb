/** What `ethtool` prints about one device, option by option. */
import type { Sourced } from './parse-machine.js'
import type { HostText, TextFaults } from './text-faults.js'

/** Values by the names that ethtool gives them. */
export type EthtoolValues = ReadonlyMap<string, Sourced<string>>

/** Lines `name: value`; headings, empty lines and what the driver does not support are left out. */
function namedValues(text: HostText, from: number, faults: TextFaults): Map<string, Sourced<string>> {
  const found = new Map<string, Sourced<string>>()
  for (const line of text.lines.slice(from)) {
    if (line.text.trim() === '') continue
    const match = /^\s*([^:]{1,80}):\s*(.*)$/.exec(line.text)
    if (match === null) {
      faults.add(line.at, line.text, 'a line of ethtool, name: value')
      continue
    }
    const value = (match[2] as string).trim()
    if (value !== '' && value !== 'n/a') found.set((match[1] as string).trim(), { value, at: line.at })
  }
  return found
}

/** `ethtool -i`: driver and bus. */
export function parseDriverInfo(text: HostText, faults: TextFaults): EthtoolValues {
  return namedValues(text, 0, faults)
}

/** `ethtool -g` and `-l`: what is set, below «Current hardware settings». */
export function parseCurrentSettings(text: HostText, faults: TextFaults): EthtoolValues {
  const heading = text.lines.findIndex((line) => line.text.startsWith('Current hardware settings'))
  if (heading < 0) {
    faults.add(text.path, null, 'a line «Current hardware settings:»')
    return new Map()
  }
  return namedValues(text, heading + 1, faults)
}

/** `ethtool -c`: lines of one value, and those of two, `Adaptive RX: off  TX: on`, under `Adaptive RX`. */
export function parseCoalesce(text: HostText, faults: TextFaults): EthtoolValues {
  const found = namedValues(text, 1, faults)
  for (const [name, { value, at }] of found) {
    const first = /^(\S+)\s+TX:/.exec(value)?.[1]
    if (first === 'n/a') found.delete(name)
    else if (first !== undefined) found.set(name, { value: first, at })
  }
  return found
}

/** `ethtool -k`: `on` or `off` by feature. */
export function parseFeatures(text: HostText, faults: TextFaults): EthtoolValues {
  const found = namedValues(text, 1, faults)
  for (const [name, { value, at }] of found) {
    const state = /^(on|off)(?: \[.*\])?$/.exec(value)?.[1]
    if (state === undefined) {
      faults.add(at, value, `${name}: on or off`)
      found.delete(name)
    } else found.set(name, { value: state, at })
  }
  return found
}

/** `ethtool -x`: queue of each entry, and the key. */
export interface IndirectionTable {
  readonly queues?: Sourced<readonly number[]>
  /** Bytes in hex with colons, as printed. */
  readonly key?: Sourced<string>
}

/** Reads `ethtool -x`; drivers that support only a part of it say so in its place. */
export function parseIndirection(text: HostText, faults: TextFaults): IndirectionTable {
  const queues: number[] = []
  let at = text.path
  let key: Sourced<string> | undefined
  let part: 'none' | 'table' | 'key' = 'none'
  for (const line of text.lines) {
    if (line.text.startsWith('RX flow hash indirection table')) part = 'table'
    else if (line.text.startsWith('RSS hash key')) part = 'key'
    else if (line.text.startsWith('RSS hash function')) part = 'none'
    else if (part === 'none' || line.text.trim() === '' || line.text.includes('not supported')) continue
    else if (part === 'key') {
      if (/^[0-9a-f]{2}(:[0-9a-f]{2})*$/.test(line.text)) key = { value: line.text, at: line.at }
      else faults.add(line.at, line.text, 'an RSS key, hex bytes with colons')
    } else {
      const match = /^\s*(\d{1,6}):((?:\s+\d{1,5})+)\s*$/.exec(line.text)
      if (match === null || Number(match[1]) !== queues.length) {
        faults.add(line.at, line.text, `entries of the indirection table from ${queues.length} on, N: queue queue …`)
        part = 'none'
        continue
      }
      if (queues.length === 0) at = line.at
      queues.push(...(match[2] as string).trim().split(/\s+/).map(Number))
    }
  }
  return {
    ...(queues.length > 0 ? { queues: { value: queues, at } } : {}),
    ...(key === undefined ? {} : { key }),
  }
}

/** `ethtool -n DEV rx-flow-hash udp4`: whether ports are hashed; undefined where the driver does not say. */
export function parseFlowHash(text: HostText): Sourced<'sd' | 'sdfn'> | undefined {
  const heading = text.lines.find((line) => line.text.includes('use these fields for computing Hash flow key'))
  if (heading === undefined) return undefined
  const holds = (words: string): boolean => text.lines.some((line) => line.text.includes(words))
  return { value: holds('L4 bytes 0 & 1') && holds('L4 bytes 2 & 3') ? 'sdfn' : 'sd', at: heading.at }
}
