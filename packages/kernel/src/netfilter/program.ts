/** From rulesets as data to rows of the rule program; pure, the same plan gives the same program on every worker. */
import {
  type NetfilterCost,
  NFT_KEYS,
  type NftChain,
  type NftElement,
  type NftKey,
  type NftMatch,
  type NftRule,
  type NftRuleset,
  type NftStatement,
  type NftTable,
  type NftVerdict,
  prefixLength,
} from '@softnet/scenario/plan'
import { NFT_FIELD, NFT_OP, NFT_SET, NFT_VERDICT } from './components.js'

/** Expression of the program, with the columns of `NftExpr`. */
export interface Expr {
  op: number
  field: number
  inverted: number
  mask: number
  low: number
  high: number
  elements: readonly Element[]
  arg: number
  verdict: number
  /** Position of the chain it goes to, −1 for none. */
  chain: number
  cycles: number
  moreCycles: number
  limit: Extract<NftStatement, { kind: 'limit' }> | null
  counter: Extract<NftStatement, { kind: 'counter' }> | null
  nat: Extract<NftStatement, { kind: 'nat' }> | null
}

/** Element of a set or verdict map. */
export interface Element {
  readonly low: number
  readonly high: number
  readonly verdict: number
  readonly chain: number
}

/** A chain of the program; positions count over all tables of the host. */
export interface ProgramChain {
  readonly table: NftTable
  readonly chain: NftChain
  readonly rules: readonly (readonly Expr[])[]
}

/** What a program is made against. */
export interface ProgramContext {
  /** Cycles of one unit. */
  readonly cycles: (cost: NetfilterCost) => number
  /** Device entities that a name (with `*` at its end) stands for; 0 is the loopback device. */
  readonly devices: (name: string) => readonly number[]
}

const FIELDS: Readonly<Record<NftKey, number>> = {
  'ip saddr': NFT_FIELD.saddr,
  'ip daddr': NFT_FIELD.daddr,
  'ip protocol': NFT_FIELD.l4proto,
  'ip ttl': NFT_FIELD.ttl,
  'ip dscp': NFT_FIELD.dscp,
  'ip length': NFT_FIELD.ipLength,
  'udp sport': NFT_FIELD.sport,
  'udp dport': NFT_FIELD.dport,
  'udp length': NFT_FIELD.udpLength,
  'tcp sport': NFT_FIELD.sport,
  'tcp dport': NFT_FIELD.dport,
  'tcp flags': NFT_FIELD.tcpFlags,
  'th sport': NFT_FIELD.sport,
  'th dport': NFT_FIELD.dport,
  'icmp type': NFT_FIELD.icmpType,
  'icmp code': NFT_FIELD.icmpCode,
  'ether saddr': NFT_FIELD.etherSource,
  'ether daddr': NFT_FIELD.etherDest,
  'meta l4proto': NFT_FIELD.l4proto,
  'meta nfproto': NFT_FIELD.nfproto,
  'meta length': NFT_FIELD.length,
  'meta mark': NFT_FIELD.mark,
  'meta pkttype': NFT_FIELD.packetType,
  'meta iifname': NFT_FIELD.iif,
  'meta oifname': NFT_FIELD.oif,
  'meta iif': NFT_FIELD.iif,
  'meta oif': NFT_FIELD.oif,
  'ct state': NFT_FIELD.ctState,
  'ct direction': NFT_FIELD.ctDirection,
  'ct mark': NFT_FIELD.ctMark,
}

const TRANSPORT: Readonly<Record<string, number>> = { udp: 17, tcp: 6, icmp: 1 }
const NFPROTO_IPV4 = 2
const ARPHRD_ETHER = 1
const ALL = 2 ** 48
const PREFIX_BYTE_BITS = [8, 16]
const SHORT_PREFIX_BITS = 24

function expr(op: number, values: Partial<Expr> = {}): Expr {
  return {
    op,
    field: 0,
    inverted: 0,
    mask: 0,
    low: 0,
    high: 0,
    elements: [],
    arg: 0,
    verdict: 0,
    chain: -1,
    cycles: 0,
    moreCycles: 0,
    limit: null,
    counter: null,
    nat: null,
    ...values,
  }
}

/** Chains of a ruleset as expressions, in the order of tables and chains. */
export function compileProgram(ruleset: NftRuleset, context: ProgramContext): ProgramChain[] {
  const positions = new Map<string, number>()
  for (const table of ruleset.tables) {
    for (const chain of table.chains) positions.set(`${table.family} ${table.name} ${chain.name}`, positions.size)
  }
  return ruleset.tables.flatMap((table) => {
    const compiler = new RuleCompiler(table, context, (name) => {
      return positions.get(`${table.family} ${table.name} ${name}`) ?? -1
    })
    return table.chains.map((chain) => ({ table, chain, rules: chain.rules.map((rule) => compiler.rule(rule)) }))
  })
}

/** Compiles the rules of one table. */
class RuleCompiler {
  readonly #table: NftTable
  readonly #context: ProgramContext
  readonly #chainAt: (name: string) => number
  /** What is known of the packet by the rule so far: nft does not ask twice. */
  #known = new Set<string>()

