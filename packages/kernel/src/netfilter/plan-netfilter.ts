/** Where everything of netfilter lies: rows of hooks, chains, rules and expressions of all hosts. Pure. */
import {
  type CostProfile,
  costProfile,
  NFT_HOOKS,
  type NftHook,
  type NftRuleset,
  needsConntrack,
  PRIORITY_CONNTRACK,
} from '@softnet/scenario/plan'
import type { HostLayout, Layout } from '../build/layout.js'
import { NF_ENTRY, NF_HOOKS, NFT_OP } from './components.js'
import { compileProgram, type Expr, type ProgramChain } from './program.js'

const PRIORITY_DEFRAG = -400
const PRIORITY_NAT_DST = -100
const PRIORITY_NAT_SRC = 100
const PRIORITY_LAST = 2_147_483_647

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
  /** Base chains of type nat by number of the hook. */
  readonly nats: readonly (readonly PlannedEntry[])[]
  /** Whether connections are tracked. */
  readonly tracks: boolean
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
  readonly ranges: number
}

/** Whether a host of the layout has a ruleset: without one no table is declared and no packet pays anything. */
export function hasNetfilter(layout: Layout): boolean {
  return layout.nets.some(({ plan }) => (plan.nftables ?? null) !== null)
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
 * Chains of a type at a hook in the order in which they are called: by priority, and of equal priority the one that was
 * registered last comes first. Kernel: net/netfilter/core.c, nf_hook_entries_grow
 */
function chainEntries(chains: readonly PlannedChain[], hook: NftHook, type: 'filter' | 'nat'): PlannedEntry[] {
  const entries: PlannedEntry[] = []
  for (const { row, source } of chains) {
    const { base } = source.chain
    if (base?.hook === hook && base.type === type)
      entries.unshift({ kind: NF_ENTRY.chain, priority: base.priority, chain: row })
  }
  return entries.sort((a, b) => a.priority - b.priority)
}

/** What connection tracking and address translation add to a hook. Kernel: enum nf_ip_hook_priorities */
function ownEntries(hook: NftHook, translates: boolean): PlannedEntry[] {
  const receives = hook === 'prerouting' || hook === 'output'
  const leaves = hook === 'input' || hook === 'postrouting'
  const entries: PlannedEntry[] = []
  if (receives) entries.push({ kind: NF_ENTRY.defrag, priority: PRIORITY_DEFRAG, chain: 0 })
  if (receives) entries.push({ kind: NF_ENTRY.conntrack, priority: PRIORITY_CONNTRACK, chain: 0 })
  if (translates && receives) entries.push({ kind: NF_ENTRY.nat, priority: PRIORITY_NAT_DST, chain: 0 })
  if (translates && leaves) entries.push({ kind: NF_ENTRY.nat, priority: PRIORITY_NAT_SRC, chain: 0 })
  if (leaves) entries.push({ kind: NF_ENTRY.confirm, priority: PRIORITY_LAST, chain: 0 })
  return entries
}

function hookEntries(chains: readonly PlannedChain[], hook: NftHook, tracks: boolean): PlannedEntry[] {
  const translates = chains.some(({ source }) => source.chain.base?.type === 'nat')
  const own = tracks ? ownEntries(hook, translates) : []
  // The kernel's own functions are registered when the first rule needs them, so a chain of the same priority may stand
  // before or behind; here it stands behind.
  return [...own, ...chainEntries(chains, hook, 'filter')].sort((a, b) => a.priority - b.priority)
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
  const tracks = needsConntrack(ruleset)
  return {
    host,
    hooks: NFT_HOOKS.map((hook) => hookEntries(chains, hook, tracks)),
    nats: NFT_HOOKS.map((hook) => chainEntries(chains, hook, 'nat')),
    tracks,
    chains,
    firstChain,
  }
}

/** Gives every rule of every host its rows. */
export function planNetfilter(layout: Layout): NetfilterPlan {
  const profile = costProfile(layout.plan.profile)
  const at: Cursor = { chain: 1, rule: 1, expr: 1, counter: 0 }
  const hosts = layout.nets.map((host) => planHost(host, profile, at))
  const exprs = hosts.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules.flatMap((rule) => rule.exprs)))
  return {
    hosts,
    entries: hosts.reduce((sum, { hooks, nats }) => sum + hooks.flat().length + nats.flat().length, 0),
    chains: at.chain - 1,
    rules: at.rule - 1,
    exprs: at.expr - 1,
    counters: at.counter,
    elements: exprs.reduce((sum, { elements }) => sum + elements.length, 0),
    limits: exprs.filter(({ limit }) => limit !== null).length,
    ranges: exprs.filter(({ nat }) => nat !== null).length,
  }
}

/** Row of the first entry of a hook in `NfHook`. */
export function hookRow(host: number, hook: number): number {
  return 1 + host * NF_HOOKS + hook
}
