import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { FibRoot, FibRule } from './components.js'
import type { Flow } from './flow.js'

/** Looks an address up in one table: a route, or a negative errno, −EAGAIN for none; the length of its prefix is in `matchedBits`. */
export type TableLookup = (node: number, address: number, tos: number, oif: number, scope: number) => number

/** Rules of a namespace, gone through until one decides. */
export type FibRulesLookup = (
  host: number,
  address: number,
  tos: number,
  oif: number,
  scope: number,
  flow: Flow,
  find: TableLookup,
  matchedBits: () => number,
) => number

/** The old type of service: what the rules' `tos` is about. Kernel: include/net/inet_dscp.h, INET_DSCP_LEGACY_TOS_MASK */
const LEGACY_TOS = 0x1c

/** Policy routing. Kernel: net/core/fib_rules.c, fib_rules_lookup; net/ipv4/fib_rules.c, fib4_rule_match, fib4_rule_action */
export const fibRulesLookup = defineSystem<FibRulesLookup>(
  'fib_rules_lookup',
  'route',
  'net/core/fib_rules.c, fib_rules_lookup',
  (context) => {
    const { ERRNO, RULE } = NUMBERS
    const rules = context.read(FibRule)
    const { inverted, from, fromBits, to, toBits, iif, oif: ruleOif, tos: ruleTos, mark, markMask, protocol } = rules
    const { sportFirst, sportLast, dportFirst, dportLast, action, node, target, suppressBits } = rules
    const { firstRule, ruleCount } = context.read(FibRoot)

    function isIn(address: number, network: number, bits: number): boolean {
      return bits === 0 || ((address ^ network) & (-1 << (32 - bits))) === 0
    }

    function portIn(port: number, first: number, last: number): boolean {
      return last === 0 || (port >= first && port <= last)
    }

    function fits(rule: number, address: number, tos: number, oif: number, flow: Flow): boolean {
      // −1: a device of the packet's own host; what it sends comes in by loopback.
      if (iif[rule] !== 0 && iif[rule] !== (flow.iif === 0 ? -1 : flow.iif)) return false
      if (ruleOif[rule] !== 0 && ruleOif[rule] !== oif) return false
      if (((mark[rule] ^ flow.mark) & markMask[rule]) !== 0) return false
      if (!isIn(flow.saddr, from[rule], fromBits[rule]) || !isIn(address, to[rule], toBits[rule])) return false
      if (ruleTos[rule] !== 0 && ruleTos[rule] !== (tos & LEGACY_TOS)) return false
      if (protocol[rule] !== 0 && protocol[rule] !== flow.protocol) return false
      return (
        portIn(flow.sport, sportFirst[rule], sportLast[rule]) && portIn(flow.dport, dportFirst[rule], dportLast[rule])
      )
    }

    /** What a rule that fits decides: a route, an error, −EAGAIN to go on. */
    function act(
      rule: number,
      address: number,
      tos: number,
      oif: number,
      scope: number,
      find: TableLookup,
      matchedBits: () => number,
    ): number {
      switch (action[rule]) {
        case RULE.table: {
          const found = find(node[rule], address, tos, oif, scope)
          return found > 0 && suppressBits[rule] >= matchedBits() ? -ERRNO.EAGAIN : found
        }
        case RULE.unreachable:
          return -ERRNO.ENETUNREACH
        case RULE.prohibit:
          return -ERRNO.EACCES
        case RULE.blackhole:
          return -ERRNO.EINVAL
        default:
          return -ERRNO.EAGAIN
      }
    }

    return (host, address, tos, oif, scope, flow, find, matchedBits) => {
      const end = firstRule[host + 1] + ruleCount[host + 1]
      let rule = firstRule[host + 1]
      while (rule < end) {
        if (fits(rule, address, tos, oif, flow) === (inverted[rule] !== 0)) rule++
        else if (action[rule] === RULE.goto && target[rule] !== 0) rule = target[rule]
        else {
          const found = act(rule, address, tos, oif, scope, find, matchedBits)
          if (found !== -ERRNO.EAGAIN) return found
          rule++
        }
      }
      return -ERRNO.ENETUNREACH
    }
  },
)
