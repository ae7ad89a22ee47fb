/** Every bound of a run with its default and the reason for it; a scenario's `limits` changes them by name. */

/** One bound. */
export interface Limit {
  readonly name: string
  readonly default: number
  readonly min: number
  readonly max: number
  readonly unit: string
  readonly reason: string
}

/** Limits of a run and of what a scenario may ask for. */
export const LIMITS: readonly Limit[] = [
  {
    name: 'packet-rows-per-cpu',
    default: 0,
    min: 0,
    max: 1_048_576,
    unit: 'packets',
    reason:
      'rows of the packet pool of one CPU; 0 takes the sum of its rings, backlogs, GRO lists and socket buffers, which is all that can exist',
  },
  {
    name: 'mailbox-slots',
    default: 512,
    min: 64,
    max: 1_048_576,
    unit: 'messages',
    reason:
      'messages that may be under way from one partition to another; a full mailbox stops the sender, not the result',
  },
  {
    name: 'events-per-partition',
    default: 65_536,
    min: 256,
    max: 16_777_216,
    unit: 'events',
    reason: 'pending timers and messages of one simulated CPU or wire',
  },
  {
    name: 'cpus-per-host',
    default: 1024,
    min: 1,
    max: 8192,
    unit: 'CPUs',
    reason: 'NR_CPUS of distribution kernels is 8192; mailboxes grow with the square of CPUs that exchange packets',
  },
  {
    name: 'devices-per-host',
    default: 64,
    min: 1,
    max: 1024,
    unit: 'devices',
    reason: 'each device has a wire partition of its own',
  },
  {
    name: 'queues-per-host',
    default: 4096,
    min: 1,
    max: 65_536,
    unit: 'queues',
    reason: 'each queue has a ring, a vector and a NAPI context',
  },
  {
    name: 'tasks-per-host',
    default: 4096,
    min: 1,
    max: 65_536,
    unit: 'tasks',
    reason: 'each task has a run-queue entry and the columns of its calls',
  },
  {
    name: 'sockets-per-host',
    default: 262_144,
    min: 1,
    max: 4_194_304,
    unit: 'sockets',
    reason: 'each socket has lookup, queue and epoll columns, about 300 bytes',
  },
  {
    name: 'flows',
    default: 1_048_576,
    min: 1,
    max: 16_777_216,
    unit: 'flows',
    reason: 'flows of one traffic entry; each costs a row of counters',
  },
  {
    name: 'packet-pages-per-cpu',
    default: 64,
    min: 1,
    max: 65_536,
    unit: 'pages',
    reason:
      'packets of real bytes that can be alive: ICMP errors, ARP (2048 at least), packets with options; 2 KiB each',
  },
  {
    name: 'frames-per-link',
    default: 65_536,
    min: 256,
    max: 4_194_304,
    unit: 'frames',
    reason: 'frames that may be on a link or in a switch at once: delay and buffers times rate, at most so many',
  },
  {
    name: 'capture-bytes',
    default: 268_435_456,
    min: 24,
    max: 2_147_483_648,
    unit: 'bytes',
    reason: 'a replayed capture is held in memory',
  },
]

/** Names accepted under `limits`. */
export const LIMIT_NAMES: readonly string[] = LIMITS.map((limit) => limit.name)

/** Default of every limit, by name. */
export function defaultLimits(): Record<string, number> {
  return Object.fromEntries(LIMITS.map((limit) => [limit.name, limit.default]))
}

/** Longest run that integer picoseconds in a float64 hold exactly: 2.5 hours, ps. */
export const MAX_DURATION_PS = 9_000 * 1e12
