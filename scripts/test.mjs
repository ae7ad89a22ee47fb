// `npm test`: install, type check, lint, all *.test.ts and the benchmark smoke run. `--long`: all *.long.ts and the site.
// The slowest files are listed at the end; the last line is always `N passed, N failed`.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join, sep } from 'node:path'
import {
  compileAll,
  END_OF_FILE,
  ensureInstalled,
  filesBelow,
  makeBundle,
  ofThisNode,
  requireNode,
  root,
  tool,
} from './workspace.mjs'

const long = process.argv.includes('--long')
const suffix = long ? '.long.ts' : '.test.ts'
// uvu knows no time limit; a file that hangs has to end, and say that it hung.
const limitSeconds = long ? 12 * 60 : 3 * 60
/** Lines of a test's output that say no more than that it passed. */
const PLAIN = /^(\S+\.js|.*• {2,}\(\d+ \/ \d+\)| *(Total|Passed|Skipped|Duration): .*| *)$/
/** Work after which files go on in a fresh process: code that has seen many worlds runs slowly. */
const RENEW_MS = 10_000
/** Most code of short tests runs for a moment only: V8 optimizes later than after its 132 KiB of bytecode run, and less at once. */
const V8_FLAGS = long ? [] : ofThisNode(['--interrupt-budget=1000000', '--max-inlined-bytecode-size-cumulative=300'])
/** Lanes that join when all is compiled: one more than there are cores, as some tests wait for a clock; two cores at most. */
const MORE_LANES = Array.from({ length: Math.min(2, availableParallelism()) })
const SLOWEST_SHOWN = 15
const LINT = ['check', '--error-on-warnings', '--max-diagnostics=50', '.']
/** Packages whose tests need nothing but what was compiled before them: no command line, no bundle. */
const LOWER = ['ecs', 'wire', 'scenario', 'kernel', 'engine', 'observe'].map((name) => `packages/${name}`)
const total = { passed: 0, failed: 0 }
const times = []
const running = new Set()

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) kill(child)
    process.exit(130)
  })
}

requireNode()
await ensureInstalled()
const waiting = tests()
// The compiler uses one core; lint and the tests of what it has compiled already take the other.
const isCompiled = new Set()
let isPrepared = false
let tellLanes = () => {}
let news = nextNews()
await Promise.all([
  prepare().then(() => Promise.all(MORE_LANES.map(runLane))),
  (long ? Promise.resolve() : step('lint', () => tool('@biomejs/biome/bin/biome', LINT))).then(runLane),
])
if (total.passed + total.failed === 0) {
  console.log(`no file ends in ${suffix}`)
  total.failed++
}
console.log(slowest())
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

/** Compiles, and opens the tests of each project to the lanes as soon as they can run. */
async function prepare() {
  const compiles = await step('types', () => compileAll((folder) => open(LOWER.filter((name) => name === folder))))
  if (compiles) {
    if (long) await step('site', () => tool('typedoc/bin/typedoc', ['--logLevel', 'Warn']))
    await makeBundle()
    open(waiting.map(({ folder }) => folder))
  }
  isPrepared = true
  open([])
}

function open(folders) {
  for (const folder of folders) isCompiled.add(folder)
  const tell = tellLanes
  news = nextNews()
  tell()
}

function nextNews() {
  return new Promise((resolve) => {
    tellLanes = resolve
  })
}

/** The next test that can run, once there is one; undefined if no other will. */
async function takeTest() {
  for (;;) {
    const at = waiting.findIndex(({ folder }) => isCompiled.has(folder))
    if (at >= 0) return waiting.splice(at, 1)[0]
    if (isPrepared || waiting.length === 0) return undefined
    await news
  }
}

