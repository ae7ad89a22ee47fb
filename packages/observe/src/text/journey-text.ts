/** Ways of packets as the function graph tracer prints calls. */
import type { Journey, JourneyDocument, JourneyStep } from '@softnet/scenario/plan'
import { formatCount, formatTime } from '../format.js'
import { createPaint, type Paint } from './paint.js'

const NS_PER_US = 1000
/** From how many µs on a time is marked. Kernel: kernel/trace/trace_output.c, trace_find_mark */
const MARKS: readonly (readonly [number, string])[] = [
  [1_000_000, '$'],
  [100_000, '@'],
  [10_000, '*'],
  [1000, '#'],
  [100, '!'],
  [10, '+'],
]
const INDENT = 2

function microseconds(ns: number): string {
  return (ns / NS_PER_US).toFixed(3)
}

function duration(ns: number | null): string {
  if (ns === null) return ''.padEnd(15)
  const mark = MARKS.find(([from]) => ns / NS_PER_US > from)?.[1] ?? ' '
  return `${mark} ${microseconds(ns).padStart(9)} us `
}

/** `napi_poll eth0` as a call: `napi_poll(eth0)`. */
function callText(name: string): string {
  const space = name.indexOf(' ')
  if (name.startsWith('task ')) return name
  return space < 0 ? `${name}()` : `${name.slice(0, space)}(${name.slice(space + 1)})`
}

function stepText({ kind, name, packets, note }: JourneyStep): string {
  const comment = [packets > 1 ? `list of ${packets}` : '', note ?? ''].filter((part) => part !== '').join(', ')
  switch (kind) {
    case 'enter':
      return `${callText(name)} {`
    case 'leave':
      return '}'
    case 'call':
      return `${callText(name)};${comment === '' ? '' : `  /* ${comment} */`}`
    case 'wait':
      return `/* waits: ${name}${comment === '' ? '' : `, ${comment}`} */`
    default:
      return `/* ${name} */`
  }
}

function line(atNs: number | null, cpu: number | null, tookNs: number | null, text: string): string {
  const time = atNs === null ? '' : `${microseconds(atNs)} us`
  return `${time.padStart(15)} | ${(cpu === null ? '--' : String(cpu)).padStart(3)}) ${duration(tookNs)}|  ${text}`
}

function stepLine(step: JourneyStep, arrivalNs: number, paint: Paint): string {
  const { at_ns, cpu, took_ns, kind, depth } = step
  const text = stepText(step)
  const painted = kind === 'wait' ? paint.yellow(text) : kind === 'note' ? paint.dim(text) : text
  return line(at_ns === null ? null : at_ns - arrivalNs, cpu, took_ns, `${' '.repeat(INDENT * depth)}${painted}`)
}

function endText({ end }: Journey): string {
  const where = end.cpu === null ? '' : ` on CPU ${end.cpu}${end.host === null ? '' : ` of ${end.host}`}`
  const into = end.merged_into === null ? '' : ` as part of packet ${end.merged_into}`
  switch (end.fate) {
    case 'delivered':
      return `delivered${into}: read${where}`
    case 'dropped':
      return `dropped${into}${where}: ${end.reason} in ${end.where}`
    case 'in_flight':
      return `still on its way${into} when the run ended`
    default:
      return `${end.fate}${into}${where}`
  }
}

function waitsText({ waits }: Journey): string {
  if (waits.length === 0) return 'waited nowhere'
  const parts = waits.map(({ queue, for_ns, behind }) => {
    return `${queue} ${formatTime(for_ns)}${behind === null || behind === 0 ? '' : ` behind ${formatCount(behind)}`}`
  })
  return `waited: ${parts.join(', ')}`
}

function journeyLines(journey: Journey, paint: Paint): string[] {
  const { packet, what, bytes, device, arrival_ns, end, steps } = journey
  const way = packet > 0 ? 'on' : 'made for'
  const tookNs = end.at_ns - arrival_ns
  const result = endText(journey)
  return [
    `${paint.bold(`packet ${packet}`)}: ${what}, ${formatCount(bytes)} bytes, ${way} ${device} at ${formatTime(arrival_ns)}`,
    `${end.fate === 'dropped' ? paint.red(result) : result}, after ${formatTime(tookNs)}`,
    waitsText(journey),
    '#          TIME    CPU  DURATION          FUNCTION CALLS',
    '#             |      |   |   |              |   |   |   |',
    ...steps.map((step) => stepLine(step, arrival_ns, paint)),
    line(tookNs, end.cpu, null, paint.bold(`/* ${result} */`)),
  ]
}

/** Each way as a tree of calls, times counted from the last bit of the packet; ends in a newline. */
export function renderJourneys(document: JourneyDocument, color = false): string {
  const paint = createPaint(color)
  const { journeys, drops, simulated_ns, offered } = document
  const lines = journeys.flatMap((journey, index) => [...(index === 0 ? [] : ['']), ...journeyLines(journey, paint)])
  const span = `${formatTime(simulated_ns)}, of ${formatCount(offered)} offered`
  if (drops.length > 0) {
    lines.push('', `lost in ${span}:`)
    for (const { count, reason, where } of drops)
      lines.push(`${formatCount(count).padStart(11)}  ${reason} in ${where}`)
  } else if (journeys.length === 0) lines.push(`no packet was lost in ${span}`)
  return `${lines.join('\n')}\n`
}
