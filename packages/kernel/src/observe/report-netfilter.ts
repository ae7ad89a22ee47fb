import {
  formatBase,
  formatRule,
  formatSet,
  type NetfilterResult,
  type NftChainRow,
  type NftCounts,
} from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import type { NetLayout } from '../build/layout.js'
import { NFT_OP, NfCpu, NftCounter, NftRule, NftRuleCount } from '../netfilter/components.js'
import { type PlannedChain, type PlannedRule, planNetfilter } from '../netfilter/plan-netfilter.js'
import { netRow } from '../netns/net-row.js'
import { reportConntrack } from './report-conntrack.js'

/** Rules of a host with their counters; nothing for a host without rules. */
export function reportNetfilter(model: Model, host: NetLayout): { netfilter?: NetfilterResult } {
  if (host.plan.nftables === null) return {}
  const plan = planNetfilter(model.layout)
  const planned = plan.hosts[host.index]
  if (planned === undefined) return {}
  const report = new RuleReport(model, plan.counters)
  const { packets, rules } = model.world.columns(NfCpu)
  const first = netRow(host.index, model.layout.hosts.length, model.layout.cpuRows)
  const cpus = host.cpus.map((cpu) => first + cpu)
  const sum = (column: ArrayLike<number>): number => cpus.reduce((total, cpu) => total + (column[cpu] ?? 0), 0)
  return {
    netfilter: {
      tables: host.plan.nftables.tables.map(({ family, name, sets, chains }) => ({
        family,
        name,
        sets: sets.map((set) => ({ name: set.name, lines: formatSet(set) })),
        chains: planned.chains
          .filter(({ source }) => chains.includes(source.chain))
          .map((chain) => report.chain(chain)),
      })),
      hook_packets: sum(packets),
      rules_evaluated: sum(rules),
      ...(planned.tracks ? { conntrack: reportConntrack(model, host) } : {}),
    },
  }
}

/** Adds the counters of all CPUs up. */
class RuleReport {
  readonly #model: Model
  readonly #counters: number

  constructor(model: Model, counters: number) {
    this.#model = model
    this.#counters = counters
  }

  chain({ source, rules, policyRule }: PlannedChain): NftChainRow {
    const { chain, table } = source
    return {
      name: chain.name,
      base: chain.base === null ? null : formatBase(chain.base),
      rules: rules.map((planned, index) => {
        const rule = chain.rules[index] as (typeof chain.rules)[number]
        const text = formatRule(rule, table.family, this.#counts(planned))
        return { handle: rule.handle, line: rule.line, text, ...this.#ruleCount(planned.row) }
      }),
      policy: chain.base === null ? null : this.#ruleCount(policyRule),
    }
  }

  #counts(rule: PlannedRule): NftCounts[] {
    const { packets, bytes } = this.#model.world.columns(NftCounter)
    const counters = rule.exprs.filter(({ op }) => op === NFT_OP.counter).length
    return Array.from({ length: counters }, (_, index) => {
      const counts = { packets: 0, bytes: 0 }
      for (const cpu of this.#model.layout.cpus) {
        const row = 1 + cpu * this.#counters + rule.firstCounter + index
        counts.packets += packets[row]
        counts.bytes += bytes[row]
      }
      return counts
    })
  }

  #ruleCount(rule: number): { packets: number; dropped: number } {
    const columns = this.#model.world.columns(NftRuleCount)
    const rows = this.#model.world.columns(NftRule).exprs.length
    const counts = { packets: 0, dropped: 0 }
    for (const cpu of this.#model.layout.cpus) {
      counts.packets += columns.packets[1 + cpu * rows + rule]
      counts.dropped += columns.dropped[1 + cpu * rows + rule]
    }
    return counts
  }
}
