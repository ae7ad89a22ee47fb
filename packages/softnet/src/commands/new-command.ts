import { chmod, mkdir, mkdtemp, rename, rmdir, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nearestName } from '@softnet/scenario'
import { ScenarioError } from '../input-fault.js'
import { pluginFiles } from '../plugins/plugin-template.js'
import { writeReason } from '../read-file.js'
import { shellWord } from '../scenario-template.js'
import { removeStaged, stage, unstage } from '../staging.js'
import type { Terminal } from '../terminal.js'

const KINDS: readonly string[] = ['plugin']
const NAME = /^[a-z][a-z0-9-]{0,40}$/

/** True if a module in the directory would find softnet. */
function findsSoftnet(directory: string): boolean {
  try {
    createRequire(join(directory, 'plugin.mjs')).resolve('softnet/package.json')
    return true
  } catch {
    return false
  }
}

/** Makes the softnet that runs known to modules of the directory, as an installation would; tests and editors look for it there. */
async function linkSoftnet(directory: string): Promise<void> {
  const modules = join(directory, 'node_modules')
  await mkdir(modules)
  const own = fileURLToPath(new URL('../../../', import.meta.url))
  await symlink(own, join(modules, 'softnet'), 'junction')
}

async function writeFiles(target: string, name: string): Promise<{ files: string[]; isLinked: boolean }> {
  const extension = 'typescript' in process.features && process.features.typescript !== false ? '.mts' : '.mjs'
  const files = pluginFiles(name, extension)
  const parent = dirname(target)
  const staging = await mkdtemp(join(parent, `.${name}-`))
  stage(staging)
  // A temporary directory is for its owner only; this one becomes a directory like any other.
  await chmod(staging, 0o777 & ~process.umask())
  for (const [file, text] of Object.entries(files)) await writeFile(join(staging, file), text)
  const isLinked = !findsSoftnet(parent)
  if (isLinked) await linkSoftnet(staging)
  // Onto an empty directory it may move; onto anything else it must not.
  await rmdir(target).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code !== 'ENOENT') throw thrown
  })
  await rename(staging, target)
  unstage(staging)
  return { files: Object.keys(files), isLinked }
}

/** `softnet new plugin NAME`: writes a plugin that works, with a scenario, its test and its model page. */
export async function newCommand(kind: string, given: string, terminal: Terminal): Promise<number> {
  if (!KINDS.includes(kind)) {
    const accepted = `one of ${KINDS.join(', ')}`
    throw new ScenarioError([{ path: 'KIND', given: kind, accepted, nearest: nearestName(kind, KINDS) }])
  }
  const target = resolve(given)
  const name = basename(target)
  if (!NAME.test(name)) {
    const accepted = 'a directory to write, whose name has small letters, digits and - and begins with a letter'
    throw new ScenarioError([{ path: 'NAME', given, accepted, nearest: null }])
  }
  let written: Awaited<ReturnType<typeof writeFiles>>
  try {
    written = await writeFiles(target, name)
  } catch (thrown) {
    removeStaged()
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : ''
    const exists = code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR'
    const accepted = `a directory that does not exist yet and can be written (${exists ? 'it exists' : writeReason(thrown)})`
    throw new ScenarioError([{ path: 'NAME', given, accepted, nearest: null }])
  }
  const word = shellWord(given)
  const lines = [
    `wrote ${given}: ${written.files.join(', ')}`,
    ...(written.isLinked ? ['  node_modules/softnet leads to this softnet, so that its test and editors find it'] : []),
    `run it with: softnet run ${word}/scenario.yaml`,
    `test it with: node --test ${word}/`,
  ]
  const document = { schema: 'softnet.new/1', kind, directory: given, files: written.files, linked: written.isLinked }
  terminal.print(lines.join('\n'), document)
  return 0
}
