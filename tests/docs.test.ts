/**
 * Pages cannot go stale: their commands run, their outputs are the real ones, their programs compile and run, their
 * links lead somewhere. `SOFTNET_DOCS=update` writes the outputs of this version into the pages.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCommands, folderPages, isQuick, longPages, notRun, read, root, wordsOf } from './docs/commands.js'
import { blocksOf, commandsOf, linksOf } from './docs/page.js'
import { compilePrograms } from './docs/typed-blocks.js'
import { runCli, runProgram } from './support/cli.js'

const modelPages = readdirSync(join(root, 'packages/kernel/src'))
  .map((name) => `packages/kernel/src/${name}/model.md`)
  .filter((path) => existsSync(join(root, path)))
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...folderPages('docs'), ...modelPages]
const manifest = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly packageManager: string
}

const docs = suite('the documentation')

checkCommands(docs, pages, 'tests/dist/docs.test.js', isQuick)

docs('every TypeScript block compiles, and whole programs run', async () => {
  const cache = join(root, 'node_modules/.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'docs-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
    const files: string[] = []
    for (const page of [...pages, ...folderPages('docs/questions')]) {
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
      const { code, stdout, stderr } = await runProgram([file.replace(/\.ts$/, '.js')])
      assert.is(code, 0, stderr)
      assert.is.not(stdout, '', `${file} prints nothing`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

docs('every npm command is a script of the workspace', () => {
  const commands = [...new Set([...pages, ...longPages()])]
    .flatMap((page) => commandsOf(read(page)))
    .filter((command) => command.startsWith('npm '))
  assert.ok(commands.length >= 2)
  for (const command of commands) {
    const [, verb, name] = wordsOf(command) as [string, string, string?]
    const script = verb === 'run' ? (name ?? '') : verb
    assert.ok(script in manifest.scripts, `${command}: package.json has no script ${script}`)
  }
})

docs('nothing on a page is left out: every command is run, and every text is the output of one', () => {
  for (const page of new Set([...pages, ...longPages()])) {
    assert.equal(notRun(page), [], page)
    for (const { language, line, source, text } of blocksOf(read(page))) {
      if (language !== 'text' || source !== null) continue
      // What plugins without an order are told is compared with the page by their own test.
      assert.match(
        text,
        /^error: plugins: accepted: an order/,
        `${page}:${line}: nobody says what this is the output of`,
      )
    }
  }
})

/** What a part of a scenario on a page is put behind. */
const SCENARIO = `
hosts:
  server:
    devices:
      eth0: { driver: ixgbe, address: 192.0.2.1/24, xdp: { mode: native } }
      eth1: { driver: ixgbe, address: 198.18.0.1/24, channels: { combined: 1 } }
    apps: { sink: {} }
traffic: { load: { to: server/eth0, rate: 100kpps } }
`

docs('every YAML block is part of a scenario that can be run', async () => {
  let checked = 0
  for (const page of new Set([...pages, ...longPages()])) {
    for (const { language, line, text } of blocksOf(read(page))) {
      if (language !== 'yaml') continue
      checked++
      // What names hosts is a scenario of its own.
      writeFileSync('part.yaml', `${/^hosts:/m.test(text) ? '' : SCENARIO}${text}\n`)
      const { code, stderr } = await runCli(['check', 'part.yaml'])
      assert.is(code, 0, `${page}:${line}: ${stderr}`)
    }
  }
  assert.ok(checked >= 1)
})

docs('links lead to files', () => {
  const broken = [...new Set([...new Set([...pages, ...longPages()])])].flatMap((page) =>
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
