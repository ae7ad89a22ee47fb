import type { Profiler, Runtime } from 'node:inspector'
import { basename } from 'node:path'
import { type LineOwner, ownerOfLine } from './line-map.js'
import type { SystemShare } from './request.js'

/** What is not the project's: the collector, the compiler, a builtin, or another module. */
function runtimeOwner({ url, functionName }: Runtime.CallFrame): LineOwner {
  return { stage: 'runtime', name: url === '' ? functionName : basename(url) }
}

/** Shares of a profile's samples by system, greatest first. Lines have to be numbered by `line-map`. */
export function attribute(profile: Profiler.Profile): { samples: number; shares: SystemShare[] } {
  const counts = new Map<string, LineOwner & { count: number }>()
  const add = (owner: LineOwner, ticks: number): void => {
    const key = `${owner.stage}/${owner.name}`
    const row = counts.get(key) ?? { ...owner, count: 0 }
    row.count += ticks
    counts.set(key, row)
  }
  for (const { callFrame, hitCount = 0, positionTicks = [] } of profile.nodes) {
    if (callFrame.functionName === '(idle)') continue
    const outer = ownerOfLine(callFrame.lineNumber) ?? runtimeOwner(callFrame)
    let placed = 0
    for (const { line, ticks } of positionTicks) {
      add(ownerOfLine(line - 1) ?? outer, ticks)
      placed += ticks
    }
    if (hitCount > placed) add(outer, hitCount - placed)
  }
  const rows = [...counts.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  const samples = rows.reduce((sum, { count }) => sum + count, 0)
  return { samples, shares: rows.map(({ stage, name, count }) => ({ stage, name, share: count / samples })) }
}
