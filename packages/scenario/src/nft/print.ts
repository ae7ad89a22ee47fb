/** Writes rules, chains and sets the way `nft list ruleset` does. */
import { formatIpv4 } from '../address.js'
import { NFT_KEYS, type NftKey } from './keys.js'
import { formatPriority } from './priority.js'
import type {
  NftChain,
  NftElement,
  NftFamily,
  NftMatch,
  NftRange,
  NftRule,
  NftSet,
  NftStatement,
  NftVerdict,
} from './ruleset.js'
import { formatNftValue, ICMP_CODES, type NftTypeName } from './types.js'

const IPV4_BITS = 32
const BARE = ['meta iif', 'meta oif', 'meta iifname', 'meta oifname']
const UNITS: Readonly<Record<number, string>> = {
  1: 'second',
  60: 'minute',
  3600: 'hour',
  86400: 'day',
  604800: 'week',
}
const MBYTES = 1_048_576
const KBYTES = 1024
const DEFAULT_BURST_PACKETS = 5

/** Packets and bytes of a counter. */
export interface NftCounts {
  readonly packets: number
  readonly bytes: number
}

/** One value, prefix or range of a type. */
export function formatElement(type: NftTypeName, element: NftElement): string {
  if ('name' in element) return `"${element.name}"`
  const { from, to } = element
  if (from === to) return formatNftValue(type, from)
  const bits = type === 'ipv4_addr' ? prefixLength(from, to) : -1
  if (bits >= 0) return `${formatNftValue(type, from)}/${bits}`
  return `${formatNftValue(type, from, true)}-${formatNftValue(type, to, true)}`
}

/** Length of the prefix that is exactly this range, or −1. */
export function prefixLength(from: number, to: number): number {
  const size = to - from + 1
  const bits = Math.log2(size)
  return Number.isInteger(bits) && from % size === 0 ? IPV4_BITS - bits : -1
}

function formatKey(key: NftKey): string {
  return BARE.includes(key) ? key.slice('meta '.length) : key
}

function formatMatch({ key, operator, mask, operand }: NftMatch): string {
  const { type } = NFT_KEYS[key]
  const sign = operator === '==' || operator === 'flags' ? '' : `${operator} `
  const name = formatKey(key)
  if (operand.kind === 'named') return `${name} ${sign}@${operand.set}`
  if (operand.kind === 'set') {
    return `${name} ${sign}{ ${operand.elements.map((element) => formatElement(type, element)).join(', ')} }`
  }
  const value = formatElement(type, operand.element)
  if (type === 'tcp_flag' || type === 'ct_state') {
    if (operator === 'flags') return `${name} ${value}`
    if (mask === null) return `${name} ${operator} ${value}`
    const zero = 'from' in operand.element && operand.element.from === 0
    if (zero && operator === '!=') return `${name} ${formatNftValue(type, mask)}`
    if (zero) return `${name} ! ${formatNftValue(type, mask)}`
    return `${name} ${sign}${value} / ${formatNftValue(type, mask)}`
  }
  if (mask !== null) return `${name} & ${formatNftValue(type, mask)} ${operator} ${value}`
  return `${name} ${sign}${value}`
}

/** A verdict as a rule ends with it. */
export function formatVerdict(verdict: NftVerdict): string {
  return 'chain' in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind
}

function formatBytes(bytes: number): string {
  if (bytes % MBYTES === 0) return `${bytes / MBYTES} mbytes`
  return bytes % KBYTES === 0 ? `${bytes / KBYTES} kbytes` : `${bytes} bytes`
}

function formatLimit(limit: Extract<NftStatement, { kind: 'limit' }>): string {
  const unit = UNITS[limit.unitSec] ?? `${limit.unitSec} seconds`
  const head = `limit rate ${limit.over ? 'over ' : ''}`
  if (limit.of === 'packets') {
    const burst = limit.burst === DEFAULT_BURST_PACKETS ? '' : ` burst ${limit.burst} packets`
    return `${head}${limit.rate}/${unit}${burst}`
  }
  return `${head}${formatBytes(limit.rate)}/${unit}${limit.burst === 0 ? '' : ` burst ${formatBytes(limit.burst)}`}`
}

