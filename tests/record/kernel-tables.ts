/** Recordings of buffers, GRO and softirqs, played again by the running kernel. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

type Entry = Readonly<Record<string, unknown>>

/** A recording of one of these kinds, as its file holds it. */
export interface TableRecording {
  readonly kernel?: string
  readonly cases: readonly Entry[]
  readonly multi_napi?: readonly Entry[]
  readonly truesize_steps?: Readonly<Record<string, unknown>>
}

/** Kinds of recordings beside packets in and out, with what plays them. */
const PLAYERS = { buffers: 'record-buffers.py', gro: 'record-gro.py', softirqs: 'record-softirqs.py' } as const

/** Kind of a recording. */
export type TableKind = keyof typeof PLAYERS

/** The kind of a file's content; null if it is none of these. */
export function tableKind(value: unknown): TableKind | null {
  const { cases, multi_napi, truesize_steps } = (value ?? {}) as Partial<TableRecording>
  if (!Array.isArray(cases)) return null
  if (truesize_steps !== undefined) return 'buffers'
  if (multi_napi !== undefined || cases.some((each) => each?.netdev_budget !== undefined)) return 'softirqs'
  const isGro = (each: Entry) => typeof each?.setup === 'string' && Array.isArray(each.packets_in)
  return cases.length > 0 && cases.every(isGro) ? 'gro' : null
}

function playOnce(kind: TableKind, recording: TableRecording): Entry[] {
  const player = fileURLToPath(new URL(`../../../scripts/${PLAYERS[kind]}`, import.meta.url))
  const { stdout, stderr, status } = spawnSync('python3', [player], {
    encoding: 'utf8',
    input: JSON.stringify(recording),
    maxBuffer: 1 << 30,
  })
  if (status !== 0) throw new Error(`${PLAYERS[kind]} broke off: ${stderr.slice(-2000)}`)
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)
}

/** What most runs say, and how many of them. */
function commonest(answers: readonly Entry[]): { readonly answer: Entry; readonly agree: number } {
  const texts = answers.map((each) => JSON.stringify(each))
  const agree = (text: string) => texts.filter((each) => each === text).length
  const [first] = [...new Set(texts)].sort((a, b) => agree(b) - agree(a)) as [string, ...string[]]
  return { answer: JSON.parse(first) as Entry, agree: agree(first) }
}

function nameOf(entry: Entry): string {
  const { name, path, payload, so_rcvbuf_set: rcvbuf, netdev_budget: budget, dev_weight: weight, N } = entry
  if (typeof name === 'string') return name
  if (path !== undefined) return `path=${path} payload=${payload} so_rcvbuf=${rcvbuf}`
  return `budget=${budget} weight=${weight} N=${N}`
}

/** Plays all entries so many times; one that the kernel refuses in any run is told to `refused` and left out. */
export function recordTables(
  kind: TableKind,
  given: TableRecording,
  runs: number,
  refused: (name: string, why: string) => void,
): TableRecording {
  const { cases, multi_napi: multi = [] } = given
  const answers = Array.from({ length: runs }, () => playOnce(kind, { cases, multi_napi: multi }))
  const all = [...cases, ...multi]
  const recorded = all.map((entry, i) => {
    const told = answers.map((run) => run[i] ?? { error: 'no answer' })
    const fault = told.find((each) => each.error !== undefined)
    if (fault !== undefined) {
      refused(nameOf(entry), String(fault.error))
      return null
    }
    const { answer, agree } = commonest(told)
    return { ...entry, ...answer, stable: agree === runs, agree, runs }
  })
  const kept = (from: number, to: number) => recorded.slice(from, to).filter((each) => each !== null)
  return {
    kernel: 'Linux',
    ...(kind === 'buffers' ? { truesize_steps: {} } : {}),
    cases: kept(0, cases.length),
    ...(kind === 'softirqs' ? { multi_napi: kept(cases.length, all.length) } : {}),
  }
}
