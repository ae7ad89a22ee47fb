// TypeDoc plugin: a Markdown page has its first heading as its name, without a head of TypeDoc's own in the file, and a
// place in the navigation by its folder.
import { relative, sep } from 'node:path'
import { Converter } from 'typedoc'
import { root } from './workspace.mjs'

const GROUPS = [
  ['docs/questions/', 'Questions'],
  ['packages/kernel/src/', 'Model pages'],
  ['docs/', 'Documentation'],
]
const REST = 'Project'

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const heading = takeHeading(page)
    if (!/^# ./.test(heading)) throw new Error(`${page.name} has to begin with a heading`)
    // Numbered pages in the order of their numbers, not of their digits.
    page.name = heading
      .slice(2)
      .replaceAll('`', '')
      .replace(/^(\d)\. /, '0$1. ')
    const file = relative(root, page.project.files.getReflectionPath(page) ?? '').replaceAll(sep, '/')
    page.frontmatter.group = GROUPS.find(([folder]) => file.startsWith(folder))?.[1] ?? REST
  })
}

/** Takes the first line off a page; code in it is a part of its own. */
function takeHeading(page) {
  let heading = ''
  for (let part = page.content[0]; part !== undefined; part = page.content[0]) {
    const end = part.text.indexOf('\n')
    if (end >= 0) {
      heading += part.text.slice(0, end)
      part.text = part.text.slice(end + 1)
      return heading
    }
    heading += part.text
    page.content.shift()
  }
  return heading
}
