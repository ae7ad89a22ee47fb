// `npm test`: install, type check, lint, all *.test.ts and the benchmark smoke run. `--long`: all *.long.ts and the site.
// The last line is always `N passed, N failed`.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, sep } from 'node:path'
import { ensureInstalled, filesBelow, makeBundle, requireNode, root, tool } from './workspace.mjs'

const long = process.argv.includes('--long')
const suffix = long ? '.long.ts' : '.test.ts'
// uvu knows no time limit; a group that hangs has to end, and say that it hung.
const limitSeconds = long ? 12 * 60 : 6 * 60
/** Folders whose tests take longer than all others together, and the groups they are dealt out to: both cores are busy to the end. */
const DEALT = { tests: 3, 'packages/softnet': 2 }
const total = { passed: 0, failed: 0 }
const running = new Set()

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) kill(child)
    process.exit(130)
  })
}

requireNode()
await ensureInstalled()
if (await step('types', 'typescript/bin/tsc', ['-b'])) {
  await makeBundle()
  if (long) await step('site', 'typedoc/bin/typedoc', ['--logLevel', 'Warn'])
  else await step('lint', '@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '--max-diagnostics=50', '.'])
  await runGroups(groups())
}
if (total.passed + total.failed === 0) {
  console.log(`no file ends in ${suffix}`)
  total.failed++
}
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exitCode = total.failed === 0 ? 0 : 1

async function step(title, bin, args) {
  const startMs = Date.now()
  const { code, output } = await tool(bin, args)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title.padEnd(20)} ${seconds(startMs)}`)
  if (code !== 0) {
    console.log(output)
    total.failed++
  }
  return code === 0
}

// From the sources, not from dist: a test that was deleted must not run on.
function groups() {
  const byName = new Map()
  const dealt = new Map()
  for (const path of [...filesBelow('packages'), ...filesBelow('tests'), ...filesBelow('benchmarks')]) {
    if (!path.endsWith(suffix)) continue
    const parts = path.split(sep)
    const folder = parts.slice(0, parts[0] === 'packages' ? 2 : 1)
    const compiled = join(root, ...folder, 'dist', ...parts.slice(folder.length)).replace(/\.ts$/, '.js')
    const place = folder.join('/')
    const turn = dealt.get(place) ?? 0
    dealt.set(place, turn + 1)
    const name = DEALT[place] === undefined ? place : `${place}/${turn % DEALT[place]}`
    byName.set(name, [...(byName.get(name) ?? []), compiled])
  }
  const found = [...byName].map(([name, files]) => ({ name, args: [join(root, 'scripts/test-group.mjs'), ...files] }))
  const smoke = join(root, 'benchmarks/dist/smoke.js')
  if (!long && existsSync(join(root, 'benchmarks/smoke.ts'))) {
    found.push({ name: 'benchmarks/smoke', args: [smoke], single: true })
  }
  // The groups that start whole runs take longest, so they start first.
  const order = ['tests', 'packages/softnet', 'packages/kernel']
  const rank = ({ name }) => order.findIndex((place) => name.startsWith(place)) >>> 0
  return found.sort((a, b) => rank(a) - rank(b))
}

async function runGroups(waiting) {
  const lane = async () => {
    for (let group = waiting.shift(); group; group = waiting.shift()) report(group, await runGroup(group))
  }
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane))
}

function runGroup({ args }) {
  return new Promise((resolve) => {
    const startMs = Date.now()
    // A process group of its own, so that what a test started ends with it.
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    running.add(child)
    let output = ''
    let late = false
    const take = (chunk) => {
      output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    const timer = setTimeout(() => {
      late = true
      kill(child)
    }, limitSeconds * 1000)
    child.on('close', (code) => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ code: code ?? 1, output, late, startMs })
    })
  })
}

function report({ name, single }, { code, output, late, startMs }) {
  const counted = { passed: lastCount(output, 'Passed'), total: lastCount(output, 'Total') }
  const passed = single ? Number(code === 0) : (counted.passed ?? 0)
  let failed = single ? Number(code !== 0) : (counted.total ?? 0) - passed - (lastCount(output, 'Skipped') ?? 0)
  let why = ''
  if (late) why = `ended after its limit of ${limitSeconds} s`
  else if (!single && counted.total === undefined) why = 'ended before its summary'
  else if (!single && counted.total === 0) why = 'ran no test'
  else if (code !== 0 && failed === 0) why = `exit code ${code}`
  if (why) failed++
  total.passed += passed
  total.failed += failed
  const verdict = failed === 0 ? 'ok    ' : 'FAILED'
  console.log(`${verdict} ${name.padEnd(20)} ${seconds(startMs)}  ${passed} passed, ${failed} failed  ${why}`)
  console.log(output.trimEnd().replace(/^/gm, '    '))
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

function seconds(startMs) {
  return `${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} s`
}
