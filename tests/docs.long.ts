/** The commands of the pages that have many: each is run, and each output shown is the real one. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCommands, folderPages, longPages, read } from './docs/commands.js'
import { linksOf } from './docs/page.js'

const docs = suite('the pages about questions')

checkCommands(docs, longPages(), 'tests/dist/docs.long.js')

docs('every question has its page, and the index lists each', () => {
  const numbered = folderPages('docs/questions').filter((page) => /\/\d\d-/.test(page))
  const index = linksOf(read('docs/questions/README.md'))
  assert.is(numbered.length, 25)
  for (const page of numbered) assert.ok(index.includes(page.replace('docs/questions/', '')), page)
})

docs.run()
