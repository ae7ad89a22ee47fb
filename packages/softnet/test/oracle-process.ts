/** The oracle's command line inside this process, for tests, and the recordings it comes with. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { main } from '../src/oracle/cli.js'

export interface OracleResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One entry of the JSON document. */
export interface CaseDocument {
  readonly name: string
  readonly pass: boolean
  readonly diff: string | null
  readonly gated: boolean
}

/** Runs `oracle …` to its end. */
export async function oracle(...args: readonly string[]): Promise<OracleResult> {
  const texts = { stdout: '', stderr: '' }
  const sink = (name: keyof typeof texts) =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        texts[name] += text
        done()
      },
    })
  const code = await main(args, { stdout: sink('stdout'), stderr: sink('stderr') })
  return { code, ...texts }
}

/** Runs `oracle … --format json` and returns its cases. */
export async function oracleCases(...args: readonly string[]): Promise<readonly CaseDocument[]> {
  const { stdout } = await oracle(...args, '--format', 'json')
  return (JSON.parse(stdout) as { cases: CaseDocument[] }).cases
}

/** Path of a recording that comes with softnet. */
export function carriedPath(name: string): string {
  return fileURLToPath(new URL(`../../../../tests/data/oracle/${name}`, import.meta.url))
}

/** A recording that comes with softnet, as data to change. */
// biome-ignore lint/suspicious/noExplicitAny: a test changes recordings at will
export function carried(name: string): any {
  return JSON.parse(readFileSync(carriedPath(name), 'utf8'))
}

/** Writes a recording into a directory and returns its path. */
export function record(directory: string, value: unknown, name = 'recording.json'): string {
  const file = join(directory, name)
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
  return file
}
