/** Files about the machine as a whole: kernel, processors, sysctls, addresses, and values of `/proc/irq` and `/sys/class/net`. */
import { parseCpuMask } from '@softnet/scenario'
import type { HostText, TextFaults } from './text-faults.js'

/** A value and the line it is from, `DIR/lscpu:5`. */
export interface Sourced<Value> {
  readonly value: Value
  readonly at: string
}

/** Version of the running kernel, as `uname -r` prints it. */
export function parseUname(text: HostText, faults: TextFaults): Sourced<string> | undefined {
  const line = text.lines[0]
  if (line !== undefined && /^\d{1,3}\.\d{1,3}/.test(line.text)) return { value: line.text, at: line.at }
  faults.add(line?.at ?? text.path, line?.text ?? null, 'a kernel version as uname -r prints it, such as 6.18.2')
  return undefined
}

/** `CONFIG_HZ` of the running kernel. */
export function parseKernelConfig(text: HostText, faults: TextFaults): Sourced<number> | undefined {
  for (const line of text.lines) {
    const match = /^CONFIG_HZ=(100|250|300|1000)$/.exec(line.text)
    if (match !== null) return { value: Number(match[1]), at: line.at }
    faults.add(line.at, line.text, 'CONFIG_HZ=100, 250, 300 or 1000')
  }
  return undefined
}

/** What `lscpu` says, by its own names. */
export type Lscpu = ReadonlyMap<string, Sourced<string>>

/** Lines `Name: value` of lscpu. */
export function parseLscpu(text: HostText, faults: TextFaults): Lscpu {
  const found = new Map<string, Sourced<string>>()
  for (const line of text.lines) {
    const match = /^([^:]{1,80}):\s*(.*)$/.exec(line.text)
    if (match === null) faults.add(line.at, line.text, 'a line of lscpu, Name: value')
    else found.set((match[1] as string).trim(), { value: match[2] as string, at: line.at })
  }
  return found
}

/** A whole number of lscpu, such as `CPU(s)`; undefined where the machine has no such line. */
export function lscpuNumber(lscpu: Lscpu, name: string, faults: TextFaults): Sourced<number> | undefined {
  const found = lscpu.get(name)
  if (found === undefined) return undefined
  if (/^\d{1,5}$/.test(found.value) && Number(found.value) > 0) return { value: Number(found.value), at: found.at }
  faults.add(found.at, found.value, `${name}: a whole number above 0`)
  return undefined
}

/** Lines `name = value` of `sysctl -a`. */
export function parseSysctl(text: HostText, faults: TextFaults): ReadonlyMap<string, Sourced<string>> {
  const found = new Map<string, Sourced<string>>()
  for (const line of text.lines) {
    const match = /^(\S{1,200})\s=\s?(.*)$/.exec(line.text)
    if (match !== null) found.set(match[1] as string, { value: (match[2] as string).trim(), at: line.at })
    else if (!line.text.startsWith('sysctl: ')) faults.add(line.at, line.text, 'a line of sysctl -a, name = value')
  }
  return found
}

/** IPv4 addresses with their prefix length by device, from `ip -o -4 addr show`. */
export function parseAddresses(text: HostText, faults: TextFaults): ReadonlyMap<string, readonly Sourced<string>[]> {
  const found = new Map<string, Sourced<string>[]>()
  for (const line of text.lines) {
    const match = /^\d+:\s+(\S{1,15})\s+inet\s+(\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2})\s/.exec(line.text)
    const peer = /^\d+:\s+(\S{1,15})\s+inet\s+(\d{1,3}(?:\.\d{1,3}){3}) peer /.exec(line.text)
    const [, device, address] = match ?? peer ?? []
    if (device === undefined || address === undefined) {
      faults.add(line.at, line.text, 'a line of ip -o -4 addr show, N: DEV inet A.B.C.D/N …')
      continue
    }
    const list = found.get(device) ?? []
    list.push({ value: address, at: line.at })
    found.set(device, list)
  }
  return found
}

/** Processors of an interrupt. */
export interface IrqAffinity {
  readonly allowed?: Sourced<readonly number[]>
  /** Where the interrupt really goes; newer than the setting itself. */
  readonly effective?: Sourced<readonly number[]>
}

/** Affinities by interrupt number, from `grep -H . /proc/irq/N/smp_affinity`. */
export function parseIrqAffinity(text: HostText, faults: TextFaults): ReadonlyMap<number, IrqAffinity> {
  const found = new Map<number, IrqAffinity>()
  for (const line of text.lines) {
    const match = /^\/proc\/irq\/(\d{1,7})\/(smp_affinity|effective_affinity):(.*)$/.exec(line.text)
    const cpus = parseCpuMask(match?.[3] ?? '')
    if (match === null || !cpus.ok) {
      faults.add(line.at, line.text, '/proc/irq/N/smp_affinity:MASK with a hex mask')
      continue
    }
    const irq = Number(match[1])
    const key = match[2] === 'smp_affinity' ? 'allowed' : 'effective'
    found.set(irq, { ...found.get(irq), [key]: { value: cpus.cpus, at: line.at } })
  }
  return found
}

/** Values below `/sys/class/net`, by their path from there: `eth0/queues/rx-0/rps_cpus`. */
export function parseNetValues(text: HostText, faults: TextFaults): ReadonlyMap<string, Sourced<string>> {
  const found = new Map<string, Sourced<string>>()
  for (const line of text.lines) {
    const match = /^\/sys\/class\/net\/([^:\s]{1,200}):(\S{0,4096})$/.exec(line.text)
    if (match === null) faults.add(line.at, line.text, '/sys/class/net/DEV/…:VALUE')
    else found.set(match[1] as string, { value: match[2] as string, at: line.at })
  }
  return found
}
