// `pnpm build`: compiles everything, tests and benchmarks included, and makes the bundle.
import { ensureInstalled, fail, makeBundle, requireNode, tool } from './workspace.mjs'

requireNode()
await ensureInstalled()
const { code, output } = await tool('typescript/bin/tsc', ['-b'])
if (code !== 0) fail(`${output}the build failed`)
await makeBundle()
