// Runs compiled test files with uvu in one process: those that are named, or those that test.mjs hands over one by one.
import { relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { END_OF_FILE, root } from './workspace.mjs'

globalThis.UVU_DEFER = 1
const { exec } = await import('uvu')

const named = process.argv.slice(2)
if (named.length > 0) {
  let exitCode = 0
  for (const file of named) {
    const { wallMs, workMs } = await run(resolve(file))
    console.log(`  ${(wallMs / 1000).toFixed(1)} s, ${(workMs / 1000).toFixed(1)} s of work in this process\n`)
    exitCode ||= process.exitCode ?? 0
  }
  process.exitCode = exitCode
} else {
  process.on('message', async (file) => {
    // What waits for ever is known by a process that has nothing else to do.
    process.channel.unref()
    const took = await run(file)
    process.channel.ref()
    process.stdout.write(`${END_OF_FILE}${JSON.stringify(took)}\n`)
  })
}

/** Runs one file and returns how long that took: by the clock, and in work of this process. */
async function run(file) {
  // The short tests draw the same cases every time; the long ones draw new ones and print the seed of a failure.
  if (!file.endsWith('.long.js')) fc.configureGlobal({ seed: 20_261_121 })
  const fromMs = performance.now()
  const from = process.cpuUsage()
  // As `uvu/run` does it for many files.
  globalThis.UVU_INDEX = 0
  globalThis.UVU_QUEUE = [[relative(root, file)]]
  await import(pathToFileURL(file).href)
  await exec()
  const { user, system } = process.cpuUsage(from)
  return { wallMs: performance.now() - fromMs, workMs: (user + system) / 1000 }
}
