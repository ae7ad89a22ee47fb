/** /proc/interrupts and /proc/softirqs of one host, byte for byte as Linux prints them. */
import type { HostResult } from '@softnet/scenario/plan'
import { kernelSince } from './kernel-columns.js'

/** Rows after the numbered ones, in Linux's order; the marked ones appear only where they were counted. Kernel: arch/x86/kernel/irq.c, arch_show_interrupts. */
const ARCH_ROWS: readonly (readonly [name: string, text: string, always: boolean])[] = [
  ['NMI', 'Non-maskable interrupts', true],
  ['LOC', 'Local timer interrupts', true],
  ['SPU', 'Spurious interrupts', true],
  ['PMI', 'Performance monitoring interrupts', true],
  ['IWI', 'IRQ work interrupts', true],
  ['RTR', 'APIC ICR read retries', true],
  ['RES', 'Rescheduling interrupts', true],
  ['CAL', 'Function call interrupts', true],
  ['TLB', 'TLB shootdowns', true],
  ['TRM', 'Thermal event interrupts', true],
  ['HYP', 'Hypervisor callback interrupts', false],
  ['ERR', '', true],
  ['MIS', '', true],
  ['PIN', 'Posted-interrupt notification event', true],
  ['NPI', 'Nested posted-interrupt event', true],
  ['PIW', 'Posted-interrupt wakeup event', true],
]

const VECTOR_ORDER = ['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU']

/** PCI slot that the first device of a host is taken to sit in. */
const FIRST_SLOT = 3

function header(indent: number, cpus: readonly number[]): string {
  return `${' '.repeat(indent)}${cpus.map((cpu) => `CPU${String(cpu).padEnd(8)}`).join('')}\n`
}

function counts(values: readonly number[], cpuCount: number): string {
  return Array.from({ length: cpuCount }, (_, i) => ` ${String(values[i] ?? 0).padStart(10)}`).join('')
}

/** Interrupt controller and source of a vector: the device's place on the bus and the vector's number in it. */
function chip(host: HostResult, irq: number, kernel: string): string {
  const name = host.interrupt_names[String(irq)] ?? ''
  const known = host.queues.find((queue) => queue.irq === irq)?.dev
  const device = known ?? host.devices.find((row) => name.startsWith(row.name))?.name
  const slot =
    FIRST_SLOT +
    Math.max(
      0,
      host.devices.findIndex((row) => row.name === device),
    )
  const irqs = host.queues.filter((queue) => queue.dev === device).map((queue) => queue.irq)
  const source = irqs.length > 0 ? irq - Math.min(...irqs) : 0
  if (!kernelSince(kernel, '6.5')) return `${'PCI-MSI'.padStart(8)} ${slot * 16_384 + source}-edge`
  return `PCI-MSIX-0000:00:${slot.toString(16).padStart(2, '0')}.0 ${String(source).padStart(3)}-edge`
}

/** /proc/interrupts. Kernel: kernel/irq/proc.c, show_interrupts. */
export function interruptsText(host: HostResult, kernel: string): string {
  const cpus = host.cpus.map(({ cpu }) => cpu)
  const numbered = Object.keys(host.interrupts)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
  const width = Math.max(3, ...numbered.map((irq) => String(irq).length))
  const rows = numbered.map((irq) => {
    const name = host.interrupt_names[String(irq)] ?? ''
    const line = `${String(irq).padStart(width)}:${counts(host.interrupts[String(irq)] ?? [], cpus.length)}`
    // Up to 6.5 each count is followed by a space and the chip by another; 6.18 writes the one before the count.
    return `${line}${kernelSince(kernel, '6.18') ? ' ' : '  '}${chip(host, irq, kernel)}      ${name}\n`
  })
  const arch = ARCH_ROWS.filter(([name, , always]) => always || host.interrupts[name] !== undefined).map(
    ([name, text]) => {
      const values = host.interrupts[name] ?? []
      const label = `${name.padStart(width)}:`
      return text === '' ? `${label}${counts(values, 1)}\n` : `${label}${counts(values, cpus.length)}   ${text}\n`
    },
  )
  return header(width + 8, cpus) + rows.join('') + arch.join('')
}

/** /proc/softirqs: times each vector's action ran. Kernel: fs/proc/softirqs.c, show_softirqs. */
export function softirqsText(host: Pick<HostResult, 'cpus' | 'softirqs'>): string {
  const cpus = host.cpus.map(({ cpu }) => cpu)
  const rows = VECTOR_ORDER.map((name) => `${name.padStart(12)}:${counts(host.softirqs[name] ?? [], cpus.length)}\n`)
  return header(20, cpus) + rows.join('')
}

/** `ethtool -S` of one device. */
export function ethtoolText(counters: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counters).map(([name, value]) => `     ${name}: ${value}\n`)
  return `NIC statistics:\n${rows.join('')}`
}
