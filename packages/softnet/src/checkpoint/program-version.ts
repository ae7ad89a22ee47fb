import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { packageVersion } from '../package-version.js'
import type { ProgramVersion } from './checkpoint-file.js'

/** Packages whose code decides on results; `ecs` and `wire` are found from `kernel`, which imports them. */
const DECIDING = ['@softnet/ecs', '@softnet/engine', '@softnet/kernel', '@softnet/scenario', '@softnet/wire']

function scriptsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return scriptsIn(path)
    return entry.name.endsWith('.js') ? [path] : []
  })
}

/** Version of this program, and the hash of its code: a build in between two versions is another program. */
export function programVersion(): ProgramVersion {
  const own = createRequire(import.meta.url)
  const kernel = createRequire(own.resolve('@softnet/kernel'))
  const hash = createHash('sha256')
  for (const name of DECIDING) {
    const find = name === '@softnet/engine' ? own : kernel
    const folder = dirname(name === '@softnet/kernel' ? own.resolve(name) : find.resolve(name))
    for (const path of scriptsIn(folder).sort()) {
      hash.update(`${name} ${relative(folder, path).split(sep).join('/')}\n`)
      hash.update(readFileSync(path))
    }
  }
  return { version: packageVersion(), code: hash.digest('hex') }
}
