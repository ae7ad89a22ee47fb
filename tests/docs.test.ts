/**
 * Pages cannot go stale: their commands run, their outputs are the real ones, their programs compile and run, their
 * links lead somewhere. `SOFTNET_DOCS=update` writes the outputs of this version into the pages.
 */
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf, commandsOf, linksOf, replaceBlock, shownLines, withoutWallTime } from './docs/page.js'
import { compilePrograms } from './docs/typed-blocks.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const folderPages = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`)
const modelPages = readdirSync(join(root, 'packages/kernel/src'))
  .map((name) => `packages/kernel/src/${name}/model.md`)
  .filter((path) => existsSync(join(root, path)))
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...folderPages('docs'), ...modelPages]
const manifest = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly packageManager: string
}

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Commands run in a folder of their own, in which the repository's examples and data are where they are in the root. */
const workshop = mkdtempSync(join(tmpdir(), 'softnet-docs-'))
for (const name of ['examples', 'tests']) symlinkSync(join(root, name), join(workshop, name), 'junction')

/** The command line as a function: each run has a thread of its own all the same. */
const cli: { main(argv: readonly string[], streams: { stdout: Writable; stderr: Writable }): Promise<number> } =
  await import(new URL('../../packages/softnet/dist/src/cli.js', import.meta.url).href)

const finished = new Map<string, Promise<Finished>>()
let last: Promise<unknown> = Promise.resolve()

/** Words of a command line; double and single quotes hold words together. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/["']/g, ''))
}

/** A stream that keeps what is written to it. */
function keeper(): { readonly stream: Writable; text(): string } {
  const parts: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      parts.push(chunk.toString('utf8'))
      done()
    },
  })
  return { stream, text: () => parts.join('') }
}

async function execute(argv: readonly string[]): Promise<Finished> {
  const stdout = keeper()
  const stderr = keeper()
  const code = await cli.main(argv, { stdout: stdout.stream, stderr: stderr.stream })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** Runs a command of the pages once, however often it is asked for, in the order of the pages. */
function outcome(command: string): Promise<Finished> {
  const known = finished.get(command)
  if (known !== undefined) return known
  const argv = command === 'npm start' ? ['run'] : wordsOf(command).slice(2)
  const started = last.then(() => execute(argv))
  last = started
  finished.set(command, started)
  return started
}

function runProgram(file: string): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const runnable = (page: string): string[] =>
  commandsOf(read(page)).filter((command) => command.startsWith('npx softnet '))

const docs = suite('the documentation')

docs.before(() => {
  process.chdir(workshop)
  // One after the other in threads of their own, while the tests below read and compile.
  for (const page of pages) for (const command of runnable(page)) outcome(command)
})

docs.after(() => {
  process.chdir(root)
  rmSync(workshop, { recursive: true, force: true })
})

docs('every TypeScript block compiles, and whole programs run', async () => {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'docs-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
    const files: string[] = []
    for (const page of pages) {
      for (const { language, text, line } of blocksOf(read(page))) {
        if (language !== 'ts') continue
        const file = join(folder, `${page.replace(/\W+/g, '-')}-${line}.ts`)
        writeFileSync(file, text)
        files.push(file)
      }
    }
    assert.ok(files.length >= 1)
    assert.is(compilePrograms(files, folder).join('\n'), '')
    for (const file of files) {
      const text = readFileSync(file, 'utf8')
      // Fragments, and modules for others to load, are only compiled.
      if (!/^import /m.test(text) || /^export default /m.test(text)) continue
      const { code, stdout, stderr } = await runProgram(file.replace(/\.ts$/, '.js'))
      assert.is(code, 0, stderr)
      assert.is.not(stdout, '', `${file} prints nothing`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

docs('every npm command is a script of the workspace', () => {
  const commands = pages.flatMap((page) => commandsOf(read(page))).filter((command) => command.startsWith('npm '))
  assert.ok(commands.length >= 2)
  for (const command of commands) {
    const [, verb, name] = wordsOf(command) as [string, string, string?]
    const script = verb === 'run' ? (name ?? '') : verb
    assert.ok(script in manifest.scripts, `${command}: package.json has no script ${script}`)
  }
})

docs('every softnet command ends with exit code 0', async () => {
  const commands = [...new Set(pages.flatMap(runnable))]
  assert.ok(commands.length >= 10)
  for (const command of commands) {
    const { code, stderr } = await outcome(command)
    assert.is(code, 0, `${command}: exit code ${code}: ${stderr.trim()}`)
  }
})

docs('outputs on the pages are the real ones', async () => {
  let compared = 0
  const stale: string[] = []
  for (const page of pages) {
    let text = read(page)
    for (const { source, line, text: shown } of blocksOf(text).reverse()) {
      if (source === null) continue
      compared++
      const { code, stdout, stderr } = await outcome(source.command)
      assert.is(code, 0, `${source.command}: ${stderr}`)
      const real = shownLines(stdout, source.labels)
      assert.is.not(real, '', `${page}:${line}: no line of the output is ${source.labels.join(' or ')}`)
      if (withoutWallTime(real) === withoutWallTime(shown)) continue
      stale.push(`${page}:${line}: the output of ${source.command} is now\n${real}`)
      text = replaceBlock(text, line, real)
    }
    if (process.env.SOFTNET_DOCS === 'update') writeFileSync(join(root, page), text)
  }
  assert.ok(compared >= 1)
  if (process.env.SOFTNET_DOCS === 'update') return
  const renew = `SOFTNET_DOCS=update node scripts/test-group.mjs tests/dist/docs.test.js`
  assert.is(stale.join('\n'), '', `outputs have changed; renew them with: ${renew}`)
})

docs('links lead to files', () => {
  const broken = pages.flatMap((page) =>
    linksOf(read(page))
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  )
  assert.is(broken.join('\n'), '')
})

docs('every folder of the kernel that holds systems has a model page, and the index lists each', () => {
  const index = new Set(linksOf(read('docs/models.md')).map((target) => target.replace(/^\.\.\//, '')))
  const withoutPage = new Set(['build', 'observe'])
  for (const entry of readdirSync(join(root, 'packages/kernel/src'), { withFileTypes: true })) {
    if (!entry.isDirectory() || withoutPage.has(entry.name)) continue
    const page = `packages/kernel/src/${entry.name}/model.md`
    assert.ok(existsSync(join(root, page)), `${page} is missing`)
    assert.ok(index.has(page), `docs/models.md does not list ${page}`)
  }
})

docs('the table of dependencies says what the catalog says', () => {
  const catalog = new Map(
    [...read('pnpm-workspace.yaml').matchAll(/^ {2}'?([@\w/.-]+?)'?: (\d\S*)$/gm)].map(([, name, version]) => [
      name,
      version,
    ]),
  )
  catalog.set('pnpm', manifest.packageManager.replace('pnpm@', ''))
  const table = new Map(
    [...read('docs/architecture.md').matchAll(/^\| (\S+) \| (\d\S*) \|/gm)].map(([, name, version]) => [name, version]),
  )
  assert.equal([...table].sort(), [...catalog].sort())
})

docs.run()
