import { formatIpv4 } from '@softnet/wire'
import type { TracedTask } from './trace-names.js'

const PS_PER_US = 1_000_000
const US_PER_SECOND = 1_000_000

/** What the five characters behind the CPU say. Kernel: kernel/trace/trace_output.c, trace_print_lat_fmt */
export interface LineFlags {
  /** `d` interrupts off, `b` bottom halves off, `D` both, `.` neither. */
  readonly off: 'd' | 'b' | 'D' | '.'
  readonly needResched: boolean
  /** `h` in a handler, `s` in a softirq, `H` in a handler that came in a softirq, `.` neither. */
  readonly interrupt: 'h' | 's' | 'H' | '.'
  /** How often preemption is off, 0 to 9. */
  readonly depth: number
}

/** Columns that a trace in the text form of tracefs begins with; `events` stands for both counts. Kernel: kernel/trace/trace.c, print_trace_header */
export function ftraceHeader(events: string, cpus: number): string {
  return `# tracer: nop
#
# entries-in-buffer/entries-written: ${events}   #P:${cpus}
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
`
}

/** One line, times rounded down to microseconds. Kernel: kernel/trace/trace_output.c, trace_print_context */
export function ftraceLine(
  task: TracedTask,
  cpuIndex: number,
  flags: LineFlags,
  atPs: number,
  event: string,
  fields: string,
): string {
  // The idle task has a name of its own here; in fields it is a swapper. Kernel: kernel/trace/trace_sched_switch.c, __trace_find_cmdline
  const comm = task.pid === 0 ? '<idle>' : task.comm
  const us = Math.floor(atPs / PS_PER_US)
  const rest = us % US_PER_SECOND
  const time = `${((us - rest) / US_PER_SECOND).toString().padStart(5)}.${rest.toString().padStart(6, '0')}`
  const { off, needResched, interrupt, depth } = flags
  const letters = `${off}${needResched ? 'N' : '.'}${interrupt}${depth === 0 ? '.' : depth}.`
  const where = `${comm.padStart(16)}-${task.pid.toString().padEnd(7)} [${cpuIndex.toString().padStart(3, '0')}]`
  return `${where} ${letters} ${time}: ${event}: ${fields}\n`
}

const WORD = 0x1_0000_0000

/**
 * An address as `%p` prints it: hashed to 32 bits, so that it tells things apart and nothing else. The same number gives
 * the same address; numbers below 2³² of one kind give different ones. Kernel: lib/vsprintf.c, ptr_to_id
 */
export function pointer(number: number, kind: number): string {
  // Steps that can be undone one by one: no two numbers of a kind meet.
  let x = (((number % WORD) + WORD) % WORD) ^ Math.imul(kind + 1, 0x9e3779b9)
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return ((x ^ (x >>> 16)) >>> 0).toString(16).padStart(16, '0')
}

/** Fields of sched_switch. Kernel: include/trace/events/sched.h */
export function schedSwitchFields(prev: TracedTask, prevState: string, next: TracedTask): string {
  const from = `prev_comm=${prev.comm} prev_pid=${prev.pid} prev_prio=120 prev_state=${prevState}`
  return `${from} ==> next_comm=${next.comm} next_pid=${next.pid} next_prio=120`
}

/** Fields of sched_waking and sched_wakeup. */
export function schedWakeFields(task: TracedTask, targetIndex: number): string {
  return `comm=${task.comm} pid=${task.pid} prio=120 target_cpu=${targetIndex.toString().padStart(3, '0')}`
}

/** An address and port as `%pISpc` prints them. */
export function socketAddress(address: number, port: number): string {
  return `${formatIpv4(address)}:${port}`
}

/** What napi_gro_receive_entry prints of an sk_buff. Kernel: include/trace/events/net.h, net_dev_rx_verbose_template */
export interface VerboseSkb {
  readonly dev: string
  readonly napiId: number
  readonly queueMapping: number
  readonly skbaddr: string
  readonly vlanTagged: boolean
  readonly vlanTci: number
  readonly protocol: number
  readonly ipSummed: number
  readonly hash: number
  readonly l4Hash: boolean
  readonly len: number
  readonly dataLen: number
  readonly truesize: number
  readonly frags: number
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** Fields of napi_gro_receive_entry. */
export function verboseFields(skb: VerboseSkb): string {
  const vlan = skb.vlanTagged
    ? `vlan_tagged=1 vlan_proto=0x8100 vlan_tci=${hex(skb.vlanTci, 4)}`
    : 'vlan_tagged=0 vlan_proto=0x0000 vlan_tci=0x0000'
  return [
    `dev=${skb.dev} napi_id=0x${skb.napiId.toString(16)} queue_mapping=${skb.queueMapping} skbaddr=${skb.skbaddr}`,
    `${vlan} protocol=${hex(skb.protocol, 4)} ip_summed=${skb.ipSummed}`,
    `hash=${hex(skb.hash, 8)} l4_hash=${skb.l4Hash ? 1 : 0} len=${skb.len} data_len=${skb.dataLen}`,
    `truesize=${skb.truesize} mac_header_valid=1 mac_header=-14 nr_frags=${skb.frags} gso_size=0 gso_type=0x0`,
  ].join(' ')
}
