// Runs the named compiled test files with uvu, in one process; test.mjs starts one of these per group.
import { relative, resolve } from 'node:path'
import { run } from 'uvu/run'
import { root } from './workspace.mjs'

const files = process.argv.slice(2).map((file) => resolve(file))
await run(files.map((file) => ({ file, name: relative(root, file) })))
