// `pnpm oracle:record [FILE…] [--random N] …`: installs and builds when needed, then plays packets to the running kernel.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuilt, ensureInstalled, requireNode, root } from './workspace.mjs'

requireNode()
await ensureInstalled()
await ensureBuilt()
process.argv = [...process.argv.slice(0, 2), ...process.argv.slice(2).filter((arg) => arg !== '--')]
await import(pathToFileURL(join(root, 'tests/dist/record/cli.js')).href)