function formatReject(reject: Extract<NftStatement, { kind: 'reject' }>, family: NftFamily): string {
  if (reject.with.kind === 'tcp reset') return 'reject with tcp reset'
  const { code } = reject.with
  const usual = code === ICMP_CODES['port-unreachable'] && (reject.written !== 'icmp' || family === 'ip')
  if (usual) return 'reject'
  const word = reject.written === 'icmpx' ? 'icmpx' : 'icmp'
  return `reject with ${word} ${code === 0 && word === 'icmpx' ? 'no-route' : formatNftValue('icmp_code', code)}`
}

function formatRange(range: NftRange, write: (value: number) => string): string {
  return range.from === range.to ? write(range.from) : `${write(range.from)}-${write(range.to)}`
}

function formatNat(nat: Extract<NftStatement, { kind: 'nat' }>, family: NftFamily): string {
  const address = nat.address === null ? '' : formatRange(nat.address, formatIpv4)
  const port = nat.port === null ? '' : `:${formatRange(nat.port, String)}`
  const translates = nat.nat === 'snat' || nat.nat === 'dnat'
  const to = address + port === '' ? '' : ` ${translates && family === 'inet' ? 'ip ' : ''}to ${address}${port}`
  const flags = [...(nat.random ? ['random'] : []), ...(nat.persistent ? ['persistent'] : [])]
  return `${nat.nat}${to}${flags.length === 0 ? '' : ` ${flags.join(',')}`}`
}

/** One statement; `counts` is what its counter stands at. */
export function formatStatement(statement: NftStatement, family: NftFamily, counts?: NftCounts): string {
  switch (statement.kind) {
    case 'match':
      return formatMatch(statement)
    case 'vmap': {
      const { type } = NFT_KEYS[statement.key]
      const entries = statement.entries.map(
        ({ element, verdict }) => `${formatElement(type, element)} : ${formatVerdict(verdict)}`,
      )
      return `${formatKey(statement.key)} vmap { ${entries.join(', ')} }`
    }
    case 'counter':
      return `counter packets ${counts?.packets ?? statement.packets} bytes ${counts?.bytes ?? statement.bytes}`
    case 'limit':
      return formatLimit(statement)
    case 'verdict':
      return formatVerdict(statement.verdict)
    case 'reject':
      return formatReject(statement, family)
    case 'nat':
      return formatNat(statement, family)
    case 'set':
      return `${statement.key} set ${typeof statement.value === 'number' ? formatNftValue('mark', statement.value) : statement.value}`
    case 'notrack':
      return 'notrack'
  }
}

/** One rule without its handle; `counts` gives what each counter of it stands at, in their order. */
export function formatRule(rule: NftRule, family: NftFamily, counts: readonly NftCounts[] = []): string {
  let counter = 0
  const parts = rule.statements.map((each) =>
    formatStatement(each, family, each.kind === 'counter' ? counts[counter++] : undefined),
  )
  if (rule.comment !== null) parts.push(`comment "${rule.comment}"`)
  return parts.join(' ')
}

/** The line that says where a base chain hangs. */
export function formatBase(base: NonNullable<NftChain['base']>): string {
  return `type ${base.type} hook ${base.hook} priority ${formatPriority(base.priority, base.hook)}; policy ${base.policy};`
}

/** Lines of a set. */
export function formatSet(set: NftSet): string[] {
  const lines = [`type ${set.type}`]
  if (set.interval) lines.push('flags interval')
  if (set.elements.length > 0) {
    lines.push(`elements = { ${set.elements.map((element) => formatElement(set.type, element)).join(', ')} }`)
  }
  return lines
}
