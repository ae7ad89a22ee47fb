/** What `nft` shows of a host's rules. */
import type { NetfilterResult } from '@softnet/scenario'

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
