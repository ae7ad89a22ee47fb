/**
 * A ruleset of nf_tables as plain data: what `parseNft` makes of text in nft's language, and what the kernel's rule
 * program is made from.
 */
import type { NftKey } from './keys.js'
import type { NftTypeName } from './types.js'

/** Families a table may have. Kernel: include/uapi/linux/netfilter.h, NFPROTO_IPV4, NFPROTO_INET */
export type NftFamily = 'ip' | 'inet'

/** Hooks of IPv4. Kernel: include/uapi/linux/netfilter.h, enum nf_inet_hooks */
export type NftHook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'

/** Hooks in the order of their numbers. */
export const NFT_HOOKS: readonly NftHook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting']

/** Tables in the order in which they were added. */
export interface NftRuleset {
  readonly tables: readonly NftTable[]
}

export interface NftTable {
  readonly family: NftFamily
  readonly name: string
  readonly sets: readonly NftSet[]
  readonly chains: readonly NftChain[]
}

/** Values from `from` to `to`, both included; text for interface names, which may end in `*`. */
export type NftElement =
  | { readonly from: number; readonly to: number }
  /** Name of an interface, or the start of one before `*`. */
  | { readonly name: string }

/** A named set. */
export interface NftSet {
  readonly name: string
  readonly handle: number
  readonly type: NftTypeName
  readonly interval: boolean
  /** Sorted and without overlaps. */
  readonly elements: readonly NftElement[]
}

/** Where a base chain hangs. */
export interface NftBase {
  readonly type: 'filter' | 'nat'
  readonly hook: NftHook
  readonly priority: number
  readonly policy: 'accept' | 'drop'
}

export interface NftChain {
  readonly name: string
  readonly handle: number
  /** Null: reached by jump and goto only. */
  readonly base: NftBase | null
  readonly rules: readonly NftRule[]
}

export interface NftRule {
  readonly handle: number
  /** Line of the text it stands in, from 1. */
  readonly line: number
  readonly comment: string | null
  readonly statements: readonly NftStatement[]
}

/** How a field is compared. `flags`: any bit of the value is set. */
export type NftOperator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'flags'

/** What a field is compared with. */
export type NftOperand =
  | { readonly kind: 'value'; readonly element: NftElement }
  | { readonly kind: 'set'; readonly elements: readonly NftElement[]; readonly interval: boolean }
  | { readonly kind: 'named'; readonly set: string }

/** A verdict that ends a rule. Kernel: include/uapi/linux/netfilter/nf_tables.h, enum nft_verdicts */
export type NftVerdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }

/** A range of addresses or ports, both ends included. */
export interface NftRange {
  readonly from: number
  readonly to: number
}

/** How a rejected packet is answered. */
export type NftRejectWith = { readonly kind: 'icmp'; readonly code: number } | { readonly kind: 'tcp reset' }

/** One statement of a rule. */
export type NftStatement =
  | {
      readonly kind: 'match'
      readonly key: NftKey
      readonly operator: NftOperator
      /** Bits of the field that are compared; null: all. */
      readonly mask: number | null
      readonly operand: NftOperand
    }
  | {
      readonly kind: 'vmap'
      readonly key: NftKey
      readonly entries: readonly { readonly element: NftElement; readonly verdict: NftVerdict }[]
    }
  | { readonly kind: 'counter'; readonly packets: number; readonly bytes: number }
  | {
      readonly kind: 'limit'
      readonly over: boolean
      readonly rate: number
      /** Length of the rate's unit, seconds. */
      readonly unitSec: number
      readonly burst: number
      readonly of: 'packets' | 'bytes'
    }
  | { readonly kind: 'verdict'; readonly verdict: NftVerdict }
  | { readonly kind: 'reject'; readonly with: NftRejectWith; readonly written: 'plain' | 'icmp' | 'icmpx' }
  | {
      readonly kind: 'nat'
      readonly nat: 'snat' | 'dnat' | 'masquerade' | 'redirect'
      readonly address: NftRange | null
      readonly port: NftRange | null
      readonly random: boolean
      readonly persistent: boolean
    }
  | { readonly kind: 'set'; readonly key: 'meta mark' | 'ct mark'; readonly value: number | 'meta mark' | 'ct mark' }
  | { readonly kind: 'notrack' }

/** A match statement. */
export type NftMatch = Extract<NftStatement, { kind: 'match' }>

/** Whether a rule of the ruleset needs connection tracking: it looks at `ct`, or changes addresses. */
export function needsConntrack(ruleset: NftRuleset): boolean {
  return ruleset.tables.some((table) =>
    table.chains.some(
      (chain) =>
        chain.base?.type === 'nat' ||
        chain.rules.some((rule) =>
          rule.statements.some(
            (each) =>
              ((each.kind === 'match' || each.kind === 'vmap') && each.key.startsWith('ct ')) ||
              (each.kind === 'set' && (each.key === 'ct mark' || each.value === 'ct mark')) ||
              each.kind === 'nat',
          ),
        ),
    ),
  )
}

/** Whether CPUs share state through the ruleset: connections, or the tokens of a limit. */
export function sharesState(ruleset: NftRuleset): boolean {
  return (
    needsConntrack(ruleset) ||
    ruleset.tables.some((table) =>
      table.chains.some((chain) => chain.rules.some((rule) => rule.statements.some((each) => each.kind === 'limit'))),
    )
  )
}

/** Whether a rule answers what it drops with an ICMP error; a reset is not one. */
export function sendsReject(ruleset: NftRuleset): boolean {
  return ruleset.tables.some((table) =>
    table.chains.some((chain) => chain.rules.some((rule) => rule.statements.some((each) => each.kind === 'reject'))),
  )
}
