import { formatTime, type Plan } from '@softnet/scenario'
import { type RawOptions, readOverrides } from '../command-options.js'
import type { ScenarioOverrides } from '../compile.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { inspectPlanInIsolate } from '../simulation-run.js'
import type { Terminal } from '../terminal.js'
import { compileGiven } from './compile-given.js'

/** Loads and compiles a scenario with the overrides of the command line; every fault of both is in the error. */
export async function planOf(given: string, options: RawOptions, terminal: Terminal): Promise<Plan> {
  const faults: InputFault[] = []
  const overrides: ScenarioOverrides = readOverrides(options, faults)
  try {
    const { plan, warnings } = await compileGiven(given, overrides)
    if (faults.length === 0) {
      for (const warning of warnings) terminal.note(`warning: ${warning}`)
      return plan
    }
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    faults.push(...thrown.errors)
  }
  throw new ScenarioError(faults)
}

/** What `softnet check` found, `softnet.check/1`. */
export interface CheckDocument {
  readonly schema: 'softnet.check/1'
  readonly ok: true
  readonly scenario: string
  readonly description: string
  readonly kernel: string
  readonly profile: string
  readonly seed: number
  readonly duration_ns: number
  readonly hosts: readonly {
    readonly name: string
    readonly cpus: number
    readonly devices: readonly { readonly name: string; readonly driver: string; readonly queues: number }[]
    readonly tasks: number
    readonly sockets: number
  }[]
  readonly traffic: readonly { readonly name: string; readonly kind: string; readonly to: string }[]
  readonly plugins: readonly { readonly name: string; readonly plugin: string; readonly hooks: readonly string[] }[]
}

function documentOf(plan: Plan): CheckDocument {
  return {
    schema: 'softnet.check/1',
    ok: true,
    scenario: plan.name,
    description: plan.description,
    kernel: plan.kernel,
    profile: plan.profile,
    seed: plan.seed,
    duration_ns: plan.durationPs / 1000,
    hosts: plan.hosts.map((host) => ({
      name: host.name,
      cpus: host.cpus.length,
      devices: host.devices.map(({ name, driver, queues }) => ({ name, driver: driver.name, queues: queues.length })),
      tasks: host.apps.reduce((sum, app) => sum + app.tasks.length, 0),
      sockets: host.apps.reduce((sum, app) => sum + app.sockets.length, 0),
    })),
    traffic: plan.traffic.map(({ name, kind, host, dev }) => ({ name, kind, to: `${host}/${dev}` })),
    plugins: plan.plugins.map(({ name, plugin, hooks }) => ({ name, plugin, hooks })),
  }
}

function count(number: number, singular: string): string {
  return `${number} ${singular}${number === 1 ? '' : 's'}`
}

function textOf(plan: Plan, document: CheckDocument): string {
  const lines = [
    `${plan.name} is right: Linux ${plan.kernel}, profile ${plan.profile}, seed ${plan.seed}, ${formatTime(plan.durationPs)}`,
  ]
  for (const host of document.hosts) {
    const devices = host.devices.map((device) => `${device.name} (${device.driver}, ${count(device.queues, 'queue')})`)
    const parts = [count(host.cpus, 'CPU'), ...devices, count(host.tasks, 'task'), count(host.sockets, 'socket')]
    lines.push(`  host ${host.name}: ${parts.join(', ')}`)
  }
  for (const source of document.traffic) lines.push(`  traffic ${source.name}: ${source.kind}, to ${source.to}`)
  for (const { name, plugin, hooks } of document.plugins)
    lines.push(`  plugin ${name}: ${plugin}, at ${hooks.join(', ')}`)
  return lines.join('\n')
}

/** `softnet check`: says whether a scenario is right and what it amounts to. */
export async function checkCommand(given: string, options: RawOptions, terminal: Terminal): Promise<number> {
  const plan = await planOf(given, options, terminal)
  // Only a bound system shows what it reads and writes, and with that whether plugins have an order.
  if (plan.plugins.length > 0) await inspectPlanInIsolate(plan)
  const document = documentOf(plan)
  terminal.print(textOf(plan, document), document)
  return 0
}
