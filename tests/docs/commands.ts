/** Commands of the pages, run once each in a folder of their own, and what the pages must show of them. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { uvu } from 'uvu'
import * as assert from 'uvu/assert'
import { type Finished, runCli } from '../support/cli.js'
import { blocksOf, commandsOf, fileLines, replaceBlock, shownLines, withoutWallTime } from './page.js'

/** Root of the repository. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Text of a file by its path from the root. */
export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Pages of a folder, by their path from the root. */
export const folderPages = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)

/** Pages whose many commands are run by the long test; the short one looks at their links. */
export const longPages = (): string[] => [
  ...folderPages('docs').filter((page) => page !== 'docs/README.md'),
  ...folderPages('docs/questions'),
]

/** Commands that make many runs, on whatever page: for the long test. */
const MANY_RUNS = /^npx softnet (sweep|compare|explain) /

/** True if the short test runs a command of a page, false if the long one does. */
export const isQuick = (page: string, command: string): boolean =>
  !longPages().includes(page) && !MANY_RUNS.test(command)

/** Words of a command line; double and single quotes hold words together. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/["']/g, ''))
}

/**
 * Adds to a suite that each command of the pages ends well and that each output shown is the real one.
 *
 * `SOFTNET_DOCS=update` writes the outputs of this version into the pages; `test` is the file that does so. Commands that
 * `isOurs` refuses are another test's.
 */
export function checkCommands(
  suite: uvu.Test<Record<string, unknown>>,
  pages: readonly string[],
  test: string,
  isOurs: (page: string, command: string) => boolean,
): void {
  const finished = new Map<string, Promise<Finished>>()
  let last: Promise<unknown> = Promise.resolve()
  let workshop = ''

  const runnable = (page: string): string[] =>
    commandsOf(read(page)).filter((command) => command.startsWith('npx softnet ') && isOurs(page, command))

  /** Runs a command of the pages once, however often it is asked for, in the order of the pages. */
  const outcome = (command: string): Promise<Finished> => {
    const known = finished.get(command)
    if (known !== undefined) return known
    const argv = command === 'npm start' ? ['run'] : wordsOf(command).slice(2)
    const started = last.then(() => runCli(argv))
    last = started
    finished.set(command, started)
    return started
  }

  suite.before(() => {
    workshop = mkdtempSync(join(tmpdir(), 'softnet-docs-'))
    // The repository's examples and data are where they are in the root.
    for (const name of ['examples', 'tests']) symlinkSync(join(root, name), join(workshop, name), 'junction')
    process.chdir(workshop)
    // One after the other in threads of their own, while the other tests read and compile.
    for (const page of pages) for (const command of runnable(page)) outcome(command)
  })

  suite.after(() => {
    process.chdir(root)
    rmSync(workshop, { recursive: true, force: true })
  })

  suite('every softnet command ends with exit code 0', async () => {
    const commands = [...new Set(pages.flatMap(runnable))]
    assert.ok(commands.length >= 10)
    for (const command of commands) {
      const { code, stderr } = await outcome(command)
      assert.is(code, 0, `${command}: exit code ${code}: ${stderr.trim()}`)
    }
  })

  suite('outputs on the pages are the real ones', async () => {
    let compared = 0
    const stale: string[] = []
    for (const page of pages) {
      let text = read(page)
      for (const { source, line, text: shown } of blocksOf(text).reverse()) {
        if (source === null || !isOurs(page, source.command)) continue
        compared++
        const { code, stdout, stderr } = await outcome(source.command)
        assert.is(code, 0, `${source.command}: ${stderr}`)
        const real =
          source.file === null
            ? shownLines(stdout, source.labels)
            : fileLines(readFileSync(join(workshop, source.file), 'utf8'), source.labels)
        assert.is.not(real, '', `${page}:${line}: no line of the output is ${source.labels.join(' or ')}`)
        if (withoutWallTime(real) === withoutWallTime(shown)) continue
        stale.push(`${page}:${line}: the output of ${source.command} is now\n${real}`)
        text = replaceBlock(text, line, real)
      }
      if (process.env.SOFTNET_DOCS === 'update') writeFileSync(join(root, page), text)
    }
    assert.ok(compared >= 1)
    if (process.env.SOFTNET_DOCS === 'update') return
    const renew = `SOFTNET_DOCS=update node scripts/test-group.mjs ${test}`
    assert.is(stale.join('\n'), '', `outputs have changed; renew them with: ${renew}`)
  })
}
