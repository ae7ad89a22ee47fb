// Runs the named compiled test files with uvu, in one process; test.mjs starts one of these per group.
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { root } from './workspace.mjs'

// The short tests draw the same cases every time; the long ones draw new ones and print the seed of a failure.
if (!process.argv.some((file) => file.endsWith('.long.js'))) fc.configureGlobal({ seed: 20_261_121 })

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`

/** Starts to count; what it returns says how long it was, by the clock and of this process's work. */
function stopwatch() {
  const fromMs = performance.now()
  const from = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(from)
    return { wallMs: performance.now() - fromMs, workMs: (user + system) / 1000 }
  }
}

/** What uvu takes for a suite without tests. */
const step = (act) => () => {
  act()
  return [true, 0, 0, 0]
}

// As `uvu/run` does it, and after each file says how long it took: test.mjs makes a table of these lines.
globalThis.UVU_DEFER = 1
const { exec } = await import('uvu')
const files = process.argv.slice(2).map((file) => resolve(file))
for (const [index, file] of files.entries()) {
  const name = relative(root, file)
  const suites = [name]
  globalThis.UVU_INDEX = index
  globalThis.UVU_QUEUE.push(suites)
  const loading = stopwatch()
  await import(pathToFileURL(file).href)
  const load = loading()
  let running
  suites.splice(
    1,
    0,
    step(() => {
      running = stopwatch()
    }),
  )
  suites.push(
    step(() => {
      const run = running()
      const took = seconds(load.wallMs + run.wallMs)
      console.log(`took ${took}, ${seconds(load.workMs + run.workMs)} of work in this process: ${name}`)
    }),
  )
}
await exec()
