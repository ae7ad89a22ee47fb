/** Where everything of netfilter lies: rows of hooks, chains, rules and expressions of all hosts. Pure. */
import { type CostProfile, costProfile, NFT_HOOKS, type NftHook, type NftRuleset } from '@softnet/scenario'
import type { HostLayout, Layout } from '../build/layout.js'
import { NF_ENTRY, NF_HOOKS, NFT_OP } from './components.js'
import { compileProgram, type Expr, type ProgramChain } from './program.js'

/** An entry of a hook. */
export interface PlannedEntry {
  /** One of `NF_ENTRY`. */
  readonly kind: number
  readonly priority: number
  /** Row of `NftChain`, 0 for none. */
  readonly chain: number
}

/** A rule with the rows of what it holds. */
export interface PlannedRule {
  readonly row: number
  readonly firstExpr: number
  readonly exprs: readonly Expr[]
  /** Number of its first counter; the others follow. */
  readonly firstCounter: number
}

/** A chain with its rows. */
export interface PlannedChain {
  readonly row: number
  readonly source: ProgramChain
  readonly firstRule: number
  readonly rules: readonly PlannedRule[]
  readonly policyRule: number
}

/** Hooks and chains of one host. */
export interface PlannedHost {
  readonly host: HostLayout
  /** By number of the hook. */
  readonly hooks: readonly (readonly PlannedEntry[])[]
  readonly chains: readonly PlannedChain[]
  /** Row of the host's first chain, from which expressions count. */
  readonly firstChain: number
}

/** Rows of all hosts. */
export interface NetfilterPlan {
  readonly hosts: readonly PlannedHost[]
  readonly entries: number
  readonly chains: number
  readonly rules: number
  readonly exprs: number
  readonly elements: number
  readonly counters: number
  readonly limits: number
}

/** Whether a host of the layout has a ruleset: without one no table is declared and no packet pays anything. */
export function hasNetfilter(layout: Layout): boolean {
  return layout.plan.hosts.some((host) => (host.nftables ?? null) !== null)
}

/** Device entities by name, with `*` at its end for all that begin so; the loopback device is 0. */
function devicesNamed(host: HostLayout, name: string): number[] {
  const all: [string, number][] = [['lo', 0]]
  for (const { plan, device } of host.devices) {
    all.push([plan.name, device])
    plan.vlans.forEach((vlan, index) => {
      all.push([`${plan.name}.${vlan}`, device + 1 + index])
    })
  }
  const start = name.endsWith('*') ? name.slice(0, -1) : null
  return all.filter(([each]) => (start === null ? each === name : each.startsWith(start))).map(([, device]) => device)
}

/**
 * Entries of a hook in the order in which they are called: by priority, and of equal priority the one that was
 * registered last comes first. Kernel: net/netfilter/core.c, nf_hook_entries_grow
 */
function hookEntries(chains: readonly PlannedChain[], hook: NftHook): PlannedEntry[] {
  const entries: PlannedEntry[] = []
  for (const { row, source } of chains) {
    const { base } = source.chain
    if (base?.hook === hook) entries.unshift({ kind: NF_ENTRY.chain, priority: base.priority, chain: row })
  }
  return entries.sort((a, b) => a.priority - b.priority)
}

/** Rows handed out so far, all from 1. */
interface Cursor {
  chain: number
  rule: number
  expr: number
  counter: number
}

function placeChain(source: ProgramChain, at: Cursor): PlannedChain {
  const row = at.chain++
  const firstRule = at.rule
  const rules = source.rules.map((exprs): PlannedRule => {
    const planned = { row: at.rule++, firstExpr: at.expr, exprs, firstCounter: at.counter }
    at.expr += exprs.length
    at.counter += exprs.filter(({ op }) => op === NFT_OP.counter).length
    return planned
  })
  return { row, source, firstRule, rules, policyRule: at.rule++ }
}

function planHost(host: HostLayout, profile: CostProfile, at: Cursor): PlannedHost {
  const ruleset: NftRuleset = host.plan.nftables ?? { tables: [] }
  const firstChain = at.chain
  const program = compileProgram(ruleset, {
    cycles: (cost) => profile.netfilter[cost].cycles,
    devices: (name) => devicesNamed(host, name),
  })
  const chains = program.map((chain) => placeChain(chain, at))
  return { host, hooks: NFT_HOOKS.map((hook) => hookEntries(chains, hook)), chains, firstChain }
}

/** Gives every rule of every host its rows. */
export function planNetfilter(layout: Layout): NetfilterPlan {
  const profile = costProfile(layout.plan.profile)
  const at: Cursor = { chain: 1, rule: 1, expr: 1, counter: 0 }
  const hosts = layout.hosts.map((host) => planHost(host, profile, at))
  const exprs = hosts.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules.flatMap((rule) => rule.exprs)))
  return {
    hosts,
    entries: hosts.reduce((sum, { hooks }) => sum + hooks.flat().length, 0),
    chains: at.chain - 1,
    rules: at.rule - 1,
    exprs: at.expr - 1,
    counters: at.counter,
    elements: exprs.reduce((sum, { elements }) => sum + elements.length, 0),
    limits: exprs.filter(({ limit }) => limit !== null).length,
  }
}

/** Row of the first entry of a hook in `NfHook`. */
export function hookRow(host: number, hook: number): number {
  return 1 + host * NF_HOOKS + hook
}
