/** Files that no scenario can be read from, for tests. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const BOMB = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  'b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]',
  'c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]',
  'd: [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]',
].join('\n')

/** Writes one file of each kind of fault. */
export function writeFaultyFiles(directory: string): void {
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'binary.yaml': Uint8Array.from({ length: 256 }, (_, i) => i),
    'nul.yaml': 'name: a\0b',
    'syntax.yaml': 'name: x\nhosts: [1',
    'twice.yaml': 'name: x\nname: y\n',
    'twice.json': '{\n  "name": "x",\n  "name": "y"\n}',
    'syntax.json': '{\n  "name": \n}',
    'bomb.yaml': BOMB,
    'tag.yaml': 'name: !!js/function "x"\n',
    'deep.yaml': '['.repeat(20_000),
    'deep.json': '{"a":'.repeat(20_000),
    'dashes.yaml': `${'- '.repeat(20_000)}x`,
    'indented.yaml': Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    'large.yaml': ' '.repeat(16 * 1024 * 1024 + 1),
    'two.yaml': 'name: x\n---\nname: y\n',
    'empty.yaml': '',
    'throws.mjs': 'throw new Error("boom")',
    'waits.mjs': 'export default await new Promise(() => {})',
    'promise.mjs': 'export default new Promise(() => {})',
    'bare.mjs': 'export const a = 1',
    'syntax.mjs': 'export default {',
    'function.mjs': 'export default () => 1',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
  mkdirSync(join(directory, 'directory.yaml'))
}
