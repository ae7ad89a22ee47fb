/** Policy rules in the words of `ip rule add`. */
import type { RuleAction, RulePlan } from './ip-plan.js'
import { numberWithin, parseNetwork, parseTable } from './route.js'

/** What `parseRule` accepts, in words. */
export const RULE_WORDS =
  '[not] [from PREFIX|all] [to PREFIX|all] [iif DEVICE] [oif DEVICE] [tos N | dsfield N] [fwmark N[/MASK]] [ipproto udp|tcp|icmp|N] [sport N[-N]] [dport N[-N]] [priority N] [table NAME|N [suppress_prefixlength N] | goto N | nop | unreachable | prohibit | blackhole]'

const U32_MAX = 4_294_967_295
const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, igmp: 2, tcp: 6, udp: 17, gre: 47, sctp: 132 }

type Mutable = { -readonly [Key in keyof RulePlan]: RulePlan[Key] }

/** Words that stand alone. */
const ACTIONS: Readonly<Record<string, RuleAction>> = {
  nop: 'nop',
  unreachable: 'unreachable',
  prohibit: 'prohibit',
  blackhole: 'blackhole',
}

function readRange(text: string | undefined): readonly [number, number] | null {
  const [first, last = first] = (text ?? '').split('-')
  const from = numberWithin(first, 1, 65_534)
  const to = numberWithin(last, 1, 65_534)
  return from === null || to === null || from > to ? null : [from, to]
}

function readMark(rule: Mutable, text: string): boolean {
  const [value, mask] = text.split('/')
  const mark = numberWithin(value, 0, U32_MAX)
  const bits = mask === undefined ? U32_MAX : numberWithin(mask, 0, U32_MAX)
  if (mark === null || bits === null) return false
  rule.mark = mark
  rule.markMask = bits
  return true
}

/** Each word that has a value: takes it over, or says that it is none. */
const READERS: Readonly<Record<string, (rule: Mutable, value: string) => boolean>> = {
  from: (rule, value) => readPrefix(rule, 'from', value),
  to: (rule, value) => readPrefix(rule, 'to', value),
  iif: (rule, value) => readDevice(rule, 'iif', value),
  oif: (rule, value) => readDevice(rule, 'oif', value),
  tos: readTos,
  dsfield: readTos,
  fwmark: readMark,
  ipproto(rule, value) {
    const protocol = PROTOCOLS[value] ?? numberWithin(value, 1, 255)
    rule.protocol = protocol ?? 0
    return protocol !== null
  },
  sport: (rule, value) => readPorts(rule, 'sport', value),
  dport: (rule, value) => readPorts(rule, 'dport', value),
  priority: readPriority,
  pref: readPriority,
  preference: readPriority,
  table: readTable,
  lookup: readTable,
  goto(rule, value) {
    const target = numberWithin(value, 1, U32_MAX)
    if (target === null || rule.action !== undefined) return false
    rule.action = 'goto'
    rule.target = target
    return true
  },
  suppress_prefixlength(rule, value) {
    const length = numberWithin(value, 0, 32)
    if (length === null) return false
    rule.suppressPrefixLength = length
    return true
  },
}

function readDevice(rule: Mutable, key: 'iif' | 'oif', value: string): boolean {
  rule[key] = value
  return true
}

function readPrefix(rule: Mutable, key: 'from' | 'to', value: string): boolean {
  const network = parseNetwork(value, 'all')
  if (network === null) return false
  rule[key] = [network.address, network.length]
  return true
}

/** Only three bits of the old type of service can be asked for. Kernel: net/ipv4/fib_rules.c, fib4_rule_configure */
function readTos(rule: Mutable, value: string): boolean {
  const tos = numberWithin(value, 0, 255)
  if (tos === null || (tos & ~0x1c) !== 0) return false
  rule.tos = tos
  return true
}

function readPorts(rule: Mutable, key: 'sport' | 'dport', value: string): boolean {
  const range = readRange(value)
  if (range === null) return false
  rule[key] = range
  return true
}

function readPriority(rule: Mutable, value: string): boolean {
  const priority = numberWithin(value, 0, U32_MAX)
  if (priority === null) return false
  rule.priority = priority
  return true
}

function readTable(rule: Mutable, value: string): boolean {
  const table = parseTable(value)
  if (table === null || rule.action !== undefined) return false
  rule.action = 'table'
  rule.table = table
  return true
}

/** Reads one rule; null if it is none. Without a table or an action it is of table main. Kernel: iproute2's words; net/core/fib_rules.c, fib_nl2rule */
export function parseRule(text: string): RulePlan | null {
  const words = text.trim().split(/\s+/)
  const rule: Mutable = {} as Mutable
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const action = ACTIONS[word]
    if (word === 'not') rule.inverted = true
    else if (action !== undefined) {
      if (rule.action !== undefined) return null
      rule.action = action
    } else {
      const value = words.shift()
      if (value === undefined || READERS[word]?.(rule, value) !== true) return null
    }
  }
  const action: RuleAction = rule.action ?? 'table'
  if (action !== 'table' && rule.suppressPrefixLength !== undefined) return null
  return { ...rule, action, ...(action === 'table' ? { table: rule.table ?? 254 } : {}) }
}
