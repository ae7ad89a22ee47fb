import { defineSystem } from '@softnet/ecs'
import { costProfile } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { ICMP_SEND } from '../icmp/icmp-send.js'
import { bindNetRow } from '../netns/net-row.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { chargeCycles } from './charge-cycles.js'
import { NfCpu, NftChain, NftCounter, NftElement, NftExpr, NftRule, NftRuleCount, SkbNf } from './components.js'
import { NfConn, SkbConn } from './conntrack-components.js'
import { deviceAddress } from './device-address.js'
import { nfIpChecksum } from './nf-ip-checksum.js'
import { natSetup } from './nf-nat-setup.js'
import { NF_SEND_RESET } from './nf-send-reset-resource.js'
import { nftLimit } from './nft-limit.js'
import { nftLoad } from './nft-payload.js'

/** Sends a packet through a base chain; false if a rule or the policy drops it. */
export type NftDoChain = (cpu: number, row: number, base: number, inDev: number, outDev: number) => boolean

/** Kernel: include/net/netfilter/nf_tables.h, NFT_JUMP_STACK_SIZE */
const JUMP_STACK_SIZE = 16

const BREAK = -1
const DROP_ANSWERED = 100

/**
 * Runs rules over a packet: expressions in order until one does not hold, verdicts, jumps and returns, counters.
 * Every expression that is looked at is charged. Kernel: net/netfilter/nf_tables_core.c, nft_do_chain
 */
