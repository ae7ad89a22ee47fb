/** The command line as a user starts it, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { main } from '../src/cli.js'

/** The program of the package. */
export const BIN = fileURLToPath(new URL('../../bin/softnet.js', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliProcess {
  readonly child: ChildProcess
  readonly ended: Promise<CliResult>
}

/** Starts `softnet …` in a directory. */
export function startCli(cwd: string, ...args: readonly string[]): CliProcess {
  return cliWith(cwd, {}, ...args)
}

/** Starts `softnet …` in a directory, with more environment. */
export function cliWith(cwd: string, more: Readonly<Record<string, string>>, ...args: readonly string[]): CliProcess {
  // What runs the tests may ask for colours, which a user who pipes does not.
  const { FORCE_COLOR, ...env } = process.env
  const child = spawn(process.execPath, [...process.execArgv, BIN, ...args], {
    cwd,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
    })
  }
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...texts }))
  })
  return { child, ended }
}

/** Runs `softnet …` in a directory to its end. */
export function cli(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  return startCli(cwd, ...args).ended
}

/** Runs `softnet …` to its end inside this process: as `cli`, but without the start of a process. */
export async function cliInside(cwd: string, ...args: readonly string[]): Promise<CliResult> {
  const texts = { stdout: '', stderr: '' }
  const sink = (name: keyof typeof texts) =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        texts[name] += text
        done()
      },
    })
  const before = process.cwd()
  process.chdir(cwd)
  try {
    const code = await main(args, { stdout: sink('stdout'), stderr: sink('stderr') })
    return { code, ...texts }
  } finally {
    process.chdir(before)
  }
}

/** Calls a test with a fresh directory that is removed afterwards. */
export function inDirectory(body: (directory: string) => Promise<void>): () => Promise<void> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), 'softnet-test-'))
    try {
      await body(directory)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

/** Names in a directory, sorted, hidden ones included. */
export function namesIn(directory: string): string[] {
  return readdirSync(directory).sort()
}
