/** HTML in which nothing from outside can be markup: what is put into a template is escaped unless it is HTML itself. */

/** A piece of finished HTML. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** What a template takes. */
export type HtmlPart = Html | string | number | null | readonly HtmlPart[]

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as it may stand between tags and inside of quoted attributes; control characters become a middle dot. */
export function escapeHtml(text: string): string {
  const shown = text.replaceAll(/\p{Cc}/gu, (char) => (char === '\n' || char === '\t' ? char : '·'))
  return shown.replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char)
}

function partText(part: HtmlPart): string {
  if (part === null) return ''
  if (part instanceof Html) return part.text
  if (Array.isArray(part)) return part.map((each: HtmlPart) => partText(each)).join('')
  return escapeHtml(String(part))
}

/** Template of HTML. */
export function html(texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(texts.map((text, index) => text + partText(parts[index] ?? null)).join(''))
}

/** Data as JSON that may stand in a script element, whatever it holds. */
export function jsonForScript(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll('<', '\\u003c'))
}

/** Program text as it may stand in a script element. */
export function scriptText(text: string): Html {
  return new Html(text.replaceAll(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--'))
}

/** A table with a caption: headings, then rows; the first column of a row is its heading. */
export function table(
  caption: HtmlPart,
  headings: readonly HtmlPart[],
  rows: readonly (readonly HtmlPart[])[],
  textColumns: readonly number[] = [0],
): Html {
  const cell = (part: HtmlPart, column: number): Html => {
    const isText = new Html(textColumns.includes(column) ? ' class="text"' : '')
    return column === 0 ? html`<th scope="row"${isText}>${part}</th>` : html`<td${isText}>${part}</td>`
  }
  const head = headings.map((part, column) =>
    textColumns.includes(column) ? html`<th scope="col" class="text">${part}</th>` : html`<th scope="col">${part}</th>`,
  )
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody></table></div>`
}