export const nftDoChain = defineSystem<NftDoChain>(
  'nft_do_chain',
  'netfilter',
  'net/netfilter/nf_tables_core.c, nft_do_chain',
  (context) => {
    const { CTINFO, ICMP_TYPE, NFT_OP, NFT_SET, NFT_VERDICT, STAGE } = NUMBERS

    const { firstRule, rules, policyDrop, policyRule } = context.read(NftChain)
    const { firstExpr, exprs } = context.read(NftRule)
    const expr = context.read(NftExpr)
    const { op, field, inverted, mask, low, high, firstElement, elements, arg, verdict, chain, cycles, moreCycles } =
      expr
    const {
      low: elementLow,
      high: elementHigh,
      verdict: elementVerdict,
      chain: elementChain,
    } = context.read(NftElement)
    const { packets: countedPackets, bytes: countedBytes } = context.write(NftCounter)
    const { packets: rulePackets, dropped: ruleDropped } = context.write(NftRuleCount)
    const { rules: rulesSeen } = context.write(NfCpu)
    const netRowOf = bindNetRow(context)
    const { mark } = context.write(SkbNf)
    const { len, frames } = context.read(Skb)
    const { load, register } = context.system(nftLoad)
    const { conn } = context.read(SkbConn)
    const { info } = context.write(SkbConn)
    const { mark: connMark } = context.write(NfConn)
    const setUp = context.system(natSetup)
    const addressOf = context.system(deviceAddress)
    const limit = context.system(nftLimit)
    const answer = context.resource(ICMP_SEND)
    const reset = context.resource(NF_SEND_RESET)
    const checksum = context.system(nfIpChecksum)
    const spend = context.system(charge)
    const price = context.system(chargeCycles)
    const { plan, cpuRows } = context.resource(PLAN_CONSTANTS)
    const { netfilter } = costProfile(plan.profile)
    const counters = (countedPackets.length - 1) / cpuRows
    const ruleRows = firstExpr.length
    const stackRule = new Int32Array(JUMP_STACK_SIZE)
    const stackEnd = new Int32Array(JUMP_STACK_SIZE)
    /** Cycles of the packet so far. In a column, since a variable of the closure would be boxed. */
    const spent = new Float64Array(1)
    /** Chain of the verdict found last. */
    let target = 0

    function pay(cpu: number): void {
      if (spent[0] <= 0) return
      price.cycles[0] = spent[0]
      price.charge(cpu, STAGE.nft_do_chain)
    }

    /** Position of the element that holds the value loaded, or −1. */
    function find(at: number): number {
      const value = register[0]
      let from = firstElement[at]
      let to = from + elements[at] - 1
      while (from <= to) {
        const middle = (from + to) >> 1
        if (value < elementLow[middle]) to = middle - 1
        else if (value > elementHigh[middle]) from = middle + 1
        else return middle
      }
      return BREAK
    }

    function compare(at: number): boolean {
      const value = register[0]
      const masked = mask[at] === 0 ? value : (value & mask[at]) >>> 0
      if (masked >= low[at]) spent[0] += moreCycles[at]
      return (masked >= low[at] && masked <= high[at]) !== (inverted[at] !== 0)
    }

    /** Whether a match of the value loaded holds. */
    function matches(at: number): boolean {
      if (register[0] < 0) return false
      switch (op[at]) {
        case NFT_OP.range:
          return compare(at)
        case NFT_OP.bits:
          return (register[0] & mask[at]) !== 0
        default:
          return find(at) >= 0 !== (inverted[at] !== 0)
      }
    }

    function lookUpVerdict(at: number): number {
      const element = register[0] < 0 ? BREAK : find(at)
      if (element < 0) return BREAK
      target = elementChain[element]
      if (target !== 0) spent[0] += moreCycles[at]
      return elementVerdict[element]
    }

    /** Kernel: net/ipv4/netfilter/nft_reject_ipv4.c, nft_reject_ipv4_eval */
    function reject(cpu: number, row: number, at: number): number {
      // The answer goes through chains itself: what this one has cost so far is charged first.
      pay(cpu)
      if (arg[at] < 0) reset.send(cpu, row)
      else if (checksum.mayReject(row)) answer(cpu, row, ICMP_TYPE.destUnreach, arg[at], 0)
      spent[0] = 0
      return DROP_ANSWERED
    }

    /** Verdict of a rule; `BREAK` if an expression does not hold. */
    function evaluate(cpu: number, row: number, rule: number, inDev: number, outDev: number): number {
      const end = firstExpr[rule] + exprs[rule]
      for (let at = firstExpr[rule]; at < end; at++) {
        spent[0] += cycles[at]
        switch (op[at]) {
          case NFT_OP.counter: {
            const counter = 1 + cpu * counters + arg[at]
            countedPackets[counter]++
            countedBytes[counter] += len[row]
            break
          }
          case NFT_OP.limit:
            if (!limit(cpu, row, arg[at])) return BREAK
            break
          case NFT_OP.verdict:
            target = chain[at]
            return verdict[at]
          case NFT_OP.vmap:
            load(field[at], row, inDev, outDev)
            return lookUpVerdict(at)
          case NFT_OP.reject:
            return reject(cpu, row, at)
          case NFT_OP.setMark:
            setMark(row, arg[at], low[at])
            break
          case NFT_OP.nat:
            return translate(cpu, row, arg[at], inDev, outDev) ? NFT_VERDICT.accept : NFT_VERDICT.drop
          case NFT_OP.notrack:
            if (conn[row] === 0) info[row] = CTINFO.untracked
            break
          default:
            load(field[at], row, inDev, outDev)
            if (!matches(at)) return BREAK
        }
      }
      return NFT_VERDICT.continue
    }

    function setMark(row: number, what: number, value: number): void {
      const of = conn[row]
      if (what === NFT_SET.meta) mark[row] = value
      else if (what === NFT_SET.metaFromCt) mark[row] = of === 0 ? 0 : connMark[of]
      else if (of !== 0) connMark[of] = what === NFT_SET.ct ? value : mark[row]
    }

    /** Kernel: net/netfilter/nft_nat.c, nft_nat_eval; nft_redir.c, nft_redir_eval */
    function translate(cpu: number, row: number, range: number, inDev: number, outDev: number): boolean {
      if (conn[row] === 0) return true
      const address = addressOf(cpu, row, range, inDev, outDev)
      // Without an address there is nothing to translate to.
      if (address < 0) return false
      setUp.range(cpu, conn[row], range, address)
      return true
    }

    function count(cpu: number, rule: number): number {
      const at = 1 + cpu * ruleRows + rule
      rulePackets[at]++
      return at
    }

    /** Goes from rule to rule; true if the packet is accepted. */
    function walk(cpu: number, row: number, base: number, inDev: number, outDev: number): boolean {
      let rule = firstRule[base]
      let end = rule + rules[base]
      let depth = 0
      for (;;) {
        let found: number = NFT_VERDICT.return
        if (rule < end) {
          rulesSeen[netRowOf(cpu)]++
          spent[0] += ruleCycles
          found = evaluate(cpu, row, rule, inDev, outDev)
          if (found === BREAK) {
            rule++
            continue
          }
          const at = count(cpu, rule)
          if (found === NFT_VERDICT.accept) return true
          if (found === NFT_VERDICT.drop || found === DROP_ANSWERED) {
            ruleDropped[at] += frames[row]
            return false
          }
          if (found === NFT_VERDICT.continue) {
            rule++
            continue
          }
        }
        if (found === NFT_VERDICT.return) {
          if (depth === 0) break
          depth--
          rule = stackRule[depth]
          end = stackEnd[depth]
          continue
        }
        if (found === NFT_VERDICT.jump) {
          stackRule[depth] = rule + 1
          stackEnd[depth] = end
          depth++
        }
        rule = firstRule[target]
        end = rule + rules[target]
      }
      const at = count(cpu, policyRule[base])
      if (policyDrop[base] === 0) return true
      ruleDropped[at] += frames[row]
      return false
    }

    const ruleCycles = netfilter.rule.cycles
    return (cpu, row, base, inDev, outDev) => {
      spend(cpu, STAGE.nft_do_chain, 1)
      spent[0] = 0
      const accepted = walk(cpu, row, base, inDev, outDev)
      pay(cpu)
      return accepted
    }
  },
)
