/** Run with node: DIRECTORY of the trace processor, a TRACE, and queries; prints their rows as one line of JSON. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInThisContext } from 'node:vm'

/** Perfetto's client of the trace processor, as far as it is used here. */
interface Engine {
  onRpcResponseBytes(bytes: Uint8Array): void
  parse(bytes: Uint8Array): Promise<void>
  notifyEof(): Promise<void>
  query(sql: string): Promise<QueryResult>
}

interface QueryResult {
  columns(): readonly string[]
  iter(spec: object): { valid(): boolean; next(): void; get(column: string): unknown }
}

/** What takes requests to the WebAssembly module and its answers back. */
interface Bridge {
  readonly reqBufferAddr?: number
  messagePort: { postMessage(bytes: Uint8Array): void }
  onMessage(message: { readonly data: Uint8Array }): void
}

const CHUNK_BYTES = 8 << 20

/** The glue is made for a worker of a browser: it gets the module's bytes, and shows what it would only talk to by messages. */
const CHANGES: readonly (readonly [string, string])[] = [
  ['this.useMemory64 = hasMemory64Support();', 'this.useMemory64 = false;'],
  ['locateFile: (s) => s,', 'locateFile: (s) => s, wasmBinary: globalThis.traceProcessorWasm,'],
  [
    'const wasmBridge = new wasm_bridge_1.WasmBridge();',
    'const wasmBridge = new wasm_bridge_1.WasmBridge(); globalThis.traceProcessorBridge = wasmBridge;',
  ],
]

async function startBridge(directory: string): Promise<Bridge> {
  const scope = globalThis as Record<string, unknown>
  scope.self = globalThis
  scope.WorkerGlobalScope = class {}
  scope.location = { href: `${pathToFileURL(directory).href}/` }
  scope.traceProcessorWasm = new Uint8Array(readFileSync(join(directory, 'trace_processor.wasm')))
  let glue = readFileSync(join(directory, 'engine_bundle.node.js'), 'utf8')
  for (const [from, to] of CHANGES) {
    if (!glue.includes(from)) throw new Error(`the glue has no ${from}`)
    glue = glue.replace(from, to)
  }
  runInThisContext(glue)
  const bridge = scope.traceProcessorBridge as Bridge
  while (!bridge.reqBufferAddr) await new Promise((resolve) => setTimeout(resolve, 10))
  return bridge
}

async function openEngine(directory: string): Promise<Engine> {
  const bridge = await startBridge(directory)
  const { EngineBase } = (await import(pathToFileURL(join(directory, 'engine.mjs')).href)) as {
    EngineBase: new () => Engine
  }
  class Direct extends EngineBase {
    readonly mode = 'WASM'
    readonly id = 'direct'
    rpcSendRequestBytes(data: Uint8Array): void {
      bridge.onMessage({ data })
    }
  }
  const engine = new Direct()
  bridge.messagePort = { postMessage: (bytes) => engine.onRpcResponseBytes(bytes) }
  return engine
}

function rowsOf(result: QueryResult): Record<string, unknown>[] {
  const columns = result.columns()
  const rows: Record<string, unknown>[] = []
  for (const each = result.iter({}); each.valid(); each.next()) {
    const values = columns.map((column) => {
      const value = each.get(column)
      return [column, typeof value === 'bigint' ? Number(value) : value]
    })
    rows.push(Object.fromEntries(values))
  }
  return rows
}

// It warns of what it does not use.
console.warn = () => {}
const [directory = '', trace = '', ...queries] = process.argv.slice(2)
const engine = await openEngine(directory)
const bytes = new Uint8Array(readFileSync(trace))
for (let at = 0; at < bytes.length; at += CHUNK_BYTES) await engine.parse(bytes.subarray(at, at + CHUNK_BYTES))
await engine.notifyEof()
const answers: Record<string, unknown>[][] = []
for (const query of queries) answers.push(rowsOf(await engine.query(query)))
process.stdout.write(`\n${JSON.stringify(answers)}\n`, () => process.exit())
