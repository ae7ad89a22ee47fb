// Runs the named compiled test files with uvu, in one process; test.mjs starts one of these per group.
import { relative, resolve } from 'node:path'
import fc from 'fast-check'
import { run } from 'uvu/run'
import { root } from './workspace.mjs'

// The short tests draw the same cases every time; the long ones draw new ones and print the seed of a failure.
if (!process.argv.some((file) => file.endsWith('.long.js'))) fc.configureGlobal({ seed: 20_261_121 })

const files = process.argv.slice(2).map((file) => resolve(file))
await run(files.map((file) => ({ file, name: relative(root, file) })))
