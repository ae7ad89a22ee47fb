import type { World } from '@softnet/ecs'
import type { NftStatement } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'
import { netRows } from '../netns/net-row.js'
import {
  NF_HOOKS,
  NfCpu,
  NfHook,
  NfHookEntry,
  NftChain,
  NftCounter,
  NftElement,
  NftExpr,
  NftLimit,
  NftRule,
  NftRuleCount,
  SkbNf,
} from './components.js'
import { declareConntrack, fillConntrack } from './conntrack-build.js'
import { NatRange } from './conntrack-components.js'
import { hasNetfilter, hookRow, type NetfilterPlan, type PlannedHost, planNetfilter } from './plan-netfilter.js'
import type { Element, Expr } from './program.js'

const NS_PER_SEC = 1_000_000_000

/** Declares the tables of netfilter, if any host has rules. `skbRows` is the number of packet rows. */
export function declareNetfilter(world: World, layout: Layout, skbRows: number): void {
  if (!hasNetfilter(layout)) return
  const plan = planNetfilter(layout)
  world.pool(NfHook, layout.nets.length * NF_HOOKS)
  world.pool(NfHookEntry, plan.entries)
  world.pool(NftChain, plan.chains)
  world.pool(NftRule, plan.rules)
  world.pool(NftExpr, plan.exprs)
  world.pool(NftElement, plan.elements)
  world.pool(NftLimit, plan.limits)
  world.pool(NftCounter, layout.cpuRows * plan.counters)
  world.pool(NftRuleCount, layout.cpuRows * (plan.rules + 1))
  world.pool(NfCpu, netRows(layout))
  world.pool(SkbNf, skbRows)
  declareConntrack(world, layout, plan, skbRows)
}

/** Writes the rule programs of all hosts; after `freeze`. */
export function fillNetfilter(world: World, layout: Layout): void {
  if (!hasNetfilter(layout)) return
  const plan = planNetfilter(layout)
  fillHooks(world, plan)
  const writer = new ProgramWriter(world, layout, plan)
  for (const host of plan.hosts) writer.host(host)
  fillConntrack(world, layout, plan)
}

function fillHooks(world: World, plan: NetfilterPlan): void {
  const hook = world.columns(NfHook)
  const entry = world.columns(NfHookEntry)
  let at = 1
  for (const { host, hooks, nats } of plan.hosts) {
    hooks.forEach((entries, number) => {
      const row = hookRow(host.index, number)
      hook.firstEntry[row] = at
      hook.entries[row] = entries.length
      for (const { kind, chain } of entries) {
        entry.kind[at] = kind
        entry.chain[at++] = chain
      }
      hook.firstNat[row] = at
      hook.nats[row] = nats[number]?.length ?? 0
      for (const { chain } of nats[number] ?? []) entry.chain[at++] = chain
    })
  }
}

/** Writes chains, rules and expressions to their rows. */
class ProgramWriter {
  readonly #world: World
  readonly #firstCpu: number
  readonly #counters: number
  #element = 1
  #limit = 1
  #counter = 0
  #range = 1

  constructor(world: World, layout: Layout, plan: NetfilterPlan) {
    this.#world = world
    this.#firstCpu = layout.cpus[0] ?? 0
    this.#counters = plan.counters
  }

  host(host: PlannedHost): void {
    const chain = this.#world.columns(NftChain)
    const rule = this.#world.columns(NftRule)
    for (const planned of host.chains) {
      chain.firstRule[planned.row] = planned.firstRule
      chain.rules[planned.row] = planned.rules.length
      chain.policyDrop[planned.row] = planned.source.chain.base?.policy === 'drop' ? 1 : 0
      chain.policyRule[planned.row] = planned.policyRule
      for (const { row, firstExpr, exprs } of planned.rules) {
        rule.firstExpr[row] = firstExpr
        rule.exprs[row] = exprs.length
        exprs.forEach((expr, index) => {
          this.#expr(firstExpr + index, expr, host)
        })
      }
    }
  }

  #expr(row: number, expr: Expr, host: PlannedHost): void {
    const e = this.#world.columns(NftExpr)
    const chainRow = (chain: number): number => (chain < 0 ? 0 : host.firstChain + chain)
    e.op[row] = expr.op
    e.field[row] = expr.field
    e.inverted[row] = expr.inverted
    e.mask[row] = expr.mask
    e.low[row] = expr.low
    e.high[row] = expr.high
    e.verdict[row] = expr.verdict
    e.chain[row] = chainRow(expr.chain)
    e.cycles[row] = expr.cycles
    e.moreCycles[row] = expr.moreCycles
    e.arg[row] = expr.arg
    e.firstElement[row] = this.#element
    e.elements[row] = expr.elements.length
    for (const element of expr.elements) this.#writeElement(element, chainRow(element.chain))
    if (expr.limit !== null) e.arg[row] = this.#writeLimit(expr.limit)
    if (expr.nat !== null) e.arg[row] = this.#writeRange(expr.nat)
    if (expr.counter !== null) e.arg[row] = this.#writeCounter(expr.counter)
  }

  #writeElement({ low, high, verdict }: Element, chain: number): void {
    const columns = this.#world.columns(NftElement)
    columns.low[this.#element] = low
    columns.high[this.#element] = high
    columns.verdict[this.#element] = verdict
    columns.chain[this.#element] = chain
    this.#element++
  }

  #writeRange(nat: Extract<NftStatement, { kind: 'nat' }>): number {
    const columns = this.#world.columns(NatRange)
    const row = this.#range++
    const { address, port } = nat
    columns.destination[row] = nat.nat === 'dnat' || nat.nat === 'redirect' ? 1 : 0
    const own = nat.nat === 'redirect' || nat.nat === 'masquerade'
    columns.addresses[row] = own ? 2 : address === null ? 0 : 1
    columns.firstAddress[row] = address?.from ?? 0
    columns.lastAddress[row] = address?.to ?? 0
    columns.hasPorts[row] = port === null ? 0 : 1
    columns.firstPort[row] = port?.from ?? 0
    columns.lastPort[row] = port?.to ?? 0
    columns.random[row] = nat.random ? 1 : 0
    columns.persistent[row] = nat.persistent ? 1 : 0
    return row
  }

  /** A counter may start above zero; what it starts with is put on the first CPU. */
  #writeCounter(counter: Extract<NftStatement, { kind: 'counter' }>): number {
    const { packets, bytes } = this.#world.columns(NftCounter)
    const number = this.#counter++
    const row = 1 + this.#firstCpu * this.#counters + number
    packets[row] = counter.packets
    bytes[row] = counter.bytes
    return number
  }

  /** Kernel: net/netfilter/nft_limit.c, nft_limit_init, nft_limit_pkts_init */
  #writeLimit(limit: Extract<NftStatement, { kind: 'limit' }>): number {
    const columns = this.#world.columns(NftLimit)
    const row = this.#limit++
    const unitNs = limit.unitSec * NS_PER_SEC
    const costNs = Math.floor(unitNs / limit.rate)
    const bytesNs = (BigInt(unitNs) * (BigInt(limit.rate) + BigInt(limit.burst))) / BigInt(limit.rate)
    columns.maxNs[row] = limit.of === 'packets' ? costNs * limit.burst : Number(bytesNs)
    columns.tokensNs[row] = columns.maxNs[row]
    columns.costNs[row] = limit.of === 'packets' ? costNs : 0
    columns.unitNs[row] = limit.of === 'packets' ? 0 : unitNs
    columns.rate[row] = limit.rate
    columns.over[row] = limit.over ? 1 : 0
    return row
  }
}
