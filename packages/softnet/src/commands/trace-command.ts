import { createStopWord } from '@softnet/engine'
import { renderJourneys } from '@softnet/observe'
import { type JourneyQuery, nearestName } from '@softnet/scenario'
import { type RawOptions, readOverrides } from '../command-options.js'
import { readFlowOption } from '../flow-option.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { onInterrupt } from '../interrupt.js'
import type { FoundJourneys } from '../journey-run.js'
import { createProgressBar } from '../progress-bar.js'
import { followInIsolate } from '../simulation-run.js'
import type { Terminal } from '../terminal.js'
import { compileGiven } from './compile-given.js'

/** Options of `softnet trace`. */
export interface TraceCommandOptions extends RawOptions {
  readonly packet?: string
  readonly flow?: string
  /** True: of any reason. */
  readonly dropped?: string | true
  readonly count?: string
}

const EXIT_DONE = 0
const EXIT_INTERRUPTED = 130
const COUNT_MAX = 10_000

function readCount(given: string, faults: InputFault[]): number {
  const value = /^\d{1,15}$/.test(given) ? Number(given) : 0
  if (value >= 1 && value <= COUNT_MAX) return value
  faults.push({ path: '--count', given, accepted: `a whole number from 1 to ${COUNT_MAX}`, nearest: null })
  return 1
}

/** Frames count from 1, packets that hosts make are below 0. */
function readPacket(given: string, faults: InputFault[]): number {
  const value = /^-?\d{1,15}$/.test(given) ? Number(given) : 0
  if (value !== 0) return value
  const accepted = 'a whole number: from 1 on, or below 0 as --flow shows those of packets that a host makes'
  faults.push({ path: '--packet', given, accepted, nearest: null })
  return 1
}

/** What is asked for; null where that is nothing or more than one thing. */
function readQuery({ packet, flow, dropped, count }: TraceCommandOptions, faults: InputFault[]): JourneyQuery | null {
  const given = Object.entries({ '--packet': packet, '--flow': flow, '--dropped': dropped })
  const [first, second] = given.filter(([, value]) => value !== undefined)
  if (first === undefined || second !== undefined) {
    const accepted = 'one of --packet N, --flow dport=9000, --dropped [REASON]'
    faults.push({ path: second?.[0] ?? '--packet', given: second?.[1] ?? null, accepted, nearest: null })
    return null
  }
  const wanted = count === undefined ? 1 : readCount(count, faults)
  if (packet !== undefined) {
    if (count !== undefined)
      faults.push({ path: '--count', given: count, accepted: 'not with --packet', nearest: null })
    return { packet: readPacket(packet, faults) }
  }
  if (flow !== undefined) return { flow: readFlowOption(flow, faults), count: wanted }
  return { dropped: { reason: typeof dropped === 'string' ? dropped : null }, count: wanted }
}

/** The fault of a query that nothing in the run answers; null where an empty answer is one. */
function emptyFault(query: JourneyQuery, flow: string | undefined, found: FoundJourneys): InputFault | null {
  const { journeys, drops, status } = found.document
  if (journeys.length > 0 || status === 'interrupted') return null
  if ('packet' in query) {
    const accepted = 'the number of a packet of this run; frames of several cards are numbered in turn'
    return { path: '--packet', given: query.packet, accepted, nearest: found.nearest?.toString() ?? null }
  }
  if ('flow' in query) {
    const accepted = `a flow of the scenario, such as those of ${found.examples.join('; ')}`
    return { path: '--flow', given: flow ?? null, accepted, nearest: null }
  }
  const { reason } = query.dropped
  if (reason === null) return null
  const reasons = [...new Set(drops.map((drop) => drop.reason))]
  const accepted = reasons.length === 0 ? 'nothing: no packet was lost' : `a reason of this run: ${reasons.join(', ')}`
  return { path: '--dropped', given: reason, accepted, nearest: nearestName(reason, reasons) }
}

/** `softnet trace`: the ways of single packets as trees of calls, with the queues they waited in and how they ended. */
export async function traceCommand(given: string, options: TraceCommandOptions, terminal: Terminal): Promise<number> {
  const stop = createStopWord()
  const interrupt = onInterrupt(() => {
    stop.request()
    terminal.note('stopping; once more ends at once')
  })
  const bar = createProgressBar(process.stderr)
  try {
    const faults: InputFault[] = []
    const query = readQuery(options, faults)
    const overrides = readOverrides(options, faults)
    const compiled = await compileGiven(given, overrides).catch((thrown: unknown) => {
      if (!(thrown instanceof ScenarioError)) throw thrown
      faults.push(...thrown.errors)
      return null
    })
    if (query === null || compiled === null || faults.length > 0) throw new ScenarioError(faults)
    for (const warning of compiled.warnings) terminal.note(`warning: ${warning}`)
    const found = await followInIsolate({ plan: compiled.plan, query }, stop, (progress) => bar.update(progress))
    bar.stop()
    const fault = emptyFault(query, options.flow, found)
    if (fault !== null) throw new ScenarioError([fault])
    const { document } = found
    terminal.print(renderJourneys(document, terminal.color), document)
    return document.status === 'interrupted' ? EXIT_INTERRUPTED : EXIT_DONE
  } finally {
    bar.stop()
    interrupt.release()
  }
}
