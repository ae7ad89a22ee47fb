/** Calls of recorded programs on their sockets, as recordings write them. */
import { type BenchCmsg, type BenchSocket, MSG, type UdpOption } from '@softnet/kernel'
import { parseIpv4 } from '@softnet/scenario'

const SEND = /^send\((\w+), ?(\d+) bytes(?:, to ([\d.]+:\d+))?(?:, (MSG_[A-Z_|]+))?(?:, cmsg (.*))?\)$/
const FLAGS: Readonly<Record<string, number>> = { MSG_DONTROUTE: MSG.dontRoute, MSG_DONTWAIT: 0, MSG_MORE: MSG.more }
const SETSOCKOPT = /^setsockopt\((\w+), (\w+), (.+)\)$/
const NUMBERS: readonly string[] = [
  'UDP_CORK',
  'UDP_SEGMENT',
  'SO_BROADCAST',
  'SO_DONTROUTE',
  'SO_SNDBUF',
  'IP_TTL',
  'IP_TOS',
  'IP_MTU_DISCOVER',
  'IP_MULTICAST_TTL',
  'IP_MULTICAST_LOOP',
  'IP_MULTICAST_ALL',
] satisfies UdpOption[]

/** A sendmsg call. */
export interface SendCall {
  readonly name: string
  readonly bytes: number
  readonly to: { readonly address: number; readonly port: number } | null
  readonly flags: number
  readonly cmsg: BenchCmsg | null
}

/** A setsockopt call: done to its socket, 0 or a negative errno. */
export interface SetsockoptCall {
  readonly name: string
  apply(socket: BenchSocket): number
}

function parseCmsg(text: string): BenchCmsg {
  let cmsg: BenchCmsg = {}
  for (const [name, value = ''] of text.split(' ').map((each) => each.split('='))) {
    if (name === 'UDP_SEGMENT') cmsg = { ...cmsg, segmentBytes: Number(value) }
    else if (name === 'IP_TTL') cmsg = { ...cmsg, ttl: Number(value) }
    else if (name === 'IP_TOS') cmsg = { ...cmsg, tos: Number(value) }
    else if (name === 'IP_PKTINFO') {
      const [device = '', source = ''] = value.split('/')
      cmsg = { ...cmsg, pktinfo: { device: device === '' ? null : device, source: parseIpv4(source) ?? 0 } }
    } else cmsg = { ...cmsg, unknown: true }
  }
  return cmsg
}

/** Reads `send(NAME, N bytes, to A:P, MSG_…, cmsg NAME=VALUE …)`; null if it is something else. */
export function parseSend(op: string): SendCall | null {
  const [, name, count, to, flags, cmsg] = SEND.exec(op) ?? []
  if (name === undefined) return null
  const [address = '', port = ''] = to?.split(':') ?? []
  const names = flags?.split('|') ?? []
  if (names.some((each) => FLAGS[each] === undefined)) return null
  return {
    name,
    bytes: Number(count),
    to: to === undefined ? null : { address: parseIpv4(address) ?? 0, port: Number(port) },
    flags: names.reduce((bits, each) => bits | (FLAGS[each] as number), 0),
    cmsg: cmsg === undefined ? null : parseCmsg(cmsg),
  }
}

/** Reads `setsockopt(NAME, OPTION, VALUE)`; null if the option is not modelled. */
export function parseSetsockopt(op: string): SetsockoptCall | null {
  const [, name, option = '', value = ''] = SETSOCKOPT.exec(op) ?? []
  if (name === undefined) return null
  if (NUMBERS.includes(option)) return { name, apply: (socket) => socket.set(option as UdpOption, Number(value)) }
  if (option !== 'IP_MULTICAST_IF') return null
  const address = parseIpv4(value)
  return { name, apply: (socket) => socket.multicastIf(address === null ? value : null, address ?? 0) }
}

/** Whether a call corks its socket. */
export function corks(op: string): boolean {
  return op.includes('MSG_MORE') || op.includes('UDP_CORK')
}
