/** Scenario text as tired, mistaken and malicious people write it, drawn from a seed. */
import type { Draw } from './draw.js'

const VALUES = [
  ...[
    '',
    '~',
    'null',
    'yes',
    'off',
    '-1',
    '0',
    '1.5',
    '1e999',
    '-.inf',
    '.nan',
    '0x10',
    '0o17',
    '1_000',
    '99999999999999999999',
  ],
  ...[
    '[]',
    '{}',
    '[[[[]]]]',
    '[1, 2',
    '{a: ',
    '"open',
    "'open",
    '"\\u0000"',
    '"\\ud800"',
    '!!binary AA==',
    '!!js/function x',
    '&a [*a]',
  ],
  ...[
    '*none',
    '<<',
    '5 parsecs',
    '10Gbits',
    '-1us',
    '1h',
    '9001s',
    '256.256.0.1/24',
    '192.0.2.1/33',
    '192.0.2.1',
    'ff:ff',
    '02:00:00:00:00:00:01',
  ],
  ...[
    '0-',
    '3-1',
    '0-99999',
    '0-4294967295',
    'fffffffff',
    'all',
    '__proto__',
    'constructor',
    'toString',
    '{__proto__: {x: 1}}',
    '../../etc/passwd',
  ],
  ...[
    '"é\u{1F600}\u202e"',
    '|',
    '>-',
    '? a',
    '- -',
    '\t1',
    '{to: nowhere}',
    '[{}]',
    '[null]',
    '2024-01-01',
    'true',
    `"${'x'.repeat(5000)}"`,
  ],
] as const
const KEYS = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  '<<',
  'cpu',
  'hosts',
  'kind',
  '""',
  '? [a]',
  '1',
  'null',
  'é',
  'x'.repeat(300),
]
const LETTERS = [
  '\t',
  '\0',
  ':',
  '-',
  '[',
  '{',
  '}',
  '"',
  "'",
  '#',
  '&',
  '*',
  '!',
  '|',
  '%',
  '@',
  '`',
  '\r',
  '\u2028',
  '\ufeff',
  'é',
  ' ',
  '\n',
]

function lineOf(draw: Draw, lines: readonly string[]): number {
  return draw.below(lines.length)
}

/** One change to a text. */
function change(draw: Draw, text: string): string {
  const lines = text.split('\n')
  const at = lineOf(draw, lines)
  const line = lines[at] as string
  switch (draw.below(11)) {
    case 0:
      lines.splice(at, draw.between(1, 4))
      break
    case 1:
      lines.splice(at, 0, lines[lineOf(draw, lines)] as string)
      break
    case 2:
      lines[at] = ' '.repeat(draw.below(9)) + line.trimStart()
      break
    case 3:
      lines[at] = line.replace(/^ +/, (spaces) => '\t'.repeat(Math.ceil(spaces.length / 2)))
      break
    case 4:
    case 5:
      lines[at] = line.replace(/: .*$/, () => `: ${draw.pick(VALUES)}`)
      break
    case 6: {
      // A value inside a list or map of one line.
      const parts = line.split(/(?<=[[{,:] ?)[^[\]{},:]+/)
      lines[at] = parts.join(draw.pick(VALUES))
      break
    }
    case 7:
      lines[at] = line.replace(/[\w.-]+:/, () => `${draw.pick(KEYS)}:`)
      break
    case 8: {
      const position = draw.below(text.length)
      return text.slice(0, position) + draw.pick(LETTERS) + text.slice(position + draw.below(2))
    }
    case 9:
      return text.slice(0, draw.below(text.length))
    default:
      lines[at] = line.replace(/\d+/, () =>
        draw.pick(['0', '-5', '4294967296', '1e18', '007', '3.7', '65536', '99999']),
      )
  }
  return lines.join('\n')
}

/** A scenario's text with one to four changes. */
export function hostileText(draw: Draw, text: string): string {
  let changed = text
  for (let count = draw.between(1, 4); count > 0; count--) changed = change(draw, changed)
  return changed
}
