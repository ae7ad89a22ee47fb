import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { importedNames, type SourceFile } from './source.js'

/** Row of each package: imports go to a smaller number only. */
const rowOf: Readonly<Record<string, number>> = {
  '@softnet/ecs': 1,
  '@softnet/wire': 1,
  '@softnet/scenario': 1,
  '@softnet/kernel': 2,
  '@softnet/engine': 2,
  '@softnet/observe': 2,
  softnet: 3,
}

/** Modules that one package alone may import. */
const ownerOf: Readonly<Record<string, string>> = { bitecs: '@softnet/ecs', piscina: '@softnet/engine' }

/** Built-in modules that reach files; only row 3 may import them in its sources. */
const fileModules = new Set(['node:fs', 'node:fs/promises'])

/** Packages that run in every thread: they know plans, not the schema, which takes a fifth of a second to load. */
const plansOnly = new Set(['@softnet/kernel', '@softnet/observe'])

/** A package.json with what the checks read of it. */
export interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** One package of the workspace; `folder` is relative to the repository, `references` are folder names beside it. */
export interface Package {
  readonly folder: string
  readonly manifest: Manifest
  readonly references: readonly string[]
}

/** Faults in what a source or test file of a package imports. */
export function checkImports(source: SourceFile, owner: Package, root: Manifest): string[] {
  const faults: string[] = []
  const isTest = source.path.startsWith(`${owner.folder}/test/`)
  const declared = new Set(Object.keys(owner.manifest.dependencies ?? {}))
  if (isTest) {
    for (const name of Object.keys(owner.manifest.devDependencies ?? {})) declared.add(name)
    for (const name of Object.keys(root.devDependencies ?? {})) if (!(name in rowOf)) declared.add(name)
  }
  for (const name of importedNames(source)) {
    const say = (what: string): void => void faults.push(`${source.path}: imports ${name}, ${what}`)
    if (name.startsWith('.')) {
      const target = posix.normalize(posix.join(posix.dirname(source.path), name))
      if (!target.startsWith(`${owner.folder}/${isTest ? '' : 'src/'}`)) say('which is outside of its package')
      continue
    }
    if (name.startsWith('node:')) {
      if (fileModules.has(name) && owner.manifest.name !== 'softnet' && !isTest) say('but only softnet reads files')
      continue
    }
    if (builtinModules.includes(name)) {
      say('which lacks node:')
      continue
    }
    const target = packageNameOf(name)
    if (target === owner.manifest.name && isTest) continue
    if (!declared.has(target)) say('which its package.json does not name')
    const onlyIn = ownerOf[target]
    if (onlyIn !== undefined && onlyIn !== owner.manifest.name) say(`which only ${onlyIn} may`)
    if (target in rowOf && !goesDown(owner.manifest.name, target)) say('which does not go down a row')
    if (name === '@softnet/scenario' && !isTest && plansOnly.has(owner.manifest.name)) say('not @softnet/scenario/plan')
  }
  return faults
}

/** Faults in a package's manifest: unlike references, a dependency nobody imports, a version outside of the catalog. */
export function checkManifest(owner: Package, sources: readonly SourceFile[]): string[] {
  const faults: string[] = []
  const { name, dependencies = {}, devDependencies = {} } = owner.manifest
  const imported = new Set(sources.flatMap(importedNames).map(packageNameOf))
  const own = Object.keys(dependencies).filter((target) => target in rowOf)
  for (const target of own) {
    if (!owner.references.includes(folderOf(target))) faults.push(`${name}: tsconfig.json does not refer to ${target}`)
    if (!goesDown(name, target)) faults.push(`${name}: depends on ${target}, which does not go down a row`)
  }
  for (const folder of owner.references) {
    if (!own.some((target) => folderOf(target) === folder))
      faults.push(`${name}: package.json does not depend on ${folder}`)
  }
  for (const target of Object.keys(dependencies)) {
    if (!imported.has(target)) faults.push(`${name}: depends on ${target} and imports it nowhere`)
  }
  for (const [target, range] of Object.entries({ ...dependencies, ...devDependencies })) {
    const wanted = target in rowOf ? 'workspace:*' : 'catalog:'
    if (range !== wanted) faults.push(`${name}: ${target} is ${range} and has to be ${wanted}`)
  }
  return faults
}

/** Faults in the root manifest: a version outside of the catalog, a package manager without exact version. */
export function checkRootManifest(manifest: Manifest & { readonly packageManager?: string }): string[] {
  const faults: string[] = []
  for (const [target, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    const wanted = target in rowOf ? 'workspace:*' : 'catalog:'
    if (range !== wanted) faults.push(`root: ${target} is ${range} and has to be ${wanted}`)
  }
  if (!/^pnpm@\d+\.\d+\.\d+$/.test(manifest.packageManager ?? '')) faults.push('root: packageManager is not exact')
  return faults
}

/** Faults in the catalog of pnpm-workspace.yaml: a version that is not exact, or no version at all. */
export function checkCatalog(text: string): string[] {
  const block = /^catalog:\n((?: {2}.*\n|\n)+)/m.exec(text)?.[1] ?? ''
  const lines = block.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) return ['pnpm-workspace.yaml: has no catalog']
  return lines
    .filter((line) => !/^ {2}['"]?[@\w/.-]+['"]?: \d+\.\d+\.\d+$/.test(line))
    .map((line) => `pnpm-workspace.yaml: ${line.trim()} is no exact version`)
}

/** Faults in the lock file: an address it would download from. */
export function checkLockFile(text: string): string[] {
  return text
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => /tarball:|https?:\/\//.test(line))
    .map(({ line, number }) => `pnpm-lock.yaml:${number}: records an address: ${line.trim()}`)
}

function goesDown(from: string, to: string): boolean {
  return (rowOf[to] ?? 0) < (rowOf[from] ?? 0)
}

function folderOf(name: string): string {
  return name.replace('@softnet/', '')
}

function packageNameOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')
}
