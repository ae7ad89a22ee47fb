// What `npm start` and `npm test` share: install with the pinned pnpm, build with tsc, both only when needed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** What a process that runs test files prints after each of them, before a line of JSON. */
export const END_OF_FILE = '\u0004end of file '

const stampFolder = join(root, 'node_modules', '.softnet')
const oldestNode = [20, 19]

/** Refuses a Node.js that the packages do not run on, before anything else fails in a stranger way. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return
  fail(`softnet needs Node.js ${oldestNode.join('.')} or newer; this is ${process.versions.node}`)
}

/** Prints one line on stderr, so that stdout stays what softnet writes. */
export function say(line) {
  process.stderr.write(`${line}\n`)
}

export function fail(line) {
  say(line)
  process.exit(1)
}

/** Runs a command to its end and returns its exit code and everything it printed; `onText` hears it as it comes. */
export function capture(command, args, { onText = () => {}, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      onText(`${chunk}`)
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', (error) => resolve({ code: 1, output: `${output}${error.message}\n` }))
    child.on('close', (code, signal) => resolve({ code: code ?? 1, output: signal ? `${output}${signal}\n` : output }))
  })
}

/** Flags of V8 come and go: these, or none where a process with them does not start. */
export function ofThisNode(flags) {
  return spawnSync(process.execPath, [...flags, '--eval', '0'], { stdio: 'ignore' }).status === 0 ? flags : []
}

/** Tools work for some seconds only: V8 optimizes later, and less in all (tsc on the tests: 4.4 instead of 6.3 s of processor time). */
const TOOL_FLAGS = ['--interrupt-budget=500000']
let toolFlags

/** Runs a command of node_modules with this Node.js; `bin` is its path inside node_modules. */
export function tool(bin, args, options) {
  toolFlags ??= ofThisNode(TOOL_FLAGS)
  return capture(process.execPath, [...toolFlags, join(root, 'node_modules', bin), ...args], options)
}

/** Installs when node_modules was not made from the present lock file. */
export async function ensureInstalled() {
  const lockHash = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')
  if (readStamp('install') === lockHash) return
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  say(`installing the dependencies with ${packageManager} …`)
  const { code, output } = await capture('npx', ['--yes', packageManager, 'install', '--frozen-lockfile'], {
    // Without a terminal pnpm asks nothing when it has to replace a node_modules it did not make.
    env: { ...process.env, CI: 'true' },
    shell: process.platform === 'win32',
  })
  if (code !== 0) fail(`${output}the installation failed`)
  writeStamp('install', lockHash)
}

/** Builds the packages when a source, manifest or compiler option is not what the last build saw. */
export async function ensureBuilt() {
  const fingerprint = sourceFingerprint()
  if (readStamp('build') === fingerprint && existsSync(join(root, 'packages/softnet/dist/src/cli.js'))) return
  say('building …')
  const { code, output } = await tool('typescript/bin/tsc', ['-b', 'packages/softnet'])
  if (code !== 0) fail(`${output}the build failed`)
  await makeBundle()
  writeStamp('build', fingerprint)
}

/** A line of `tsc -b --verbose` that names the project it has come to. */
const PROGRESS = /^.* - (Project|Building project|Updating .*?project) '(.+?)\/?tsconfig\.json'/

/** Compiles everything and tells the folder of each project as soon as it is compiled. */
export async function compileAll(onCompiled) {
  let begun = ''
  let rest = ''
  const onText = (text) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const [, what, path] = PROGRESS.exec(line) ?? []
      if (path === undefined) continue
      const folder = relative(root, resolve(root, path)).split(sep).join('/')
      if (begun !== '' && begun !== folder) onCompiled(begun)
      begun = what === 'Building project' ? folder : ''
    }
  }
  const { code, output } = await tool('typescript/bin/tsc', ['-b', '--verbose'], { onText })
  if (code === 0 && begun !== '') onCompiled(begun)
  const faults = output.split('\n').filter((line) => line !== '' && !/^.* - |^ {4}\* /.test(line))
  return { code, output: `${faults.join('\n')}\n` }
}

/** Joins what was compiled to the few files that start fast. */
export async function makeBundle() {
  // What it is made with may only just have been installed.
  const { bundle } = await import('./bundle.mjs')
  await bundle()
}

/** Files below a folder of the repository, sorted, without what a tool made. */
export function filesBelow(folder) {
  const top = join(root, folder)
  if (!existsSync(top)) return []
  const found = []
  const walk = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === 'dist') continue
      const below = join(path, entry.name)
      if (entry.isDirectory()) walk(below)
      else found.push(relative(root, below))
    }
  }
  walk(top)
  return found.sort()
}

// Size and time of every input: a deleted file and a checkout of an older one count as changes too.
function sourceFingerprint() {
  const hash = createHash('sha256').update(process.versions.node)
  const inputs = ['tsconfig.base.json', 'tsconfig.json', 'pnpm-lock.yaml', ...filesBelow('packages')]
  for (const path of inputs) {
    const { size, mtimeMs } = statSync(join(root, path))
    hash.update(`${path}\0${size}\0${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function readStamp(name) {
  try {
    return readFileSync(join(stampFolder, name), 'utf8')
  } catch {
    return ''
  }
}

function writeStamp(name, text) {
  mkdirSync(stampFolder, { recursive: true })
  writeFileSync(join(stampFolder, name), text)
}

/** Goes on as a program of packages/softnet/bin in this very process: a signal meets one process, the exit code is its own. */
export async function become(program, args) {
  const bin = join(root, 'packages/softnet/bin', `${program}.js`)
  process.argv = [process.execPath, bin, ...args]
  await import(pathToFileURL(bin).href)
}
