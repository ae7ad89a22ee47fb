/** What happens to a host during a run, in the words of the commands that bring it about. */
import {
  isDevice,
  parseFeatures,
  parseMaskWrite,
  parseQdisc,
  parseRings,
  parseSysctl,
  type TypedEvent,
} from './event-command.js'

/** What `parseEvent` accepts, in words. */
export const EVENT_WORDS =
  'unplug DEV, plug DEV, ip link set DEV down, ip link set DEV up, ethtool -C DEV rx-usecs N, ethtool -K DEV gro on|off, ethtool -G DEV rx N, tc qdisc replace dev DEV root KIND, sysctl -w NAME=VALUE, echo MASK > /sys/class/net/DEV/queues/rx-N/rps_cpus (tx-N/xps_cpus), stall DEV tx N'

const USECS_MAX = 1_000_000
/** `ip link set [dev] DEV up|down`. */
function parseLinkSet(words: readonly string[]): TypedEvent | null {
  const rest = words[0] === 'dev' ? words.slice(1) : words
  const [dev, state] = rest
  if (!isDevice(dev) || rest.length !== 2 || (state !== 'up' && state !== 'down')) return null
  return { kind: 'link', dev, up: state === 'up' }
}

/** `stall DEV tx N`. */
function parseStall(dev: string | undefined, queue: string | undefined): TypedEvent | null {
  if (!isDevice(dev) || queue === undefined || !/^\d{1,4}$/.test(queue)) return null
  return { kind: 'stall', dev, queue: Number(queue) }
}

const COALESCE = ['rx-usecs', 'rx-frames', 'tx-usecs'] as const

/** `ethtool -C DEV NAME VALUE …`. */
function parseCoalesce(words: readonly string[]): TypedEvent | null {
  const [dev, ...pairs] = words
  if (!isDevice(dev) || pairs.length === 0 || pairs.length % 2 !== 0) return null
  const values: Partial<Record<(typeof COALESCE)[number], number>> = {}
  for (let i = 0; i < pairs.length; i += 2) {
    const name = COALESCE.find((known) => known === pairs[i])
    const value = Number(pairs[i + 1])
    if (name === undefined || values[name] !== undefined || !/^\d+$/.test(pairs[i + 1] ?? '')) return null
    if (value > (name === 'rx-frames' ? 65_535 : USECS_MAX)) return null
    values[name] = value
  }
  return {
    kind: 'coalesce',
    dev,
    rxUsecs: values['rx-usecs'] ?? null,
    rxFrames: values['rx-frames'] ?? null,
    txUsecs: values['tx-usecs'] ?? null,
  }
}

/** Reads one event; null if it is none. Kernel: iproute2's and ethtool's words */
export function parseEvent(text: string): TypedEvent | null {
  const words = text.trim().split(/\s+/)
  const [first, second, third] = words
  if (first === 'plug' || first === 'unplug') {
    return words.length === 2 && isDevice(second) ? { kind: 'cable', dev: second, up: first === 'plug' } : null
  }
  if (first === 'ip' && (second === 'link' || second === 'l') && third === 'set') return parseLinkSet(words.slice(3))
  if (first === 'stall' && third === 'tx' && words.length === 4) return parseStall(second, words[3])
  if (first === 'ethtool' && (second === '-K' || second === '--features')) return parseFeatures(words.slice(2))
  if (first === 'ethtool' && (second === '-G' || second === '--set-ring')) return parseRings(words.slice(2))
  if (first === 'tc' && second === 'qdisc') return parseQdisc(words.slice(2))
  if (first === 'echo') return parseMaskWrite(words.slice(1))
  if (first === 'sysctl') return parseSysctl(words.slice(1))
  if (first === 'ethtool' && (second === '-C' || second === '--coalesce')) return parseCoalesce(words.slice(2))
  return null
}
