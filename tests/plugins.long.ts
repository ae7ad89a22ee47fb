import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { resume, simulate } from 'softnet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compilePrograms } from './docs/typed-blocks.js'
import { examplePath, pluginPlan, writePlugin } from './support/plugin-runs.js'
import { drawnOrder, inPieces, ordered, runModel, shortOfHorizon } from './support/run-model.js'
import { sharedCells } from './support/shared-cells.js'

const EXAMPLES = [
  'xdp-firewall',
  'power-of-two-choices',
  'adaptive-budget',
  'flow-latency',
  'failing-nic',
  'token-bucket',
]

const plugins = suite('plugins on any number of workers')

for (const name of EXAMPLES) {
  plugins(`${name}: no partition touches the rows of another`, async () => {
    const loaded = await pluginPlan(examplePath(name), { duration: '500us' })
    assert.equal(sharedCells(loaded.plan, loaded.plugins), [])
  })

  plugins(`${name}: pieces, orders and workers change nothing`, async () => {
    const loaded = await pluginPlan(examplePath(name), { duration: '3ms' })
    const first = runModel(loaded.plan, undefined, undefined, loaded.plugins).report
    for (const advance of [inPieces(7), ordered(drawnOrder(3)), ordered(shortOfHorizon(5))]) {
      const other = runModel(loaded.plan, advance, undefined, loaded.plugins).report
      assert.is(other.digest, first.digest)
      assert.equal(other.plugins, first.plugins)
    }
    for (const workers of [1, 2, 3]) {
      const other = await simulate(examplePath(name), { duration: '3ms', workers })
      assert.is(other.digest, first.digest)
      assert.equal(other.plugins, first.plugins)
    }
  })
}

plugins('a run that goes on from a checkpoint ends as one without', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'softnet-plugin-'))
  try {
    const file = join(directory, 'half')
    const options = { duration: '4ms', workers: 1 }
    const whole = await simulate(examplePath('failing-nic'), options)
    await simulate(examplePath('failing-nic'), { ...options, checkpoint: { file, every: '1500us' } })
    const rest = await resume(file, { workers: 2 })
    assert.is(rest.digest, whole.digest)
    assert.equal(rest.plugins, whole.plugins)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

plugins('the test that softnet new writes passes, and the plugin is right TypeScript', async () => {
  const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'plugin-'))
  try {
    const target = join(directory, 'my-probe')
    await writePlugin(target)
    const { status, stdout } = spawnSync(process.execPath, ['--test', target], { encoding: 'utf8' })
    assert.is(status, 0, stdout)
    const [module = ''] = readdirSync(target).filter((name) => /^plugin\.m[jt]s$/.test(name))
    const typed = join(target, 'typed.mts')
    copyFileSync(join(target, module), typed)
    assert.equal(compilePrograms([typed], directory), [])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

plugins.run()
