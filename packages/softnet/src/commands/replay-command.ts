import type { Plan } from '@softnet/scenario'
import { shellWord } from '../scenario-template.js'
import type { RunOptions } from './prepare-run.js'

/** The command that does again what a run did up to its fault. */
export function replayCommand(scenario: string, options: RunOptions, plan: Plan): string {
  const words = ['softnet', 'run']
  if (options.resume !== undefined) words.push('--resume', options.resume)
  else {
    words.push(scenario)
    for (const set of options.set ?? []) words.push('--set', set)
    // The seed as it was, also where the scenario or its default said it.
    words.push('--seed', String(plan.seed))
    if (options.duration !== undefined) words.push('--duration', options.duration)
    if (options.profile !== undefined) words.push('--profile', options.profile)
  }
  for (const capture of options.resume === undefined ? (options.capture ?? []) : []) words.push('--capture', capture)
  if (options.workers !== undefined) words.push('--workers', options.workers)
  return words.map(shellWord).join(' ')
}

/** The command that goes on from a checkpoint. */
export function resumeCommand(file: string): string {
  return `softnet run --resume ${shellWord(file)}`
}
