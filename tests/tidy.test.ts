import { readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  checkArguments,
  checkFileName,
  checkHostReads,
  checkLength,
  checkMachinePaths,
  checkNumbers,
  checkTestRuns,
  checkWords,
} from './tidy/code.js'
import {
  checkCatalog,
  checkImports,
  checkLockFile,
  checkManifest,
  checkRootManifest,
  type Manifest,
  type Package,
} from './tidy/dependencies.js'
import { parseSource, type SourceFile } from './tidy/source.js'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const readJson = <T>(path: string): T => JSON.parse(read(path)) as T

function filesBelow(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, root), { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist')
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`
      return entry.isDirectory() ? filesBelow(path) : [path]
    })
}

const rootManifest = readJson<Manifest>('package.json')
const codeFiles = ['packages', 'examples', 'tests', 'benchmarks', 'scripts'].flatMap(filesBelow)
const parsed = codeFiles.filter((path) => path.endsWith('.ts')).map((path) => parseSource(path, read(path)))
const sources = parsed.filter(({ path }) => /^packages\/[^/]+\/src\//.test(path))
const tests = parsed.filter(({ path }) => /\.(test|long)\.ts$/.test(path))
const packages = readdirSync(new URL('packages/', root)).map((name): Package => {
  const folder = `packages/${name}`
  const { references = [] } = readJson<{ references?: { path: string }[] }>(`${folder}/tsconfig.json`)
  return {
    folder,
    manifest: readJson<Manifest>(`${folder}/package.json`),
    // What begins with a dot and a slash is a part of the package with compiler options of its own.
    references: references.filter(({ path }) => !path.startsWith('./')).map(({ path }) => path.replace('../', '')),
  }
})
const filesOf = (owner: Package): SourceFile[] => parsed.filter(({ path }) => path.startsWith(`${owner.folder}/`))

const none = (faults: string[]): void => assert.is(faults.join('\n'), '')
const one = (faults: string[], pattern: RegExp): void => {
  assert.is(faults.length, 1, `one fault is expected, not ${JSON.stringify(faults)}`)
  assert.match(faults[0] ?? '', pattern)
}

const repository = suite('the repository')

repository('is found', () => {
  assert.is(packages.length, 7)
  assert.ok(sources.length >= packages.length)
  assert.ok(tests.some(({ path }) => path === 'tests/tidy.test.ts'))
})

repository('imports go down a row and are declared', () => {
  none(packages.flatMap((owner) => filesOf(owner).flatMap((file) => checkImports(file, owner, rootManifest))))
})

repository('manifests agree with references and imports', () => {
  none(
    packages.flatMap((owner) =>
      checkManifest(
        owner,
        sources.filter(({ path }) => path.startsWith(`${owner.folder}/`)),
      ),
    ),
  )
})

repository('versions are exact and bound to no registry', () => {
  none([
    ...checkRootManifest(rootManifest),
    ...checkCatalog(read('pnpm-workspace.yaml')),
    ...checkLockFile(read('pnpm-lock.yaml')),
  ])
})

repository('every package is built from the root', () => {
  const { references } = readJson<{ references: { path: string }[] }>('tsconfig.json')
  const wanted = [...packages.map(({ folder }) => folder), 'examples', 'tests', 'benchmarks']
  assert.equal(references.map(({ path }) => path).sort(), wanted.sort())
})

repository('no source reads the host clock or chance', () => none(sources.flatMap(checkHostReads)))

repository('only softnet reads arguments', () => {
  none(sources.filter(({ path }) => !path.startsWith('packages/softnet/')).flatMap(checkArguments))
})

repository('every test file runs its tests', () => none(tests.flatMap(checkTestRuns)))

repository('sources are short', () => none(sources.flatMap(checkLength)))

repository('sources are finished', () => none(sources.flatMap(({ path, text }) => checkWords(path, text))))

repository('sources name no place of a machine', () => {
  none(sources.flatMap(({ path, text }) => checkMachinePaths(path, text)))
})

repository("systems on a packet's way take numbers as constants", () => {
  const [, list = ''] = /NUMBERS = \{([^}]*)\}/.exec(read('packages/kernel/src/numbers.ts')) ?? []
  const tables = new Set(list.match(/\w+/g))
  assert.ok(tables.has('SKB'))
  none(sources.flatMap((source) => checkNumbers(source, tables)))
})

repository('file names say what is inside', () => none(codeFiles.flatMap(checkFileName)))

repository.run()

const checks = suite('each check finds a fault')

const kernel: Package = {
  folder: 'packages/kernel',
  manifest: { name: '@softnet/kernel', dependencies: { '@softnet/ecs': 'workspace:*' } },
  references: ['ecs'],
}
const withDependency = (name: string, range: string): Package => ({
  ...kernel,
  manifest: { name: '@softnet/kernel', dependencies: { ...kernel.manifest.dependencies, [name]: range } },
})
const sample = (text: string, path = 'packages/kernel/src/sample.ts'): SourceFile => parseSource(path, text)
const imports = (text: string, owner = kernel, path?: string): string[] =>
  checkImports(sample(text, path), owner, { name: 'root', devDependencies: { uvu: 'catalog:' } })

checks('imports', () => {
  none(imports("import { x } from '@softnet/ecs'\nimport './other.js'\nimport 'node:url'"))
  one(imports("import { z } from 'zod'"), /package\.json does not name/)
  one(imports("export * from '@softnet/wire'"), /package\.json does not name/)
  one(imports("await import('zod/mini')"), /package\.json does not name/)
  one(imports("import '@softnet/engine'", withDependency('@softnet/engine', 'workspace:*')), /does not go down a row/)
  one(imports("import 'softnet'", withDependency('softnet', 'workspace:*')), /does not go down a row/)
  one(imports("import 'bitecs'", withDependency('bitecs', 'catalog:')), /only @softnet\/ecs may/)
  one(imports("import 'piscina'", withDependency('piscina', 'catalog:')), /only @softnet\/engine may/)
  none(imports("import '@softnet/scenario/plan'", withDependency('@softnet/scenario', 'workspace:*')))
  one(
    imports("import '@softnet/scenario'", withDependency('@softnet/scenario', 'workspace:*')),
    /not @softnet\/scenario\/plan/,
  )
  one(imports("import { readFileSync } from 'node:fs'"), /only softnet reads files/)
  one(imports("import { join } from 'path'"), /lacks node:/)
  one(imports("import '../../wire/src/ipv4.js'"), /outside of its package/)
  one(imports("import '../test/sample.js'"), /outside of its package/)
})

checks('imports of tests', () => {
  const path = 'packages/kernel/test/sample.test.ts'
  none(imports("import 'uvu'\nimport 'node:fs'\nimport '../src/sample.js'", kernel, path))
  one(imports("import 'uvu'"), /package\.json does not name/)
  one(imports("import 'zod'", kernel, path), /package\.json does not name/)
})

checks('manifests', () => {
  const importer = [sample("import '@softnet/ecs'\nimport 'zod'\nimport '@softnet/engine'")]
  none(checkManifest(kernel, importer))
  one(checkManifest({ ...kernel, references: [] }, importer), /does not refer to @softnet\/ecs/)
  one(checkManifest({ ...kernel, references: ['ecs', 'wire'] }, importer), /does not depend on wire/)
  one(checkManifest(kernel, []), /imports it nowhere/)
  one(checkManifest(withDependency('zod', '^4.0.0'), importer), /has to be catalog:/)
  const sideways = { ...withDependency('@softnet/engine', 'workspace:*'), references: ['ecs', 'engine'] }
  one(checkManifest(sideways, importer), /does not go down a row/)
})

checks('versions', () => {
  const packageManager = 'pnpm@10.1.2'
  none(checkRootManifest({ name: 'root', packageManager, devDependencies: { uvu: 'catalog:' } }))
  one(checkRootManifest({ name: 'root', packageManager, devDependencies: { uvu: '0.5.6' } }), /has to be catalog:/)
  one(checkRootManifest({ name: 'root', packageManager: 'pnpm@10' }), /not exact/)
  none(checkCatalog("catalog:\n  '@types/node': 20.1.2\n  zod: 4.1.0\n\nother: x\n"))
  one(checkCatalog('catalog:\n  zod: ^4.1.0\n'), /no exact version/)
  one(checkCatalog('packages:\n  - x\n'), /no catalog/)
  none(checkLockFile('resolution: {integrity: sha512-x==}'))
  one(checkLockFile('resolution: {tarball: x.tgz}'), /records an address/)
  one(checkLockFile('resolved: https://example.org/x.tgz'), /records an address/)
})

checks('host clock and chance', () => {
  none(checkHostReads(sample('// Date.now()\nconst a = new Date(5)\nconst b = Math.sqrt(2)')))
  one(checkHostReads(sample('const a = Date.now()')), /reads Date\.now/)
  one(checkHostReads(sample('const a = globalThis.performance.now()')), /reads performance\.now/)
  one(checkHostReads(sample('const a = Math.random')), /reads Math\.random/)
  one(checkHostReads(sample('const a = new Date()')), /reads the date/)
  one(checkHostReads(sample('const a = new Date')), /reads the date/)
  one(checkHostReads(sample("import { performance as p } from 'node:perf_hooks'")), /imports node:perf_hooks/)
  none(checkHostReads(sample('const a = Date.now()', 'packages/engine/src/host-clock.ts')))
})

checks('arguments', () => {
  none(checkArguments(sample('const argv = options.argv')))
  one(checkArguments(sample('const a = process.argv[2]')), /sample\.ts:1: reads process\.argv/)
})

checks('test files', () => {
  none(checkTestRuns(sample("import { test } from 'uvu'\ntest('a', () => {})\ntest.run()")))
  none(checkTestRuns(sample("const a = suite('a')\na.run()")))
  one(checkTestRuns(sample("import { test } from 'uvu'\ntest('a', () => {})\n// test.run()")), /test\.run\(\)/)
  one(checkTestRuns(sample("const a = suite('a')\nconst b = suite('b')\na.run()")), /b\.run\(\)/)
  one(checkTestRuns(sample('export {}')), /makes no test/)
})

checks('text', () => {
  none(checkLength(sample('x\n'.repeat(500))))
  one(checkLength(sample('x\n'.repeat(501))), /501 lines/)
  none(checkWords('a.ts', 'shacked'))
  for (const word of ['TODO', 'FixMe', 'xxx', 'a hack', 'placeholder', 'For now', 'not implemented']) {
    one(checkWords('a.ts', `fine\n// ${word}: x`), /^a\.ts:2: says/)
  }
  none(checkMachinePaths('a.ts', "'/proc/net/snmp' './work/x'"))
  for (const folder of ['work', 'home', 'tmp']) one(checkMachinePaths('a.ts', `'/${folder}/x'`), /names/)
})

checks('numbers', () => {
  const numbers = (text: string): string[] =>
    checkNumbers(
      sample(`import { SKB } from '../skb/components.js'\n${text}`, 'packages/kernel/src/gro/sample.ts'),
      new Set(['SKB']),
    )
  none(numbers('defineSystem(() => { const { SKB } = NUMBERS; return SKB.gso })'))
  none(numbers('const bits = SKB.gso\ndefineSystem(() => bits /* SKB */)'))
  one(numbers('defineSystem(() => SKB.gso)'), /sample\.ts:2: uses SKB without/)
  one(numbers('defineSystem(() => { const { STAGE } = NUMBERS; return SKB.gso })'), /uses SKB without/)
})

checks('file names', () => {
  none(checkFileName('packages/ecs/src/event-list.ts'))
  for (const name of ['utils.ts', 'helpers.ts', 'common.ts', 'util.test.ts']) one(checkFileName(`a/${name}`), /nothing/)
  one(checkFileName('a/eventList.ts'), /kebab-case/)
})

checks.run()
