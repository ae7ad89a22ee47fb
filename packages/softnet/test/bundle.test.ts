import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isFresh, programUrl } from '../src/bundle.js'
import { cliWith, inDirectory } from './cli-process.js'

const BEFORE = new Date('2020-01-01T00:00:00Z')
const MADE = new Date('2020-01-02T00:00:00Z')
const AFTER = new Date('2020-01-03T00:00:00Z')

test(
  'a bundle is fresh as long as nothing it was made of is newer or gone',
  inDirectory(async (directory) => {
    const folder = join(directory, 'bundle')
    const one = join(directory, 'one.js')
    const two = join(directory, 'src/two.js')
    mkdirSync(folder)
    mkdirSync(join(directory, 'src'))
    assert.is(isFresh(folder), false, 'there is none')
    const list = join(folder, 'inputs.json')
    writeFileSync(list, JSON.stringify(['../one.js', '../src/two.js']))
    for (const [file, time] of [[one, BEFORE] as const, [two, MADE] as const]) {
      writeFileSync(file, '')
      utimesSync(file, time, time)
    }
    utimesSync(list, MADE, MADE)
    assert.is(isFresh(folder), true)
    utimesSync(one, AFTER, AFTER)
    assert.is(isFresh(folder), false, 'one was compiled again')
    utimesSync(one, BEFORE, BEFORE)
    rmSync(two)
    assert.is(isFresh(folder), false, 'two is gone')
    writeFileSync(two, '')
    utimesSync(two, BEFORE, BEFORE)
    assert.is(isFresh(folder), true)
    writeFileSync(list, '[')
    assert.is(isFresh(folder), false, 'it was not finished')
  }),
)

test('what is started is the bundle or the modules, all of it', () => {
  const place = /\/packages\/softnet\/dist\/(bundle|src)\/(cli|worker)\.js$/
  const [cli, worker] = [programUrl('cli'), programUrl('worker')].map((url) => place.exec(url))
  assert.equal([cli?.[2], worker?.[2]], ['cli', 'worker'])
  assert.is(cli?.[1], worker?.[1])
})

test(
  'modules and bundle give the same result',
  inDirectory(async (directory) => {
    const words = ['run', 'rss-4-queues', '--duration', '1ms', '--set', 'warmup=0', '--format', 'json']
    const [one, other] = await Promise.all(
      [{}, { SOFTNET_BUNDLE: 'off' }].map(async (environment) => {
        const { stdout } = await cliWith(directory, environment, ...words).ended
        return { ...JSON.parse(stdout), wall_ms: 0, parallel: null }
      }),
    )
    assert.equal(one, other)
    assert.is(one.status, 'done')
  }),
)

test.run()
