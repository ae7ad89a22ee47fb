/** What `nft` shows of a host's rules. */
import type { ConntrackResult, NetfilterResult } from '@softnet/scenario/plan'

/** The ruleset as `nft -a list ruleset` prints it, with the counters of the run. */
export function rulesetText({ tables }: NetfilterResult): string {
  const text: string[] = []
  for (const { family, name, sets, chains } of tables) {
    const blocks = [
      ...sets.map((set) => [`set ${set.name}`, ...set.lines]),
      ...chains.map((chain) => [
        `chain ${chain.name}`,
        ...(chain.base === null ? [] : [chain.base]),
        ...chain.rules.map((rule) => `${rule.text} # handle ${rule.handle}`),
      ]),
    ].map(([head, ...lines]) => `\t${head} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`)
    text.push(`table ${family} ${name} {\n${blocks.join('\n')}}\n`)
  }
  return text.join('')
}

/** Connections as `/proc/net/nf_conntrack` lists them; a result keeps the first of them only. */
export function conntrackText({ entries }: ConntrackResult): string {
  return entries.map((line) => `${line}\n`).join('')
}

const STAT_HEADER =
  'entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n'

/** `/proc/net/stat/nf_conntrack`: a line per CPU. Kernel: net/netfilter/nf_conntrack_standalone.c, ct_cpu_seq_show */
export function conntrackStatText({ stat }: ConntrackResult): string {
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
  const lines = stat.map((row) => {
    const { entries, clashres, found, invalid, chainlength, insert_failed, drop, early_drop, icmp_error } = row
    const counts = [clashres, found, 0, invalid, 0, 0, chainlength, 0, insert_failed, drop, early_drop, icmp_error]
    const expectations = [0, 0, 0, 0]
    return `${hex(entries)}  ${counts.map(hex).join(' ')}  ${expectations.map(hex).join(' ')}\n`
  })
  return STAT_HEADER + lines.join('')
}
