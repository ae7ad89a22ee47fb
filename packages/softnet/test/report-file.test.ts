import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { InputFault } from '../src/input-fault.js'
import { reportAssets } from '../src/report/assets.js'
import { cliInside, inDirectory } from './cli-process.js'

const SHORT = ['ring-too-small', '--duration', '1ms', '--set', 'warmup=0ms']

test(
  'a report holds the whole of the chart library and the program that draws, and replaces an older one at once',
  inDirectory(async (directory) => {
    const file = join(directory, 'r.html')
    writeFileSync(file, 'older')
    const { code, stderr } = await cliInside(directory, 'run', ...SHORT, '--report', 'r.html')
    assert.is(code, 0, stderr)
    const page = readFileSync(file, 'utf8')
    const { scripts, style } = await reportAssets()
    assert.equal(
      scripts.map(({ name }) => name),
      ['d3', 'plot', 'page'],
    )
    for (const { text } of scripts) assert.ok(page.includes(text))
    assert.ok(page.includes(style) && page.endsWith('</html>\n'))
    assert.match(page, /default-src 'none'/)
    assert.equal(readdirSync(directory), ['r.html'])
  }),
)

test(
  'a place where no report can be is refused before the run, with all other faults',
  inDirectory(async (directory) => {
    mkdirSync(join(directory, 'd'))
    for (const [given, reason] of [
      ['d', /it is a directory/],
      ['none/r.html', /there is no such directory/],
      ['', /its name is empty/],
      ['/dev/null', /not a regular file/],
    ] as const) {
      for (const command of [
        ['run', ...SHORT],
        ['compare', ...SHORT, '--against', 'eth0.rings.rx=128'],
        ['sweep', ...SHORT, '--vary', 'eth0.rings.rx=64'],
      ]) {
        const args = [...command, '--report', given, '--seed', 'x', '--format', 'json']
        const { code, stdout } = await cliInside(directory, ...args)
        assert.is(code, 2, stdout)
        const errors: readonly InputFault[] = JSON.parse(stdout).errors
        assert.match(errors.find(({ path }) => path === '--report')?.accepted ?? '', reason)
        assert.ok(errors.some(({ path }) => path === '--seed'))
      }
    }
    const { code } = await cliInside(directory, 'run', ...SHORT, '--set', 'eth0.rings.rx=-1', '--report', 'd/r.html')
    assert.is(code, 2)
    assert.equal(readdirSync(join(directory, 'd')), [])
  }),
)

test.run()
