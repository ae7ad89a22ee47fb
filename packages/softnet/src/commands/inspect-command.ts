import type { RawOptions } from '../command-options.js'
import { inspectToText } from '../inspect-text.js'
import { inspectPlanInIsolate } from '../simulation-run.js'
import type { Terminal } from '../terminal.js'
import { planOf } from './check-command.js'

/** `softnet inspect`: the structure a scenario builds, without running it. */
export async function inspectCommand(given: string, options: RawOptions, terminal: Terminal): Promise<number> {
  const plan = await planOf(given, options, terminal)
  const inspected = await inspectPlanInIsolate(plan)
  const document = { schema: 'softnet.inspect/1', scenario: plan.name, ...inspected }
  terminal.print(inspectToText(plan.name, inspected, terminal.color), document)
  return 0
}
