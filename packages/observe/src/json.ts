/** The result document as JSON text whose key order does not depend on how the object was built. */
import { PATH_PLACES, type ResultDocument, STAGES, TIMELINE_CONTEXTS } from '@softnet/scenario/plan'
import { NETSTAT_COLUMNS, SNMP_COLUMNS } from './proc/kernel-columns.js'

const NEWEST = '6.18'

/** Keys in the order they are written; keys not named come after, by code point. */
interface KeyOrder {
  readonly keys: readonly string[]
  /** Orders below a key; `*` stands for every key not named. */
  readonly inside?: Readonly<Record<string, KeyOrder>>
  /** Everything below keeps its order, which means something there. */
  readonly asWritten?: boolean
}

const NONE: KeyOrder = { keys: [] }
const AS_WRITTEN: KeyOrder = { keys: [], asWritten: true }

const counterGroups = (groups: typeof SNMP_COLUMNS): KeyOrder => ({
  keys: groups.map(([name]) => name),
  inside: Object.fromEntries(groups.map(([name, columns]) => [name, { keys: columns(NEWEST) }])),
})

const CPU: KeyOrder = {
  keys: ['cpu', 'time_ns', 'stages_ns', 'softnet_stat', 'timeline_ns'],
  inside: {
    time_ns: { keys: ['hardirq', 'softirq', 'ksoftirqd', 'task', 'idle'] },
    stages_ns: { keys: STAGES },
    timeline_ns: { keys: TIMELINE_CONTEXTS },
    softnet_stat: {
      keys: [
        'processed',
        'dropped',
        'time_squeeze',
        'received_rps',
        'flow_limit_count',
        'squeeze_budget',
        'squeeze_time',
        'input_qlen',
        'process_qlen',
        'input_qlen_max',
      ],
    },
  },
}

const HOST: KeyOrder = {
  keys: [
    'cpus',
    'queues',
    'devices',
    'tx_queues',
    'qdiscs',
    'tasks',
    'gro',
    'xdp',
    'ethtool',
    'interrupts',
    'interrupt_names',
    'softirqs',
    'netns',
  ],
  inside: {
    cpus: CPU,
    queues: {
      keys: [
        'dev',
        'queue',
        'irq',
        'cpu',
        'frames',
        'bytes',
        'dropped',
        'irqs',
        'polls',
        'polls_done',
        'packets_per_poll',
        'ring_max',
        'ring_size',
      ],
    },
    devices: {
      keys: [
        'name',
        'driver',
        'mtu',
        'link_bits_per_sec',
        'rx_packets',
        'rx_bytes',
        'rx_errors',
        'rx_dropped',
        'rx_missed_errors',
      ],
    },
    tasks: { keys: ['name', 'cpu', 'time_ns', 'switches', 'wakeups', 'messages', 'syscalls'] },
    softirqs: { keys: ['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'] },
    netns: {
      keys: [],
      inside: {
        '*': {
          keys: ['snmp', 'netstat', 'sockets'],
          inside: {
            snmp: counterGroups(SNMP_COLUMNS),
            netstat: counterGroups(NETSTAT_COLUMNS),
            sockets: { keys: ['proto', 'local', 'peer', 'app', 'received', 'drops', 'rcvbuf', 'rmem_max_used'] },
          },
        },
      },
    },
  },
}

const RESULT: KeyOrder = {
  keys: [
    'schema',
    'status',
    'scenario',
    'kernel',
    'profile',
    'seed',
    'workers',
    'parallel',
    'digest',
    'simulated_ns',
    'wall_ms',
    'packets',
    'waiting',
    'drops',
    'latency_ns',
    'latency_histogram',
    'timeline',
    'hosts',
    'verdict',
    'input',
  ],
  inside: {
    packets: { keys: ['offered', 'created', 'delivered', 'consumed', 'sent', 'dropped', 'in_flight'] },
    waiting: { keys: ['wire', 'nic', 'ring', 'softirq', 'backlog', 'socket'] },
    drops: { keys: ['host', 'where', 'reason', 'count'] },
    latency_ns: { keys: ['count', 'min', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'] },
    timeline: {
      keys: ['t_ns', 'offered', 'delivered', 'dropped', 'dropped_at'],
      inside: { dropped_at: { keys: PATH_PLACES } },
    },
    hosts: { keys: [], inside: { '*': HOST } },
    input: { keys: ['scenario', 'directory'], inside: { scenario: AS_WRITTEN } },
    verdict: { keys: ['bottleneck', 'sentences', 'remedies'], inside: { remedies: { keys: ['set', 'why'] } } },
  },
}

const LINE_COLUMNS = 110

function orderedKeys(value: object, order: KeyOrder): string[] {
  if (order.asWritten) return Object.keys(value)
  const known = order.keys.filter((key) => Object.hasOwn(value, key))
  const rest = Object.keys(value).filter((key) => !order.keys.includes(key))
  const byName = (a: string, b: string): number => {
    const numbers = Number(a) - Number(b)
    return numbers !== 0 && !Number.isNaN(numbers) ? numbers : a < b ? -1 : 1
  }
  return [...known, ...rest.sort(byName)]
}

/** A list of numbers as lines that are filled, since one number a line would be most of a result. */
function numberLines(texts: readonly string[], width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const text of texts) {
    if (line !== '' && line.length + 2 + text.length > width) {
      lines.push(line)
      line = ''
    }
    line += line === '' ? text : `, ${text}`
  }
  return [...lines, line]
}

function write(value: unknown, order: KeyOrder, indent: string): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'null'
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null'
  const list = Array.isArray(value)
  const inner = `${indent}  `
  const parts = list
    ? value.map((entry) => write(entry, order, inner))
    : orderedKeys(value, order)
        .filter((key) => (value as Record<string, unknown>)[key] !== undefined)
        .map((key) => {
          const below = order.asWritten ? order : (order.inside?.[key] ?? order.inside?.['*'] ?? NONE)
          return `${JSON.stringify(key)}: ${write((value as Record<string, unknown>)[key], below, inner)}`
        })
  const [open, close] = list ? ['[', ']'] : ['{', '}']
  if (parts.length === 0) return `${open}${close}`
  const line = list ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`
  if (line.length + indent.length <= LINE_COLUMNS && !line.includes('\n')) return line
  const isNumbers = list && value.every((entry) => typeof entry === 'number')
  const rows = isNumbers ? numberLines(parts, LINE_COLUMNS - inner.length) : parts
  return `${open}\n${rows.map((part) => inner + part).join(',\n')}\n${indent}${close}`
}

/** JSON text of a result, ending in a newline: keys in the order of the document's definition, short values on one line. */
export function resultToJson(result: ResultDocument): string {
  return `${write(result, RESULT, '')}\n`
}
