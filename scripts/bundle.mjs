// Joins the compiled packages to a few files in packages/softnet/dist/bundle: a process or thread loads these several times as fast.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { root } from './workspace.mjs'

const modules = join(root, 'packages/softnet/dist/src')
const folder = join(root, 'packages/softnet/dist/bundle')
/** What is started or imported by its name: the command line, threads, and what plugins and scenarios import. */
const ENTRIES = ['cli', 'worker', 'plugin', 'index']

/** Begins each file. Some libraries are CommonJS and ask for modules of Node. */
const BANNER = [
  "import { createRequire as createRequireOfBundle } from 'node:module'",
  'const bundleUrl = import.meta.url',
  'const require = createRequireOfBundle(bundleUrl)',
].join('\n')

const urlPath = (path) => path.split(sep).join('/')
const fromFolder = (path) => urlPath(relative(folder, path))

/** Modules look for files beside them: those of softnet find them beside the bundle, which is as deep, others where they were. */
const placesOfModules = {
  name: 'places of modules',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]packages[\\/]\w+[\\/]dist[\\/]src[\\/].*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8')
      if (!text.includes('import.meta.url')) return
      const inModules = relative(modules, path)
      const place = inModules.startsWith('..') ? fromFolder(path) : `./${urlPath(inModules)}`
      return { contents: `const moduleUrl = new URL(${JSON.stringify(place)}, bundleUrl).href\n${text}` }
    })
  },
}

/** Piscina starts threads with a file of its own, so it stays where it is. */
const piscinaOutside = {
  name: 'piscina outside',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^piscina$/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === 'found') return
      const found = await resolve(path, { kind, resolveDir, pluginData: 'found' })
      return { path: fromFolder(found.path), external: true, sideEffects: false }
    })
  },
}

/** Makes the bundle of what was compiled last, unless there is one. */
export async function bundle() {
  const { isFresh } = await import(pathToFileURL(join(modules, 'bundle.js')).href)
  if (isFresh(folder)) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES.map((name) => join(modules, `${name}.js`)),
    outdir: folder,
    bundle: true,
    splitting: true,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    plugins: [placesOfModules, piscinaOutside],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: BANNER },
  })
  // What others wrote changes with the lock file only.
  const own = Object.keys(metafile.inputs).filter((path) => path.startsWith('packages/'))
  const inputs = [...own, 'pnpm-lock.yaml', 'scripts/bundle.mjs'].map((path) => fromFolder(join(root, path)))
  // Written last: without it, or with an older one, the modules themselves are loaded.
  writeFileSync(join(folder, 'inputs.json'), JSON.stringify(inputs))
}
