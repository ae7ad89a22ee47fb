/** Whether a file that calls itself a result is one, as far as anything reads it. */
import type { InputFault } from '../input-fault.js'

/** What is expected: a kind, a list of one shape, a map whose keys do not matter (`*`), or named members. */
type Shape = 'number' | 'text' | 'any' | readonly [Shape] | { readonly '*': Shape } | { readonly [name: string]: Shape }

/** A member whose name ends in a question mark may be missing or null. */
const NUMBERS = { '*': 'number' } as const
const TIMES = { hardirq: 'number', softirq: 'number', ksoftirqd: 'number', task: 'number', idle: 'number' } as const
const CONTEXTS = { hardirq: ['number'], softirq: ['number'], ksoftirqd: ['number'], task: ['number'] } as const

const CPU = {
  cpu: 'number',
  time_ns: TIMES,
  stages_ns: NUMBERS,
  softnet_stat: NUMBERS,
  'timeline_ns?': CONTEXTS,
} as const satisfies Shape

const QUEUE = {
  ...{ dev: 'text', queue: 'number', irq: 'number', cpu: 'number', frames: 'number', bytes: 'number' },
  ...{ dropped: 'number', irqs: 'number', polls: 'number', polls_done: 'number', packets_per_poll: 'number' },
  ...{ ring_max: 'number', ring_size: 'number' },
} as const satisfies Shape

const SOCKET = {
  ...{ proto: 'text', local: 'text', peer: 'text', app: 'text', received: 'number', drops: 'number' },
  ...{ rcvbuf: 'number', rmem_max_used: 'number' },
} as const satisfies Shape

const TASK = {
  ...{ name: 'text', cpu: 'number', time_ns: 'number', switches: 'number', wakeups: 'number' },
  ...{ messages: 'number', syscalls: 'number' },
} as const satisfies Shape

const HOST = {
  cpus: [CPU],
  queues: [QUEUE],
  devices: ['any'],
  tasks: [TASK],
  gro: NUMBERS,
  xdp: NUMBERS,
  ethtool: { '*': NUMBERS },
  interrupts: { '*': ['number'] },
  softirqs: { '*': ['number'] },
  netns: { '*': { snmp: { '*': NUMBERS }, netstat: { '*': NUMBERS }, sockets: [SOCKET], sockstat: { FRAG: NUMBERS } } },
} as const satisfies Shape

const RESULT = {
  ...{ status: 'text', scenario: 'text', kernel: 'text', profile: 'text', seed: 'number', digest: 'text' },
  simulated_ns: 'number',
  packets: {
    ...{ offered: 'number', created: 'number', delivered: 'number', consumed: 'number' },
    ...{ sent: 'number', dropped: 'number', in_flight: 'number' },
  },
  waiting: NUMBERS,
  drops: [{ host: 'text', where: 'text', reason: 'text', count: 'number' }],
  'latency_ns?': {
    ...{ count: 'number', min: 'number', mean: 'number', p50: 'number', p90: 'number', p99: 'number' },
    ...{ p999: 'number', max: 'number' },
  },
  latency_histogram: [['number']],
  timeline: [{ t_ns: 'number', offered: 'number', delivered: 'number', dropped: 'number', 'dropped_at?': NUMBERS }],
  hosts: { '*': HOST },
  verdict: { bottleneck: 'text', sentences: ['text'], remedies: [{ set: 'text', why: 'text' }] },
} as const satisfies Shape

/** So many faults say that the file is something else. */
const MAX_FAULTS = 10

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function accepted(shape: Shape): string {
  if (shape === 'number') return 'a finite number'
  if (shape === 'text') return 'text'
  return Array.isArray(shape) ? 'a list' : 'an object'
}

function check(value: unknown, shape: Shape, path: string, faults: InputFault[]): void {
  if (shape === 'any' || faults.length >= MAX_FAULTS) return
  const refuse = () => void faults.push({ path, given: value ?? null, accepted: accepted(shape), nearest: null })
  if (shape === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value)) refuse()
  } else if (shape === 'text') {
    if (typeof value !== 'string') refuse()
  } else if (Array.isArray(shape)) {
    if (!Array.isArray(value)) refuse()
    else for (const [index, each] of value.entries()) check(each, shape[0] as Shape, `${path}[${index}]`, faults)
  } else if (!isMap(value)) refuse()
  else {
    for (const [key, inner] of Object.entries(shape)) {
      if (key === '*') for (const [name, each] of Object.entries(value)) check(each, inner, `${path}.${name}`, faults)
      else checkMember(value, key, inner, path, faults)
    }
  }
}

function checkMember(value: object, key: string, shape: Shape, path: string, faults: InputFault[]): void {
  const name = key.replace(/\?$/, '')
  const member: unknown = Reflect.get(value, name)
  const mayBeMissing = name !== key && (member === undefined || member === null)
  if (!mayBeMissing) check(member, shape, `${path}.${name}`, faults)
}

/** Everything that is wrong with what calls itself a result; `given` is the name of its file. */
export function resultFaults(value: unknown, given: string): InputFault[] {
  const faults: InputFault[] = []
  check(value, RESULT, given, faults)
  return faults
}