  constructor(table: NftTable, context: ProgramContext, chainAt: (name: string) => number) {
    this.#table = table
    this.#context = context
    this.#chainAt = chainAt
  }

  rule(rule: NftRule): Expr[] {
    this.#known = new Set()
    return rule.statements.flatMap((statement) => this.#statement(statement))
  }

  #cost(...costs: readonly NetfilterCost[]): number {
    return costs.reduce((sum, cost) => sum + this.#context.cycles(cost), 0)
  }

  #statement(statement: NftStatement): Expr[] {
    switch (statement.kind) {
      case 'match':
        return [...this.#dependencies(statement.key), this.#match(statement)]
      case 'vmap':
        return [...this.#dependencies(statement.key), this.#vmap(statement)]
      case 'counter':
        return [expr(NFT_OP.counter, { counter: statement, cycles: this.#cost('counter') })]
      case 'limit':
        return [expr(NFT_OP.limit, { limit: statement, cycles: this.#cost('limit') })]
      case 'verdict':
        return [
          expr(NFT_OP.verdict, { ...this.#verdict(statement.verdict), cycles: this.#verdictCost(statement.verdict) }),
        ]
      case 'reject':
        return [
          expr(NFT_OP.reject, {
            arg: statement.with.kind === 'icmp' ? statement.with.code : -1,
            cycles: this.#cost('reject'),
          }),
        ]
      case 'set':
        return [this.#set(statement)]
      case 'nat':
        return [expr(NFT_OP.nat, { nat: statement, cycles: this.#cost('immediate') })]
      case 'notrack':
        return [expr(NFT_OP.notrack, { cycles: this.#cost('set') })]
    }
  }

  #set(statement: Extract<NftStatement, { kind: 'set' }>): Expr {
    const { key, value } = statement
    const toCt = key === 'ct mark'
    const copies = typeof value === 'string'
    const arg = copies ? (toCt ? NFT_SET.ctFromMeta : NFT_SET.metaFromCt) : toCt ? NFT_SET.ct : NFT_SET.meta
    const cycles = this.#cost(copies ? 'meta' : 'immediate', 'set')
    return expr(NFT_OP.setMark, { arg, low: copies ? 0 : value, cycles })
  }

  #verdict(verdict: NftVerdict): { verdict: number; chain: number } {
    return { verdict: NFT_VERDICT[verdict.kind], chain: 'chain' in verdict ? this.#chainAt(verdict.chain) : -1 }
  }

  #verdictCost(verdict: NftVerdict): number {
    if ('chain' in verdict) return this.#cost('immediate', 'jump')
    return verdict.kind === 'return' ? this.#cost('return') : this.#cost('immediate')
  }

  /** Matches that a field needs before it, as nft adds them. */
  #dependencies(key: NftKey): Expr[] {
    const { dependency } = NFT_KEYS[key]
    const needed: Expr[] = []
    const ask = (name: string, field: number, value: number): void => {
      if (this.#known.has(name)) return
      this.#known.add(name)
      needed.push(expr(NFT_OP.range, { field, low: value, high: value, cycles: this.#cost('meta', 'cmp') }))
    }
    const inet = this.#table.family === 'inet'
    if (inet && (dependency === 'ipv4' || dependency === 'icmp')) ask('ipv4', NFT_FIELD.nfproto, NFPROTO_IPV4)
    const protocol = TRANSPORT[dependency]
    if (protocol !== undefined) ask(`l4 ${protocol}`, NFT_FIELD.l4proto, protocol)
    if (dependency === 'ethernet') ask('ethernet', NFT_FIELD.iifType, ARPHRD_ETHER)
    return needed
  }

  #learn(match: NftMatch): void {
    if (match.operator !== '==' || match.operand.kind !== 'value' || 'name' in match.operand.element) return
    const { from, to } = match.operand.element
    if (from !== to) return
    if (match.key === 'meta l4proto' || match.key === 'ip protocol') this.#known.add(`l4 ${from}`)
    if (match.key === 'meta nfproto' && from === NFPROTO_IPV4) this.#known.add('ipv4')
  }

  #match(match: NftMatch): Expr {
    this.#learn(match)
    const { key, operator, operand } = match
    const field = FIELDS[key]
    const inverted = operator === '!=' ? 1 : 0
    const load = this.#loadCost(key)
    if (operand.kind !== 'value') {
      const elements = operand.kind === 'set' ? operand.elements : this.#named(operand.set)
      const interval = operand.kind === 'set' ? operand.interval : this.#isInterval(operand.set)
      return expr(NFT_OP.lookup, {
        field,
        inverted,
        elements: this.#elements(elements),
        cycles: load + this.#lookupCost(key, interval, elements.length, false),
      })
    }
    if (operator === 'flags') {
      const mask = 'from' in operand.element ? operand.element.from : 0
      return expr(NFT_OP.bits, { field, mask, cycles: load + this.#cost('bitwise', 'cmp') })
    }
    const [only, ...more] = this.#elements([operand.element])
    if (only === undefined || more.length > 0) {
      // A name that stands for no device, or for several, is looked up among them.
      const elements = this.#elements([operand.element])
      return expr(NFT_OP.lookup, { field, inverted, elements, cycles: load + this.#cost('cmp') })
    }
    return this.#range(match, only, load)
  }

  #range(match: NftMatch, { low, high }: Element, load: number): Expr {
    const { key, operator, mask } = match
    const field = FIELDS[key]
    const base = { field, mask: mask ?? 0 }
    const bitwise = mask === null ? 0 : this.#cost('bitwise')
    if (operator === '<') return expr(NFT_OP.range, { ...base, high: low - 1, cycles: load + this.#cost('cmp_slow') })
    if (operator === '<=') return expr(NFT_OP.range, { ...base, high: low, cycles: load + this.#cost('cmp_slow') })
    if (operator === '>' || operator === '>=') {
      const from = operator === '>' ? low + 1 : low
      return expr(NFT_OP.range, { ...base, low: from, high: ALL, cycles: load + this.#cost('cmp_slow') })
    }
    const inverted = operator === '!=' ? 1 : 0
    const whole = { ...base, inverted, low, high }
    if (low === high) return expr(NFT_OP.range, { ...whole, cycles: load + bitwise + this.#cost('cmp') })
    const bits = NFT_KEYS[key].type === 'ipv4_addr' ? prefixLength(low, high) : -1
    if (bits >= 0) return expr(NFT_OP.range, { ...whole, cycles: this.#prefixCost(bits) })
    if (inverted === 1) return expr(NFT_OP.range, { ...whole, cycles: load + this.#cost('range') })
    return expr(NFT_OP.range, {
      ...whole,
      cycles: load + this.#cost('cmp_slow'),
      moreCycles: this.#cost('cmp_slow'),
    })
  }

  /** A prefix of whole bytes is loaded as so many bytes; another is cut by a mask. */
  #prefixCost(bits: number): number {
    if (bits === SHORT_PREFIX_BITS) return this.#cost('payload_slow', 'cmp')
    if (bits === PREFIX_BYTE_BITS[0]) return this.#cost('payload_byte', 'cmp')
    if (bits === PREFIX_BYTE_BITS[1]) return this.#cost('payload', 'cmp')
    return this.#cost('payload', 'bitwise', 'cmp')
  }

  #vmap(map: Extract<NftStatement, { kind: 'vmap' }>): Expr {
    const elements = map.entries.flatMap(({ element, verdict }) => {
      const target = this.#verdict(verdict)
      return this.#elements([element]).map((each) => ({ ...each, ...target }))
    })
    const interval = map.entries.some(({ element }) => 'from' in element && element.from !== element.to)
    const load = this.#loadCost(map.key)
    return expr(NFT_OP.vmap, {
      field: FIELDS[map.key],
      elements: elements.sort((a, b) => a.low - b.low),
      cycles: load + this.#lookupCost(map.key, interval, elements.length, true),
      moreCycles: this.#cost('jump'),
    })
  }

  #named(name: string): readonly NftElement[] {
    return this.#table.sets.find((set) => set.name === name)?.elements ?? []
  }

  #isInterval(name: string): boolean {
    return this.#table.sets.find((set) => set.name === name)?.interval ?? false
  }

  /** Elements as numbers; names become the entities of the devices they stand for. */
  #elements(elements: readonly NftElement[]): Element[] {
    const none = { verdict: 0, chain: -1 }
    const all = elements.flatMap((element) =>
      'name' in element
        ? this.#context.devices(element.name).map((device) => ({ low: device, high: device, ...none }))
        : [{ low: element.from, high: element.to, ...none }],
    )
    const sorted = all.sort((a, b) => a.low - b.low)
    return sorted.filter((each, index) => index === 0 || each.low !== sorted[index - 1]?.low)
  }

  #loadCost(key: NftKey): number {
    const { type, dependency } = NFT_KEYS[key]
    if (type === 'ifname') return this.#cost('meta_ifname')
    if (key === 'meta length') return this.#cost('meta', 'byteorder')
    if (key === 'ip dscp') return this.#cost('payload_byte', 'bitwise')
    if (dependency === 'ethernet') return this.#cost('payload_slow')
    if (dependency === 'none') return this.#cost('meta')
    const short = ['ip protocol', 'ip ttl', 'tcp flags', 'icmp type', 'icmp code'].includes(key)
    return this.#cost(short ? 'payload_byte' : 'payload')
  }

  #lookupCost(key: NftKey, interval: boolean, elements: number, map: boolean): number {
    const { type } = NFT_KEYS[key]
    if (interval) {
      const levels = Math.log2(Math.max(2, 2 * elements))
      return this.#cost('lookup_rbtree') + levels * this.#cost('lookup_rbtree_level')
    }
    if (type === 'ifname') return this.#cost('lookup_hash_name')
    const small = type !== 'ipv4_addr' && type !== 'mark' && type !== 'ether_addr' && type !== 'iface_index'
    return this.#cost(small && !map ? 'lookup_bitmap' : 'lookup_hash')
  }
}
