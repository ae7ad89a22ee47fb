/** Counters of a host: `/proc/net/softnet_stat`, `/proc/net/dev`, `/proc/interrupts`, `/proc/uptime`. */
import type { HostText, TextFaults } from './text-faults.js'

/** One line of `/proc/net/softnet_stat`: counts since boot, modulo 2^32. */
export interface SoftnetStatRow {
  readonly cpu: number
  readonly processed: number
  readonly dropped: number
  readonly timeSqueeze: number
  readonly receivedRps: number
  readonly flowLimitCount: number
}

const SOFTNET_COLUMNS_MIN = 9
const SOFTNET_COLUMNS_MAX = 15
/** Column that holds the CPU's number, where there is one (Linux 5.14). Kernel: net/core/net-procfs.c, softnet_seq_show */
const CPU_COLUMN = 12

/** Reads `/proc/net/softnet_stat`; kernels before 5.14 do not say which CPU a line is of, so lines are counted. */
export function parseSoftnetStat(text: HostText, faults: TextFaults): readonly SoftnetStatRow[] {
  const rows: SoftnetStatRow[] = []
  for (const line of text.lines) {
    const words = line.text.trim().split(/\s+/)
    const isCount = words.length >= SOFTNET_COLUMNS_MIN && words.length <= SOFTNET_COLUMNS_MAX
    if (!isCount || !words.every((word) => /^[0-9a-f]{8}$/.test(word))) {
      const accepted = `${SOFTNET_COLUMNS_MIN} to ${SOFTNET_COLUMNS_MAX} columns of eight hex digits, as /proc/net/softnet_stat has them`
      faults.add(line.at, line.text, accepted)
      continue
    }
    const column = (index: number): number => Number.parseInt(words[index] ?? '0', 16)
    rows.push({
      cpu: words.length > CPU_COLUMN ? column(CPU_COLUMN) : rows.length,
      processed: column(0),
      dropped: column(1),
      timeSqueeze: column(2),
      receivedRps: column(9),
      flowLimitCount: column(10),
    })
  }
  return rows
}

/** What a device has received since it came up. */
export interface NetDevRow {
  readonly bytes: number
  readonly packets: number
}

/** Reads `/proc/net/dev`: two lines of headings, then a line per device. */
export function parseNetDev(text: HostText, faults: TextFaults): ReadonlyMap<string, NetDevRow> {
  const found = new Map<string, NetDevRow>()
  text.lines.forEach((line, index) => {
    if (index < 2 && line.text.includes('|')) return
    const match = /^\s*(\S{1,40}):\s*(\d{1,20})\s+(\d{1,20})((?:\s+\d{1,20}){14})\s*$/.exec(line.text)
    if (match === null) {
      faults.add(line.at, line.text, 'DEV: and 16 numbers, as /proc/net/dev has them')
      return
    }
    found.set(match[1] as string, { bytes: Number(match[2]), packets: Number(match[3]) })
  })
  return found
}

/** One interrupt of a device. */
export interface InterruptRow {
  readonly irq: number
  /** Interrupts by CPU, in the order of the heading. */
  readonly counts: readonly number[]
  /** What stands behind the counts: chip, its number, and who asked for it. */
  readonly text: string
  /** Last word, the name that the driver gave. */
  readonly name: string
  readonly at: string
}

/** `/proc/interrupts`: the CPUs of its heading and its numbered lines. */
export interface Interrupts {
  readonly cpus: readonly number[]
  readonly rows: readonly InterruptRow[]
}

/** Reads `/proc/interrupts`; lines of the architecture (LOC, RES, CAL …) are left out. */
export function parseInterrupts(text: HostText, faults: TextFaults): Interrupts {
  const [heading, ...lines] = text.lines
  const words = (heading?.text ?? '').trim().split(/\s+/)
  if (heading === undefined || !words.every((word) => /^CPU\d{1,5}$/.test(word))) {
    faults.add(heading?.at ?? text.path, heading?.text ?? null, 'a heading CPU0 CPU1 …')
    return { cpus: [], rows: [] }
  }
  const rows: InterruptRow[] = []
  for (const line of lines) {
    const match = /^\s*([\w-]{1,20}):(.*)$/.exec(line.text)
    if (match === null) {
      faults.add(line.at, line.text, 'N: and a count per CPU, as /proc/interrupts has them')
      continue
    }
    const rest = (match[2] as string).trim().split(/\s+/)
    if (!/^\d+$/.test(match[1] as string)) continue
    const counts = rest.slice(0, words.length)
    if (counts.length < words.length || !counts.every((count) => /^\d{1,20}$/.test(count))) {
      faults.add(line.at, line.text, `${words.length} counts, one per CPU of the heading`)
      continue
    }
    const after = rest.slice(words.length)
    rows.push({
      irq: Number(match[1]),
      counts: counts.map(Number),
      text: after.join(' '),
      name: after.at(-1) ?? '',
      at: line.at,
    })
  }
  return { cpus: words.map((word) => Number(word.slice(3))), rows }
}

/** Seconds since boot, from `/proc/uptime`. */
export function parseUptime(text: HostText, faults: TextFaults): number | undefined {
  const line = text.lines[0]
  const match = /^(\d{1,12}\.\d\d) \d{1,15}\.\d\d$/.exec(line?.text ?? '')
  if (match !== null) return Number(match[1])
  faults.add(line?.at ?? text.path, line?.text ?? null, 'two times in seconds, as /proc/uptime has them')
  return undefined
}
