/** Commands of the pages, run once each in a folder of their own, and what the pages must show of them. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { uvu } from 'uvu'
import * as assert from 'uvu/assert'
import { type Finished, runCli } from '../support/cli.js'
import {
  blocksOf,
  commandLinesOf,
  fileLines,
  otherCommandsOf,
  replaceBlock,
  shownLines,
  withoutWallTime,
} from './page.js'

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

/** The second half of a before and after: for the long test. */
const CHANGED_RUN = /^npx softnet run (?!my-host).* --set /

/** True if the short test runs a command of a page, false if the long one does. */
export const isQuick = (page: string, command: string): boolean =>
  !longPages().includes(page) && !MANY_RUNS.test(command) && !CHANGED_RUN.test(command)

/** Words of a command line; double and single quotes hold words together. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/["']/g, ''))
}

/** A program of this machine, in the folder the commands of the pages run in; one that is not installed is skipped. */
function runProgram([name = '', ...rest]: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(name === 'node' ? process.execPath : name, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text) => {
        output[stream] += text
      })
    }
    child.on('error', () => {
      console.log(`skipped: ${name} is not installed`)
      resolve({ code: 0, ...output })
    })
    child.on('close', (code) => resolve({ code, ...output }))
  })
}

/** Runs a line of a page; `> FILE` at its end takes what it prints. */
async function runLine(line: string): Promise<Finished> {
  const [, command = '', file] = /^(.*?)(?: > (\S+))?$/.exec(line) ?? []
  const words = wordsOf(command)
  const finished = await (command.startsWith('npx softnet ') ? runCli(words.slice(2)) : runProgram(words))
  if (file !== undefined) writeFileSync(file, finished.stdout)
  return finished
}

/** Commands that a page tells a reader to run and that are not softnet's: they are run too. */
const isProgram = (command: string): boolean => /^(sh|node) /.test(command) && !isTestFile(command)

/** Test files have a test run of their own. */
const isTestFile = (command: string): boolean => {
  const [, name] = /^node tests\/dist\/([\w.-]+)\.js$/.exec(command) ?? []
  return name !== undefined && existsSync(join(root, 'tests', `${name}.ts`))
}

/** Lines of a page's blocks that nothing runs. */
export function notRun(page: string): string[] {
  const isScript = (line: string) => /^npx pnpm build$/.test(line)
  return otherCommandsOf(read(page)).filter((line) => !isProgram(line) && !isTestFile(line) && !isScript(line))
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
    commandLinesOf(read(page)).filter(
      (command) => (command.startsWith('npx softnet ') || isProgram(command)) && isOurs(page, command),
    )

  /** Runs a command of the pages once, however often it is asked for, in the order of the pages. */
  const outcome = (command: string): Promise<Finished> => {
    const known = finished.get(command)
    if (known !== undefined) return known
    const started = last.then(() => (command === 'npm start' ? runCli(['run']) : runLine(command)))
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
