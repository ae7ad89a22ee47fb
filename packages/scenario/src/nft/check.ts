/** Checks of a ruleset that need all of its tables: where verdicts lead, and what may stand in which chain. */
import type { Cursor } from './cursor.js'
import type { ChainDraft, RuleDraft, TableDraft } from './draft.js'
import { NFT_KEYS, type NftKey } from './keys.js'
import { PRIORITY_CONNTRACK } from './priority.js'
import type { NftHook, NftStatement, NftVerdict } from './ruleset.js'

/** Chains that may be on the way at once. Kernel: include/net/netfilter/nf_tables.h, NFT_JUMP_STACK_SIZE */
const JUMP_STACK_SIZE = 16

const NAT_HOOKS: Readonly<Record<string, readonly NftHook[]>> = {
  dnat: ['prerouting', 'output'],
  redirect: ['prerouting', 'output'],
  snat: ['postrouting', 'input'],
  masquerade: ['postrouting'],
}
const REJECT_HOOKS: readonly NftHook[] = ['prerouting', 'input', 'forward', 'output']

/** Records every fault of the tables. */
export function checkTables(cursor: Cursor, tables: readonly TableDraft[]): void {
  for (const table of tables) {
    for (const chain of table.chains) for (const rule of chain.rules) checkRule(cursor, table, rule)
    checkLoops(cursor, table)
    for (const chain of table.chains) checkPlaces(cursor, table, chain)
  }
}

function verdictsOf(statement: NftStatement): NftVerdict[] {
  if (statement.kind === 'verdict') return [statement.verdict]
  return statement.kind === 'vmap' ? statement.entries.map((entry) => entry.verdict) : []
}

/** Chains that a rule can go on in. */
function targets(rule: RuleDraft): string[] {
  return rule.statements.flatMap((each) =>
    verdictsOf(each).flatMap((verdict) => ('chain' in verdict ? [verdict.chain] : [])),
  )
}

function checkRule(cursor: Cursor, table: TableDraft, rule: RuleDraft): void {
  const named = rule.statements.flatMap((each) => {
    const dependency = each.kind === 'match' || each.kind === 'vmap' ? NFT_KEYS[each.key].dependency : 'none'
    return dependency === 'tcp' || dependency === 'udp' || dependency === 'icmp' ? [dependency] : []
  })
  for (const name of targets(rule)) {
    const target = table.findChain(name)
    const plain = table.chains.filter((chain) => chain.base === null).map((chain) => chain.name)
    if (target === undefined || target.base !== null) {
      const what = target === undefined ? `\`${name}\` is none` : `\`${name}\` is a base chain`
      cursor.fault(rule.token, `a rule that goes to a chain of table ${table.name} without hook; ${what}`, plain)
    }
  }
  for (const each of rule.statements) {
    if (each.kind === 'match' && each.operand.kind === 'named')
      checkNamed(cursor, table, rule, each.key, each.operand.set)
  }
  const spoken = [...new Set(named)]
  if (spoken.length > 1) {
    cursor.fault(rule.token, `one transport protocol in a rule; ${spoken.join(' and ')} cannot both hold`)
  }
  const reset = rule.statements.some((each) => each.kind === 'reject' && each.with.kind === 'tcp reset')
  if (reset && !transports(rule).includes('tcp')) {
    cursor.fault(rule.token, 'a rule that matches tcp before `reject with tcp reset`')
  }
  const ports = rule.statements.some((each) => each.kind === 'nat' && each.port !== null)
  if (ports && transports(rule).length === 0) {
    cursor.fault(rule.token, 'a rule that matches tcp or udp before a port is translated')
  }
}

/** Transport protocols that a rule is about. */
function transports(rule: RuleDraft): string[] {
  return rule.statements.flatMap((each) => {
    if (each.kind !== 'match' && each.kind !== 'vmap') return []
    const { dependency } = NFT_KEYS[each.key]
    if (dependency === 'tcp' || dependency === 'udp') return [dependency]
    if (each.key !== 'meta l4proto' && each.key !== 'ip protocol') return []
    const text = JSON.stringify(each.kind === 'match' ? each.operand : each.entries)
    return [...(text.includes('"from":6,') ? ['tcp'] : []), ...(text.includes('"from":17,') ? ['udp'] : [])]
  })
}

function checkNamed(cursor: Cursor, table: TableDraft, rule: RuleDraft, key: NftKey, name: string): void {
  const set = table.findSet(name)
  const { type } = NFT_KEYS[key]
  if (set?.type === type) return
  const what = set === undefined ? 'there is none of that name' : `it holds ${set.type}`
  cursor.fault(rule.token, `a set of table ${table.name} with type ${type} behind \`${key}\`: @${name}, ${what}`)
}

/** Going in circles, or deeper than the kernel's stack, is refused when a ruleset is loaded. */
function checkLoops(cursor: Cursor, table: TableDraft): void {
  const depth = new Map<string, number>()
  const walk = (chain: ChainDraft, above: readonly string[]): number => {
    const known = depth.get(chain.name)
    if (known !== undefined) return known
    let deepest = 0
    for (const rule of chain.rules) {
      for (const name of targets(rule)) {
        const target = table.findChain(name)
        if (target === undefined) continue
        if (name === chain.name || above.includes(name)) {
          cursor.fault(rule.token, `a rule that leads out of the chain: \`${name}\` is on the way to itself`)
          continue
        }
        deepest = Math.max(deepest, 1 + walk(target, [...above, chain.name]))
      }
    }
    depth.set(chain.name, deepest)
    if (deepest >= JUMP_STACK_SIZE && chain.base !== null) {
      cursor.fault(chain.token, `chains that are at most ${JUMP_STACK_SIZE} jumps deep`)
    }
    return deepest
  }
  for (const chain of table.chains) walk(chain, [])
}

/** Statements that only some hooks allow, in the chain and in all chains it leads to. */
function checkPlaces(cursor: Cursor, table: TableDraft, base: ChainDraft): void {
  if (base.base === null) return
  const { hook, type, priority } = base.base
  const seen = new Set<string>()
  const visit = (chain: ChainDraft): void => {
    if (seen.has(chain.name)) return
    seen.add(chain.name)
    for (const rule of chain.rules) {
      for (const each of rule.statements) {
        if (each.kind === 'nat') {
          const hooks = NAT_HOOKS[each.nat] as readonly NftHook[]
          if (type !== 'nat' || !hooks.includes(hook)) {
            cursor.fault(
              rule.token,
              `${each.nat} in a chain of type nat at hook ${hooks.join(' or ')}, not in ${base.name}`,
            )
          }
        }
        if (each.kind === 'reject' && !REJECT_HOOKS.includes(hook)) {
          cursor.fault(rule.token, `reject at hook ${REJECT_HOOKS.join(', ')}, not in ${base.name}`)
        }
        const early = (hook === 'prerouting' || hook === 'output') && priority < PRIORITY_CONNTRACK
        if (each.kind === 'notrack' && !early) {
          cursor.fault(rule.token, `notrack at hook prerouting or output with a priority below ${PRIORITY_CONNTRACK}`)
        }
      }
      for (const name of targets(rule)) {
        const target = table.findChain(name)
        if (target !== undefined) visit(target)
      }
    }
  }
  visit(base)
}
