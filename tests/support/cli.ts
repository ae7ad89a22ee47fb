/** The command line inside this process: each run has a thread of its own all the same. */
import { type SpawnOptions, spawn } from 'node:child_process'
import { Writable } from 'node:stream'

/** How a command or program ended. */
export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
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

const cli: { main(argv: readonly string[], streams: { stdout: Writable; stderr: Writable }): Promise<number> } =
  await import(new URL('../../../packages/softnet/dist/src/cli.js', import.meta.url).href)

/** Runs `softnet …` to its end, in the working directory. */
export async function runCli(argv: readonly string[]): Promise<Finished> {
  const stdout = keeper()
  const stderr = keeper()
  const code = await cli.main(argv, { stdout: stdout.stream, stderr: stderr.stream })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** Runs a program with its arguments in a process of its own to its end. */
export function runProgram(args: readonly string[], options: Pick<SpawnOptions, 'cwd'> = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, ...args], {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}
