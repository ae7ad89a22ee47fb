import { type CliResult, cliWith } from './cli-process.js'

/** How a worker fails: see `fault-hooks.ts`. */
export type FaultKind = 'throw' | 'exit' | 'memory'

/** What the error of each kind says of it. */
export const SAID: Readonly<Record<FaultKind, string>> = {
  throw: 'it broke \\(in \\S+ at \\d+(\\.\\d+)? ms\\)',
  exit: 'the simulation thread exited with code 7 before its run ended',
  memory: 'the simulation thread ran out of memory',
}

const preload = new URL('./fault-preload.js', import.meta.url).href

/** Runs a built-in scenario whose worker fails at 1 ms of simulated time. */
export function brokenRun(
  cwd: string,
  kind: FaultKind,
  worker: number,
  workers: number,
  ...options: readonly string[]
): Promise<CliResult> {
  const env = {
    NODE_OPTIONS: `--import=${preload}${kind === 'memory' ? ' --max-old-space-size=100' : ''}`,
    SOFTNET_FAULT: `${kind} ${worker} 1e9`,
    // What is broken are modules.
    SOFTNET_BUNDLE: 'off',
  }
  const words = ['run', 'rss-4-queues', '--duration', '60ms', '--workers', `${workers}`, ...options]
  return cliWith(cwd, env, ...words).ended
}
