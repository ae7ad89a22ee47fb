/**
 * The bundle: this program joined to a few files in `dist/bundle`, which load several times as fast as its hundreds of modules.
 *
 * `scripts/bundle.mjs` makes it. It is a thing of the workspace: a package that is installed from elsewhere has none.
 */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A module that something is started with: the command line, or the first module of a thread. */
export type Program = 'cli' | 'worker'

let isUsed: boolean | undefined

/** True if the bundle in a folder is there and newer than each module it was made of. */
export function isFresh(folder: string): boolean {
  try {
    const list = join(folder, 'inputs.json')
    const madeMs = statSync(list).mtimeMs
    const inputs: readonly string[] = JSON.parse(readFileSync(list, 'utf8'))
    return inputs.every((path) => statSync(join(folder, path)).mtimeMs <= madeMs)
  } catch {
    return false
  }
}

/**
 * Where to load a program from: the bundle if it is fresh, else the module itself.
 *
 * `SOFTNET_BUNDLE=off` in the environment asks for modules, so that stacks and profiles name the file of each function.
 */
export function programUrl(program: Program): string {
  // In the bundle this is the URL of a file beside the programs it holds.
  const own = new URL(`./${program}.js`, import.meta.url)
  if (fileURLToPath(new URL('.', own)).match(/[\\/]bundle[\\/]$/)) return own.href
  const bundle = new URL('../bundle/', import.meta.url)
  isUsed ??= process.env.SOFTNET_BUNDLE !== 'off' && isFresh(fileURLToPath(bundle))
  return isUsed ? new URL(`${program}.js`, bundle).href : own.href
}
