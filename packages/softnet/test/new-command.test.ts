import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cliInside, inDirectory, namesIn } from './cli-process.js'

test(
  'new writes a plugin with its scenario, test and model page',
  inDirectory(async (directory) => {
    const { code, stdout, stderr } = await cliInside(directory, 'new', 'plugin', 'my-probe')
    assert.equal([code, stderr], [0, ''])
    assert.match(stdout, /^wrote my-probe: plugin\.m[jt]s, scenario\.yaml, plugin\.test\.mjs, model\.md\n/)
    assert.equal(namesIn(directory), ['my-probe'])
    const names = namesIn(join(directory, 'my-probe'))
    assert.equal(
      names.filter((name) => !name.startsWith('plugin.m')),
      ['model.md', 'node_modules', 'plugin.test.mjs', 'scenario.yaml'],
    )
    assert.match(readFileSync(join(directory, 'my-probe/scenario.yaml'), 'utf8'), 'plugins:\n  my-probe:\n')
  }),
)

test(
  'new takes an empty directory, and says as JSON what it wrote',
  inDirectory(async (directory) => {
    mkdirSync(join(directory, 'probe'))
    mkdirSync(join(directory, 'node_modules'))
    symlinkSync(join(import.meta.dirname, '../..'), join(directory, 'node_modules/softnet'), 'junction')
    const { code, stdout } = await cliInside(directory, 'new', 'plugin', 'probe', '--format', 'json')
    assert.is(code, 0)
    const document = JSON.parse(stdout)
    assert.is(document.schema, 'softnet.new/1')
    assert.is(document.files.length, 4)
    // Softnet is installed here, so nothing has to lead to it.
    assert.is(document.linked, false)
  }),
)

const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['another kind', ['plugins', 'x'], /KIND: given 'plugins'; accepted: one of plugin; did you mean plugin\?/],
  ['a name with capitals', ['plugin', 'Probe'], /NAME: given 'Probe'; accepted: a directory to write/],
  ['a file that is there', ['plugin', 'file'], /NAME: given 'file'; .*\(it exists\)/],
  ['a directory that holds something', ['plugin', 'full'], /NAME: given 'full'; .*\(it exists\)/],
  [
    'a directory that is not there',
    ['plugin', 'no/probe'],
    /NAME: given 'no\/probe'; .*\(there is no such directory\)/,
  ],
]

for (const [what, words, fault] of refused) {
  test(
    `new refuses ${what} and leaves nothing behind`,
    inDirectory(async (directory) => {
      writeFileSync(join(directory, 'file'), '')
      mkdirSync(join(directory, 'full'))
      writeFileSync(join(directory, 'full/file'), 'mine')
      const { code, stdout, stderr } = await cliInside(directory, 'new', ...words)
      assert.equal([code, stdout], [2, ''])
      assert.match(stderr, fault)
      assert.equal(namesIn(directory), ['file', 'full'])
      assert.is(readFileSync(join(directory, 'full/file'), 'utf8'), 'mine')
    }),
  )
}

test.run()
