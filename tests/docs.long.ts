/** The commands of the pages that have many: each is run, and each output shown is the real one. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCommands, folderPages, isQuick, longPages, read, root } from './docs/commands.js'
import { linksOf } from './docs/page.js'

const docs = suite('the pages about questions')

checkCommands(
  docs,
  ['README.md', ...longPages()],
  'tests/dist/docs.long.js',
  (page, command) => !isQuick(page, command),
)

docs('every question has its page, and the index lists each', () => {
  const numbered = folderPages('docs/questions').filter((page) => /\/\d\d-/.test(page))
  const index = linksOf(read('docs/questions/README.md'))
  assert.is(numbered.length, 27)
  for (const page of numbered) assert.ok(index.includes(page.replace('docs/questions/', '')), page)
})

docs('the list of examples is whole', () => {
  const listed = linksOf(read('examples/README.md')).filter((target) => target.endsWith('.yaml'))
  const present = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml'))
  assert.equal(listed, present.sort())
})

docs.run()
