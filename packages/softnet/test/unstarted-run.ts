import { type CliResult, cliWith } from './cli-process.js'

/** How a thread does not start, and which of the program's threads: see `start-fault.ts`. */
export type StartFault = `${'refuse' | 'leave'} ${number}`

const preload = new URL('./start-fault.js', import.meta.url).href

/** Runs a built-in scenario one of whose threads does not start. */
export function unstartedRun(cwd: string, fault: StartFault, workers: number): Promise<CliResult> {
  const env = { NODE_OPTIONS: `--import=${preload}`, SOFTNET_START: fault }
  return cliWith(cwd, env, 'run', 'rss-4-queues', '--duration', '3ms', '--workers', `${workers}`).ended
}

/** All that such a run writes. */
export function unstartedError(fault: StartFault, workers: number): string {
  const said = fault.startsWith('refuse')
    ? 'the simulation thread could not start: EAGAIN'
    : 'the simulation thread exited with code 9 before its run ended'
  const again = `softnet run rss-4-queues --seed 1 --duration 3ms --workers ${workers}`
  return `error: ${said} (scenario rss-4-queues, seed 1)\nto do it again: ${again}\n`
}
