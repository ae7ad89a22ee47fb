/** Rulesets of hosts: from text to data, with what is wrong told by line and column. */
import type { FaultPath } from '../fault.js'
import { NFT_KEYS, type NftChain, type NftElement, type NftRuleset, type NftStatement, parseNft } from '../nft/index.js'
import type { DevicePlan } from '../plan.js'
import type { NetnsInput } from '../schema/scenario.js'
import type { Environment } from './host.js'

const FAULTS_TOLD = 20

/** Names of a host's devices as rules see them, the loopback device among them. */
export function interfaceNames(devices: readonly DevicePlan[]): string[] {
  return ['lo', ...devices.flatMap(({ name, vlans }) => [name, ...vlans.map((vlan) => `${name}.${vlan}`)])]
}

/** Compiles `nftables` of a host: text, or the name of a file that holds it. */
export function compileNftables(
  input: NetnsInput,
  devices: readonly DevicePlan[],
  hostPath: FaultPath,
  env: Environment,
): NftRuleset | null {
  const given = input.nftables
  if (given === undefined) return null
  const path = [...hostPath, 'nftables', ...(typeof given === 'string' ? [] : ['file'])]
  const text = typeof given === 'string' ? given : readRules(given.file, path, env)
  if (text === null) return null
  const { ruleset, faults } = parseNft(text)
  for (const { line, column, given: found, accepted, nearest } of faults.slice(0, FAULTS_TOLD)) {
    env.report.fault(path, `line ${line}, column ${column}: ${accepted}`, nearest === null ? [] : [nearest], found)
  }
  if (faults.length > FAULTS_TOLD) {
    env.report.fault(path, `a ruleset without faults; ${faults.length - FAULTS_TOLD} more of them`, [], text)
  }
  checkInterfaces(ruleset, interfaceNames(devices), path, env)
  return faults.length > 0 ? null : ruleset
}

function readRules(file: string, path: FaultPath, env: Environment): string | null {
  const text = env.readText?.(file) ?? { error: 'files cannot be read here' }
  if (typeof text === 'string') return text
  env.report.fault(path, `a readable file with rules of nft (${text.error})`)
  return null
}

function eachRule(ruleset: NftRuleset, visit: (statement: NftStatement, line: number, chain: NftChain) => void): void {
  for (const table of ruleset.tables) {
    for (const chain of table.chains) {
      for (const rule of chain.rules) for (const each of rule.statements) visit(each, rule.line, chain)
    }
  }
}

function elementsOf(statement: NftStatement): readonly NftElement[] {
  if (statement.kind === 'vmap') return statement.entries.map(({ element }) => element)
  if (statement.kind !== 'match' || statement.operand.kind === 'named') return []
  return statement.operand.kind === 'set' ? statement.operand.elements : [statement.operand.element]
}

/** `iif` and `oif` compare indexes, so nft looks the name up when a rule is loaded. */
function checkInterfaces(ruleset: NftRuleset, names: readonly string[], path: FaultPath, env: Environment): void {
  eachRule(ruleset, (statement, line) => {
    if ((statement.kind !== 'match' && statement.kind !== 'vmap') || NFT_KEYS[statement.key].type !== 'iface_index')
      return
    for (const element of elementsOf(statement)) {
      if ('name' in element && !names.includes(element.name)) {
        env.report.fault(
          path,
          `line ${line}: a device of the host behind ${statement.key.slice(5)}: ${names.join(', ')}`,
          names,
          element.name,
        )
      }
    }
  })
}
