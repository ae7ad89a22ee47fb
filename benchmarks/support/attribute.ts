import { readFileSync } from 'node:fs'
import type { Profiler, Runtime } from 'node:inspector'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SystemShare } from './request.js'

interface Definition {
  readonly line: number
  readonly stage: string
  readonly name: string
}

const definitionsOf = new Map<string, readonly Definition[]>()

/** Systems that a compiled file defines, by the line they begin in. */
function definitions(url: string): readonly Definition[] {
  let found = definitionsOf.get(url)
  if (found === undefined) {
    const text = readFileSync(fileURLToPath(url), 'utf8')
    found = [...text.matchAll(/defineSystem\(\s*'([^']+)',\s*'([^']+)'/g)].map(({ index, 1: name, 2: stage }) => ({
      line: text.slice(0, index).split('\n').length - 1,
      stage: stage as string,
      name: name as string,
    }))
    definitionsOf.set(url, found)
  }
  return found
}

/** Owner of a function: the system it is bound in, else its file; what is not of the project is the runtime's. */
function ownerOf({ url, functionName, lineNumber }: Runtime.CallFrame): { stage: string; name: string } {
  const place = /packages\/(\w+)\/dist\/src\/(?:(\w+)\/)?[\w-]+\.js$/.exec(url)
  if (place === null) return { stage: 'runtime', name: url === '' ? functionName : basename(url) }
  const system = definitions(url).findLast(({ line }) => line <= lineNumber)
  if (system !== undefined) return { stage: system.stage, name: system.name }
  return { stage: place[2] ?? (place[1] as string), name: basename(url) }
}

/** Shares of the samples between two moments by system, greatest first. */
export function attribute(
  profile: Profiler.Profile,
  fromUs: number,
  untilUs: number,
): { samples: number; shares: SystemShare[] } {
  const owners = new Map(profile.nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]))
  const counts = new Map<string, { stage: string; name: string; count: number }>()
  const { samples = [], timeDeltas = [] } = profile
  let atUs = profile.startTime
  let total = 0
  samples.forEach((node, i) => {
    atUs += timeDeltas[i] ?? 0
    if (atUs < fromUs || atUs > untilUs) return
    const { stage, name } = owners.get(node) ?? { stage: 'runtime', name: '(unknown)' }
    const key = `${stage}/${name}`
    const row = counts.get(key) ?? { stage, name, count: 0 }
    row.count++
    counts.set(key, row)
    total++
  })
  const rows = [...counts.values()].sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  return { samples: total, shares: rows.map(({ stage, name, count }) => ({ stage, name, share: count / total })) }
}
