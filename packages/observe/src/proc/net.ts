/** /proc/net files of one host, byte for byte as Linux prints them. */
import {
  type CpuRow,
  type DeviceRow,
  KERNEL_VERSIONS,
  type KernelVersion,
  type NetnsResult,
} from '@softnet/scenario/plan'
import { NETSTAT_COLUMNS, SNMP_COLUMNS, SNMP_CONSTANTS } from './kernel-columns.js'

const U32 = 4_294_967_296

function hex(value: number): string {
  return (value % U32).toString(16).padStart(8, '0')
}

/** /proc/net/softnet_stat: a line per CPU, 15 columns, or the first 11 on older kernels. Kernel: net/core/net-procfs.c, softnet_seq_show. */
export function softnetStatText(cpus: readonly CpuRow[], kernel: string): string {
  const long = (KERNEL_VERSIONS[kernel as KernelVersion] ?? KERNEL_VERSIONS['6.18']).softnetColumns === 15
  return cpus
    .map(({ cpu, softnet_stat: stat }) => {
      const first = [stat.processed, stat.dropped, stat.time_squeeze, 0, 0, 0, 0, 0, 0, stat.received_rps]
      const columns = [...first, stat.flow_limit_count]
      if (long) columns.push(stat.input_qlen + stat.process_qlen, cpu, stat.input_qlen, stat.process_qlen)
      return `${columns.map(hex).join(' ')}\n`
    })
    .join('')
}

type Groups = NetnsResult['snmp']

function group(name: string, columns: readonly string[], values: Groups): string {
  const counted = values[name] ?? {}
  const numbers = columns.map((column) => counted[column] ?? SNMP_CONSTANTS[`${name}.${column}`] ?? 0)
  return `${name}: ${columns.join(' ')}\n${name}: ${numbers.join(' ')}\n`
}

/** Icmp message types: only those that were seen, incoming before outgoing, by number. */
function icmpMsg(values: Groups): string {
  const seen = Object.entries(values.IcmpMsg ?? {})
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => ({ name, count, out: name.startsWith('OutType'), type: Number(name.replace(/\D+/, '')) }))
    .sort((a, b) => Number(a.out) - Number(b.out) || a.type - b.type)
  if (seen.length === 0) return ''
  return `IcmpMsg: ${seen.map(({ name }) => name).join(' ')}\nIcmpMsg: ${seen.map(({ count }) => count).join(' ')}\n`
}

/** /proc/net/snmp of one namespace. Kernel: net/ipv4/proc.c, snmp_seq_show. */
export function snmpText(netns: Pick<NetnsResult, 'snmp'>, kernel: string): string {
  return SNMP_COLUMNS.map(([name, columns]) => {
    const text = group(name, columns(kernel), netns.snmp)
    return name === 'Icmp' ? text + icmpMsg(netns.snmp) : text
  }).join('')
}

/** /proc/net/netstat of one namespace, of a kernel without MPTCP. Kernel: net/ipv4/proc.c, netstat_seq_show. */
export function netstatText(netns: Pick<NetnsResult, 'netstat'>, kernel: string): string {
  return NETSTAT_COLUMNS.map(([name, columns]) => group(name, columns(kernel), netns.netstat)).join('')
}

const DEV_HEADER = [
  'Inter-|   Receive                                                |  Transmit',
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
]

/** /proc/net/dev. The receive drop column is rx_dropped and rx_missed_errors together. Kernel: net/core/net-procfs.c, dev_seq_printf_stats. */
export function netDevText(devices: readonly DeviceRow[]): string {
  const widths = [7, 7, 4, 4, 4, 5, 10, 9, 8, 7, 4, 4, 4, 5, 7, 10]
  const rows = devices.map((device) => {
    const values = [
      device.rx_bytes,
      device.rx_packets,
      device.rx_errors,
      device.rx_dropped + device.rx_missed_errors,
      0,
      device.rx_crc_errors,
      0,
      device.multicast,
      device.tx_bytes,
      device.tx_packets,
      0,
      device.tx_dropped ?? 0,
      0,
      0,
      0,
      0,
    ]
    return `${device.name.padStart(6)}: ${values.map((value, i) => String(value).padStart(widths[i]!)).join(' ')}`
  })
  return `${[...DEV_HEADER, ...rows].join('\n')}\n`
}
