/** Cases as the running kernel plays them, and the recordings that come of it. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const PLAYER = fileURLToPath(new URL('../../../scripts/record-packets.py', import.meta.url))
const IP_ID = [8, 12] as const
const IP_CHECK = [20, 24] as const
const WORD_DIGITS = 8
const HEADER_DIGITS = 40
const ETHERNET_BYTES = 14
const PACKET_INFO_BYTES = 4

/** One step of a case. */
export interface CaseStep {
  readonly do: 'packet' | 'wait' | 'app'
  readonly dev?: string
  readonly ms?: number
  readonly op?: string
}

/** What is done to a host. */
export interface CaseInput {
  readonly name: string
  readonly desc: string
  readonly setup: {
    readonly devices: readonly { readonly name: string; readonly kind?: string; readonly [key: string]: unknown }[]
    readonly sockets: readonly { readonly name: string; readonly [key: string]: unknown }[]
    readonly [key: string]: unknown
  }
  readonly steps: readonly CaseStep[]
  readonly packets_in: readonly { readonly hex: string; readonly [key: string]: unknown }[]
}

interface Sent {
  readonly step: number
  readonly dev: string
  readonly hex: string
  readonly t_ms: number
}

interface Run {
  readonly out: readonly Sent[]
  readonly app: readonly { readonly step: number; readonly op: string; readonly result: unknown }[]
  readonly snmp: Readonly<Record<string, number>>
  readonly dev: Readonly<Record<string, number>>
  readonly drops: readonly string[] | null
}

/** A case with what the kernel did, in the form of `tests/data/oracle/ip.json`. */
export type RecordedCase = CaseInput & Readonly<Record<string, unknown>>

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right)

function cover(digits: string[], from: number, to: number): void {
  for (let at = from; at < to && at < digits.length; at++) digits[at] = '?'
}

/** Digits that are the same in all runs; the fields that those that are not belong to are hidden whole. */
export function patternOf(frames: readonly string[], linkBytes: number): string | null {
  const [first = ''] = frames
  if (frames.some((each) => each.length !== first.length)) return null
  const digits = [...first].map((digit, at) => (frames.every((each) => each[at] === digit) ? digit : '?'))
  const start = linkBytes * 2
  const isIp = linkBytes === 0 ? first[0] === '4' : first.slice(start - 4, start) === '0800'
  if (!isIp || !digits.includes('?')) return digits.join('')
  const header = Number.parseInt(first[start + 1] ?? '5', 16) * 8
  const has = (from: number, to: number) => digits.slice(start + from, start + to).includes('?')
  if (has(...IP_ID)) cover(digits, start + IP_ID[0], start + IP_ID[1])
  for (let at = HEADER_DIGITS; start + at < digits.length; at += WORD_DIGITS)
    if (has(at, at + WORD_DIGITS)) cover(digits, start + at, start + at + WORD_DIGITS)
  if (has(0, header)) cover(digits, start + IP_CHECK[0], start + IP_CHECK[1])
  return digits.join('')
}

function recorded(given: CaseInput, runs: readonly Run[]): RecordedCase {
  const [first] = runs as [Run, ...Run[]]
  /** Bytes in front of an IP header: of Ethernet, or of packet information. */
  const linkBytes = (dev: string) => {
    const device = given.setup.devices.find(({ name }) => name === dev)
    return device?.kind === 'tap' ? ETHERNET_BYTES : device?.pi === true ? PACKET_INFO_BYTES : 0
  }
  const places = (run: Run) => run.out.map(({ step, dev, hex }) => [step, dev, hex.length])
  const sameOut = runs.every((run) => same(places(run), places(first)))
  const all = (of: (run: Run) => unknown) => runs.every((run) => same(of(run), of(first)))
  const waits = given.steps.some((step) => step.do === 'wait')
  return {
    ...given,
    packets_out: first.out.map((sent, i) => {
      const pattern = sameOut
        ? patternOf(
            runs.map((run) => (run.out[i] as Sent).hex),
            linkBytes(sent.dev),
          )
        : null
      return { ...sent, ...(pattern === null ? {} : { pattern }) }
    }),
    kernel_isn: null,
    app_results: first.app,
    snmp_delta: first.snmp,
    dev_delta: first.dev,
    drop_reasons: first.drops ?? [],
    stable: {
      counters: all((run) => [run.snmp, run.dev]),
      // Timers run outside of the process whose drops are told.
      drops: first.drops !== null && !waits && all((run) => run.drops),
      n_out: sameOut,
      app: all((run) => run.app),
    },
    runs: runs.length,
  }
}

/** Plays cases to the running kernel, each so many times; what it refuses to set up is told to `refused`. */
export async function recordCases(
  cases: readonly CaseInput[],
  runs: number,
  refused: (name: string, why: string) => void,
): Promise<RecordedCase[]> {
  const player = spawn('python3', [PLAYER], { stdio: ['pipe', 'pipe', 'inherit'] })
  player.stdin.end(JSON.stringify({ runs, cases }))
  const found: RecordedCase[] = []
  let at = 0
  for await (const line of createInterface({ input: player.stdout })) {
    const given = cases[at++] as CaseInput
    const answer = JSON.parse(line) as { readonly runs?: readonly Run[]; readonly error?: string }
    if (answer.runs === undefined) refused(given.name, answer.error ?? 'no answer')
    else found.push(recorded(given, answer.runs))
  }
  if (at < cases.length) throw new Error(`the player ended after ${at} of ${cases.length} cases`)
  return found
}