async function step(title, run) {
  const startMs = Date.now()
  const { code, output } = await run()
  const wallMs = Date.now() - startMs
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${seconds(wallMs)}  ${title}`)
  if (code !== 0) {
    console.log(output)
    total.failed++
  }
  return code === 0
}

/** Test files by their folder's place in the order. From the sources, not from dist: a test that was deleted must not run on. */
function tests() {
  const found = []
  for (const path of [...filesBelow('packages'), ...filesBelow('tests'), ...filesBelow('benchmarks')]) {
    if (!path.endsWith(suffix)) continue
    const parts = path.split(sep)
    const folder = parts.slice(0, parts[0] === 'packages' ? 2 : 1)
    const compiled = join(root, ...folder, 'dist', ...parts.slice(folder.length)).replace(/\.ts$/, '.js')
    found.push({ name: parts.join('/'), place: parts[0], folder: folder.join('/'), file: compiled })
  }
  const smoke = [join(root, 'benchmarks/dist/smoke.js'), ...(long ? ['--all'] : [])]
  found.push({ name: 'benchmarks/smoke.ts', place: 'smoke', folder: 'benchmarks', program: smoke })
  // Files that start whole runs take longest, so they are begun first: at the end both cores have short ones left.
  const order = ['tests', 'benchmarks', 'packages/softnet', 'packages/kernel']
  const rank = ({ name }) => order.findIndex((place) => name.startsWith(place)) >>> 0
  return found.sort((a, b) => rank(a) - rank(b))
}

/** One test at a time. Files of a folder go on in the process of the one before, which has loaded most of what they need. */
async function runLane() {
  let group = null
  for (let test = await takeTest(); test; test = await takeTest()) {
    if (group !== null && group.place !== test.place) {
      endGroup(group)
      group = null
    }
    group ??= { place: test.place, workMs: 0, child: start(test.program ?? [join(root, 'scripts/test-group.mjs')]) }
    if (test.file !== undefined) group.child.send(test.file)
    const found = await ended(group.child)
    report(test, found)
    group.workMs += found.workMs ?? 0
    if (group.workMs > RENEW_MS) endGroup(group)
    if (group.workMs > RENEW_MS || found.code !== undefined) group = null
  }
  if (group !== null) endGroup(group)
}

function start(args) {
  // A process group of its own, so that what a test started ends with it.
  const child = spawn(process.execPath, [...V8_FLAGS, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  running.add(child)
  child.on('close', () => running.delete(child))
  // It ended before it took what it was sent: `close` follows, and says so.
  child.on('error', () => {})
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8')
  return child
}

/** A process that waits for files ends when nobody can send it any. */
function endGroup({ child }) {
  if (child.connected) child.disconnect()
}

/** What a file or program printed up to its end, how long it took, and the exit code if its process ended with it. */
function ended(child) {
  return new Promise((resolve) => {
    const startMs = Date.now()
    let output = ''
    let late = false
    const finish = (found) => {
      clearTimeout(timer)
      child.stdout.off('data', take)
      child.stderr.off('data', take)
      child.off('close', close)
      resolve({ output: output.split(END_OF_FILE)[0], late, wallMs: Date.now() - startMs, ...found })
    }
    const take = (chunk) => {
      output += chunk
      const [, end] = output.split(END_OF_FILE)
      // What it wrote to the other stream may still be on its way.
      if (end?.includes('\n')) setImmediate(finish, JSON.parse(end.split('\n')[0]))
    }
    const close = (code) => finish({ code: code ?? 1 })
    const timer = setTimeout(() => {
      late = true
      kill(child)
    }, limitSeconds * 1000)
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('close', close)
  })
}

function report({ name, program }, { output, code, late, wallMs, workMs }) {
  const counted = { passed: lastCount(output, 'Passed'), total: lastCount(output, 'Total') }
  const passed = program ? Number(code === 0) : (counted.passed ?? 0)
  let failed = program ? Number(code !== 0) : (counted.total ?? 0) - passed - (lastCount(output, 'Skipped') ?? 0)
  let why = ''
  if (late) why = `ended after its limit of ${limitSeconds} s`
  else if (!program && counted.total === undefined) why = 'ended before its summary'
  else if (!program && counted.total === 0) why = 'ran no test'
  else if (!program && code !== undefined) why = `its process ended with exit code ${code}`
  if (why) failed++
  total.passed += passed
  total.failed += failed
  times.push({ name, wallMs, workMs })
  const verdict = failed === 0 ? 'ok    ' : 'FAILED'
  console.log(`${verdict} ${seconds(wallMs)}  ${name}: ${passed} passed, ${failed} failed  ${why}`.trimEnd())
  const shown = failed === 0 ? output.split('\n').filter((line) => !PLAIN.test(line)) : [output.trimEnd()]
  if (shown.length > 0) console.log(shown.join('\n').replace(/^/gm, '    '))
}

/** Table of the files that took longest. */
function slowest() {
  const rows = times.sort((a, b) => b.wallMs - a.wallMs).slice(0, SLOWEST_SHOWN)
  const lines = rows.map(({ name, wallMs, workMs }) => {
    const work = workMs === undefined ? '' : seconds(workMs)
    return `${seconds(wallMs)} ${work.padStart(8)}  ${name}`
  })
  return ['\nslowest files: time, and work of the process itself', ...lines].join('\n')
}

function lastCount(output, label) {
  const found = [...output.matchAll(new RegExp(`^ *${label}: +(\\d+)`, 'gm'))].at(-1)
  return found && Number(found[1])
}

function kill(child) {
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`
}
