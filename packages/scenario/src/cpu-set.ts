/**
 * Sets of CPUs in the two notations of Linux: lists (`0-3,8`, as `taskset -c` and `smp_affinity_list`) and hex masks
 * (`f`, `ff,ffffffff`, as `smp_affinity` and `rps_cpus`).
 */

/** A set of CPUs, ascending and without repeats, or what is accepted instead. */
export type ParsedCpus =
  | { readonly ok: true; readonly cpus: readonly number[] }
  | { readonly ok: false; readonly accepted: string }

/** CPUs are numbered below this. Kernel: NR_CPUS of large configurations. */
export const MAX_CPU_NUMBER = 8192

const LIST_TEXT = 'CPU numbers such as 0, [0, 2] or "0-3,8"'
const MASK_TEXT = 'a hex mask in quotes such as "f" or "ff,ffffffff", a range such as "0-3", or CPU numbers [0, 2]'

/** Reads a CPU list: a number, an array of numbers and lists, or text such as `0-3,8`. */
export function parseCpuList(given: unknown): ParsedCpus {
  const cpus = new Set<number>()
  if (!collectList(given, cpus, 0)) return { ok: false, accepted: LIST_TEXT }
  return { ok: true, cpus: ascending(cpus) }
}

function collectList(given: unknown, cpus: Set<number>, depth: number): boolean {
  if (typeof given === 'number') {
    if (!Number.isInteger(given) || given < 0 || given >= MAX_CPU_NUMBER) return false
    cpus.add(given)
    return true
  }
  if (Array.isArray(given)) return depth < 2 && given.every((entry) => collectList(entry, cpus, depth + 1))
  if (typeof given !== 'string') return false
  const text = given.trim()
  if (text === '') return true
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part)
    if (match === null) return false
    const first = Number(match[1])
    const last = match[2] === undefined ? first : Number(match[2])
    if (last < first || last >= MAX_CPU_NUMBER) return false
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu)
  }
  return true
}

/**
 * Reads a CPU mask. Text is hex as in `/proc/irq/N/smp_affinity`, unless it has a dash: then it is a list.
 *
 * A bare number above 9 is refused: YAML has by then read `10` as ten and `0x10` as sixteen, Linux would read both as CPU 4.
 */
export function parseCpuMask(given: unknown): ParsedCpus {
  const refuse: ParsedCpus = { ok: false, accepted: MASK_TEXT }
  if (Array.isArray(given)) return parseCpuList(given)
  if (typeof given === 'number') {
    if (!Number.isInteger(given) || given < 0 || given > 9) return refuse
    return hexMask(String(given))
  }
  if (typeof given !== 'string') return refuse
  const text = given.trim()
  if (text.includes('-')) return parseCpuList(text)
  return hexMask(text)
}

function hexMask(text: string): ParsedCpus {
  const refuse: ParsedCpus = { ok: false, accepted: MASK_TEXT }
  const groups = text.replace(/^0x/i, '').split(',')
  for (const [index, group] of groups.entries()) {
    // A short group after the first could be meant as a list of CPUs; Linux prints groups of eight digits.
    if (!/^[0-9a-fA-F]+$/.test(group) || (index > 0 && group.length !== 8)) return refuse
  }
  const digits = groups.join('')
  if (digits.length * 4 > MAX_CPU_NUMBER) return refuse
  const cpus: number[] = []
  for (let index = digits.length - 1; index >= 0; index--) {
    const nibble = Number.parseInt(digits[index] as string, 16)
    const base = (digits.length - 1 - index) * 4
    for (let bit = 0; bit < 4; bit++) if ((nibble >> bit) & 1) cpus.push(base + bit)
  }
  return { ok: true, cpus }
}

function ascending(cpus: ReadonlySet<number>): number[] {
  return [...cpus].sort((a, b) => a - b)
}

/** Writes a set of CPUs as a list, `0-3,8`. */
export function formatCpuList(cpus: readonly number[]): string {
  const parts: string[] = []
  for (let index = 0; index < cpus.length; ) {
    const first = cpus[index] as number
    let last = first
    while (index + 1 < cpus.length && cpus[index + 1] === last + 1) {
      index++
      last++
    }
    index++
    parts.push(first === last ? String(first) : `${first}-${last}`)
  }
  return parts.join(',')
}
