import type { World } from '@softnet/ecs'
import type { RulePlan } from '@softnet/scenario/plan'
import { interfaceNamed } from '../build/host-interfaces.js'
import type { HostLayout, Layout } from '../build/layout.js'
import { FibRoot, FibRule, RULE, TABLE } from './components.js'

/** A rule with its place. */
type PlacedRule = RulePlan & { readonly priority: number }

const LOCAL_PRIORITY = 0
const MAIN_PRIORITY = 32_766
const LAST_PRIORITY = 32_767
/** A rule that matches packets the host itself sends. */
const OWN = -1

/** All rules of a namespace in order, none where only the usual ones are there. Kernel: net/ipv4/fib_rules.c, fib_default_rules_init */
export function hostRules(host: Pick<HostLayout, 'plan'>): readonly PlacedRule[] {
  const { rules = [] } = host.plan
  if (rules.length === 0) return []
  const placed: PlacedRule[] = [
    { action: 'table', table: TABLE.local, priority: LOCAL_PRIORITY },
    { action: 'table', table: TABLE.main, priority: MAIN_PRIORITY },
    { action: 'table', table: TABLE.fallback, priority: LAST_PRIORITY },
  ]
  for (const rule of rules) {
    // Without one it goes in front of the second rule. Kernel: net/core/fib_rules.c, fib_default_rule_pref
    const priority = rule.priority ?? Math.max(0, (placed[1] as PlacedRule).priority - 1)
    const at = placed.findIndex((each) => each.priority > priority)
    placed.splice(at < 0 ? placed.length : at, 0, { ...rule, priority })
  }
  return placed
}

/** Declares the rules of all namespaces. */
export function declareRules(world: World, layout: Layout): void {
  const count = layout.nets.reduce((sum, net) => sum + hostRules(net).length, 0)
  world.pool(FibRule, Math.max(1, count))
}

/** Enters the rules of a namespace; `rootOf` names the trie of a table. */
export function fillRules(world: World, net: HostLayout, rootOf: (table: number) => number): void {
  const placed = hostRules(net)
  const { firstRule, ruleCount } = world.columns(FibRoot)
  const first = 1 + ruleCount.subarray(0, net.index + 1).reduce((sum, count) => sum + count, 0)
  firstRule[net.index + 1] = first
  ruleCount[net.index + 1] = placed.length
  const deviceOf = (name: string | undefined) => (name === undefined ? 0 : interfaceNamed(net, name))
  placed.forEach((rule, i) => {
    fillRule(world, first + i, rule, rootOf)
    const rules = world.columns(FibRule)
    rules.iif[first + i] = rule.iif === 'lo' ? OWN : deviceOf(rule.iif)
    rules.oif[first + i] = rule.oif === 'lo' ? net.loopback : deviceOf(rule.oif)
    const target = rule.action === 'goto' ? placed.findIndex((each) => each.priority === rule.target) : -1
    rules.target[first + i] = target < 0 ? 0 : first + target
  })
}

function fillRule(world: World, row: number, rule: PlacedRule, rootOf: (table: number) => number): void {
  const rules = world.columns(FibRule)
  rules.inverted[row] = rule.inverted === true ? 1 : 0
  rules.from[row] = rule.from?.[0] ?? 0
  rules.fromBits[row] = rule.from?.[1] ?? 0
  rules.to[row] = rule.to?.[0] ?? 0
  rules.toBits[row] = rule.to?.[1] ?? 0
  rules.tos[row] = rule.tos ?? 0
  rules.mark[row] = (rule.mark ?? 0) & (rule.markMask ?? 0)
  rules.markMask[row] = rule.markMask ?? 0
  rules.protocol[row] = rule.protocol ?? 0
  rules.sportFirst[row] = rule.sport?.[0] ?? 0
  rules.sportLast[row] = rule.sport?.[1] ?? 0
  rules.dportFirst[row] = rule.dport?.[0] ?? 0
  rules.dportLast[row] = rule.dport?.[1] ?? 0
  rules.action[row] = RULE[rule.action]
  rules.node[row] = rule.table === undefined ? 0 : rootOf(rule.table)
  rules.suppressBits[row] = rule.suppressPrefixLength ?? -1
}
