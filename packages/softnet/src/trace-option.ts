/** `--trace FILE` and what belongs to it: which kind of trace, of which part of the run. */
import type { TraceKind } from '@softnet/kernel'
import { formatTime, parseQuantity } from '@softnet/scenario'
import type { InputFault } from './input-fault.js'

/** A trace to be written. */
export interface TraceRequest {
  /** Its ending says the kind: .json and .json.gz for Perfetto, .ftrace and .txt for the text form of tracefs. */
  readonly file: string
  /** Part of the run, `FROM..TO` in simulated time, either may be left out: `5ms..6ms`, `..100us`. Default: all of it. */
  readonly window?: string
  /** One packet of this many is followed, ≥ 1. Default 1: all of them. */
  readonly sample?: number | string
  /** Size of text at which the trace ends early, `64MiB` by default; 0 for none. */
  readonly limit?: string
}

/** Options of a command that can trace. */
export interface TraceOptions {
  readonly trace?: string
  readonly traceWindow?: string
  readonly traceSample?: string
  readonly traceLimit?: string
}

/** What an isolate needs to know of a trace. */
export interface TraceSettings {
  readonly kind: TraceKind
  readonly isCompressed: boolean
  readonly fromPs: number
  readonly toPs: number
  readonly sample: number
  readonly limitBytes: number
}

const ENDINGS: readonly (readonly [string, Pick<TraceSettings, 'kind' | 'isCompressed'>])[] = [
  ['.json', { kind: 'perfetto', isCompressed: false }],
  ['.json.gz', { kind: 'perfetto', isCompressed: true }],
  ['.ftrace', { kind: 'ftrace', isCompressed: false }],
  ['.txt', { kind: 'ftrace', isCompressed: false }],
]
const DEFAULT_LIMIT = '64MiB'
const SAMPLE_MAX = 1_000_000_000
const WINDOW_FORM = 'FROM..TO in simulated time, such as 5ms..6ms, 5ms.. or ..100us'

function readWindow(
  given: string,
  path: string,
  endPs: number,
  faults: InputFault[],
): { fromPs: number; toPs: number } {
  const whole = { fromPs: 0, toPs: Number.POSITIVE_INFINITY }
  const refuse = (accepted: string) => {
    faults.push({ path, given, accepted, nearest: null })
    return whole
  }
  const parts = given.split('..')
  const [from = '', to = ''] = parts
  if (parts.length !== 2 || (from === '' && to === '')) return refuse(WINDOW_FORM)
  const ends = [from === '' ? '0' : from, to === '' ? '9000s' : to].map((end) => parseQuantity('time', end))
  const [first, last] = ends
  if (first === undefined || last === undefined || !first.ok || !last.ok) return refuse(WINDOW_FORM)
  if (last.value <= first.value) return refuse('a window that ends after it begins')
  if (first.value >= endPs) return refuse(`a window that begins before the run ends, at ${formatTime(endPs)}`)
  return { fromPs: first.value, toPs: to === '' ? Number.POSITIVE_INFINITY : last.value }
}

function readSample(given: number | string, path: string, faults: InputFault[]): number {
  const sample = typeof given === 'number' || /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN
  if (Number.isInteger(sample) && sample >= 1 && sample <= SAMPLE_MAX) return sample
  faults.push({ path, given, accepted: `a whole number from 1 (every packet) to ${SAMPLE_MAX}`, nearest: null })
  return 1
}

function readLimit(given: string, path: string, faults: InputFault[]): number {
  const size = parseQuantity('bytes', given)
  if (!size.ok) faults.push({ path, given, accepted: `${size.accepted}, or 0 for no limit`, nearest: null })
  return !size.ok || size.value === 0 ? Number.POSITIVE_INFINITY : size.value
}

/** Reads a request; what is wrong goes to `faults` under `--trace`, `--trace-window` …, or `trace`, `trace.window` … */
export function readTraceRequest(
  request: TraceRequest,
  path: string,
  endPs: number,
  faults: InputFault[],
): TraceSettings {
  const { file, window, sample = 1, limit = DEFAULT_LIMIT } = request
  const part = (name: string) => (path.startsWith('--') ? `${path}-${name}` : `${path}.${name}`)
  const known = ENDINGS.find(([ending]) => file.toLowerCase().endsWith(ending) && file.length > ending.length)
  if (known === undefined) {
    const accepted = 'a file that ends in .json or .json.gz (for Perfetto), .ftrace or .txt (as tracefs prints it)'
    faults.push({ path, given: file, accepted, nearest: null })
  }
  return {
    ...(known?.[1] ?? { kind: 'perfetto', isCompressed: false }),
    ...(window === undefined
      ? { fromPs: 0, toPs: Number.POSITIVE_INFINITY }
      : readWindow(window, part('window'), endPs, faults)),
    sample: readSample(sample, part('sample'), faults),
    limitBytes: readLimit(limit, part('limit'), faults),
  }
}

/** The trace that options ask for; null if none. The other options mean nothing without a file. */
export function traceRequestOf(options: TraceOptions, faults: InputFault[]): TraceRequest | null {
  const { trace: file, traceWindow: window, traceSample: sample, traceLimit: limit } = options
  if (file !== undefined) {
    return {
      file,
      ...(window === undefined ? {} : { window }),
      ...(sample === undefined ? {} : { sample }),
      ...(limit === undefined ? {} : { limit }),
    }
  }
  for (const [name, given] of Object.entries({ window, sample, limit })) {
    if (given === undefined) continue
    faults.push({ path: `--trace-${name}`, given, accepted: 'only together with --trace FILE', nearest: '--trace' })
  }
  return null
}
