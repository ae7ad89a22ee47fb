// `pnpm bench NAME …`: builds, then runs benchmarks/NAME.ts in a fresh process.
import { spawn } from 'node:child_process'
import { basename, join } from 'node:path'
import { ensureInstalled, fail, filesBelow, requireNode, root, tool } from './workspace.mjs'

requireNode()
await ensureInstalled()
const { code, output } = await tool('typescript/bin/tsc', ['-b', 'benchmarks'])
if (code !== 0) fail(`${output}the build failed`)

const names = filesBelow('benchmarks')
  .filter((path) => /^benchmarks[\\/][^\\/]+\.ts$/.test(path) && !path.endsWith('.test.ts'))
  .map((path) => basename(path, '.ts'))
const [name, ...rest] = process.argv.slice(2)
if (!names.includes(name)) {
  fail(`${name ? `no benchmark is called ${name}` : 'a benchmark has to be named'}; there are: ${names.join(', ')}`)
}

const child = spawn(process.execPath, [join(root, 'benchmarks/dist', `${name}.js`), ...rest], {
  cwd: root,
  stdio: 'inherit',
})
child.on('exit', (exitCode) => {
  process.exitCode = exitCode ?? 1
})
