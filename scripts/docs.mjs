// `npm run docs`: the site of all pages and of the programming interface, in docs/site. Needs no network once installed.
import { join } from 'node:path'
import { ensureBuilt, ensureInstalled, fail, requireNode, root, say, tool } from './workspace.mjs'

requireNode()
await ensureInstalled()
// A package sees the others by what was compiled of them.
await ensureBuilt()
const { code, output } = await tool('typedoc/bin/typedoc', ['--logLevel', 'Warn'])
if (code !== 0) fail(output)
say(`wrote ${join(root, 'docs/site/index.html')}`)
