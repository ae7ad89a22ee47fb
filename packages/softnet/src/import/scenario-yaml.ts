/** The imported scenario as YAML, with what was found, guessed and ignored beside it. */
import { Document, isCollection, isMap, isPair, isScalar, type Node } from 'yaml'
import type { Remark, ScenarioDraft } from './scenario-draft.js'

const COMMENT_COLUMNS = 110

/** Where a value is from, as the comment behind it says it. */
function originOf({ kind, source, text }: Remark): string {
  const from = kind === 'found' ? (source ?? '') : 'guess'
  return text === '' ? ` ${from}` : ` ${from}: ${text}`
}

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > COMMENT_COLUMNS) {
      lines.push(line)
      line = `     ${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Lines about what has no value of its own in the file. */
function overview(draft: ScenarioDraft, directory: string): string {
  const { remarks } = draft
  const left = remarks.filter(({ kind }) => kind === 'default')
  const ignored = remarks.filter(({ kind }) => kind === 'ignored')
  const found = remarks.filter(({ kind }) => kind === 'found').length
  const part = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : [title, ...lines])
  const lines = [
    `A host as softnet import read it from ${directory}: ${found} settings found, each with its file and line.`,
    'A guess is no setting of the host. Traffic and programs are guesses: put in what you know.',
    ...part(
      'Left at defaults:',
      left.map(({ path, text }) => `  ${path}: ${text}`),
    ),
    ...part(
      'On the host, and not in this scenario:',
      ignored.map(({ text, source }) => `  ${text}${source === null ? '' : ` (${source})`}`),
    ),
  ]
  return lines
    .flatMap(wrapped)
    .map((line) => ` ${printable(line)}`)
    .join('\n')
}

/** Text of a host's files without what would end a comment or move a cursor. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}

/** The scenario of a draft as commented YAML. */
export function scenarioYaml(draft: ScenarioDraft, directory: string): string {
  const document = new Document(draft.root)
  const visit = (node: unknown, path: string): void => {
    const remark = draft.remarks.find(
      (each) => each.path === path && (each.kind === 'found' || each.kind === 'guessed'),
    )
    if (remark !== undefined && (isScalar(node) || isCollection(node))) {
      if (isCollection(node)) node.flow = true
      node.comment = printable(originOf(remark))
      return
    }
    if (!isMap(node)) return
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue
      const key = String(pair.key.value)
      visit(pair.value as Node, path === '' ? key : `${path}.${key}`)
    }
  }
  visit(document.contents, '')
  document.commentBefore = overview(draft, directory)
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}
