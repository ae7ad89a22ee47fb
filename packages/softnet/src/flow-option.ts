/** `--flow KEY=VALUE,…`: which flow a packet is of. */
import { type FlowFilter, nearestName, parseIpv4 } from '@softnet/scenario'
import type { InputFault } from './input-fault.js'

const KEYS = ['saddr', 'sport', 'daddr', 'dport'] as const
const PORT_MAX = 65_535
const FORM = 'saddr=A, sport=N, daddr=A, dport=N, any of them, with commas between: sport=1024,dport=9000'

function readValue(key: (typeof KEYS)[number], value: string): number | null {
  if (key === 'saddr' || key === 'daddr') return parseIpv4(value)
  const port = /^\d{1,5}$/.test(value) ? Number(value) : PORT_MAX + 1
  return port <= PORT_MAX ? port : null
}

/** Reads `--flow`; what is wrong goes to `faults`. */
export function readFlowOption(given: string, faults: InputFault[]): FlowFilter {
  const filter: Record<(typeof KEYS)[number], number | null> = { saddr: null, sport: null, daddr: null, dport: null }
  for (const part of given.split(',')) {
    const [name = '', value, ...rest] = part.trim().split('=')
    const key = KEYS.find((each) => each === name)
    const read = key === undefined || value === undefined || rest.length > 0 ? null : readValue(key, value)
    if (key !== undefined && read !== null && filter[key] === null) filter[key] = read
    else faults.push({ path: '--flow', given: part, accepted: FORM, nearest: nearestName(name, KEYS) })
  }
  return filter
}
