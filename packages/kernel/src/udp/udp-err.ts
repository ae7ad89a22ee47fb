import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { ERRNO } from '../route/components.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { Sock } from '../sock/components.js'
import { sockError } from '../sock/sock-error.js'
import { udpLookup } from './lookup.js'
import { pmtuDiscovery } from './pmtu-discovery.js'

/** Error of each code of destination unreachable, and whether it is a lasting one. Kernel: net/ipv4/icmp.c, icmp_err_convert */
const UNREACH: readonly (readonly [number, boolean])[] = [
  [ERRNO.ENETUNREACH, false],
  [ERRNO.EHOSTUNREACH, false],
  [ERRNO.ENOPROTOOPT, true],
  [ERRNO.ECONNREFUSED, true],
  [ERRNO.EMSGSIZE, true],
  [ERRNO.EOPNOTSUPP, false],
  [ERRNO.ENETUNREACH, true],
  [ERRNO.EHOSTDOWN, true],
  [ERRNO.ENONET, true],
  [ERRNO.ENETUNREACH, true],
  [ERRNO.EHOSTUNREACH, true],
  [ERRNO.ENETUNREACH, false],
  [ERRNO.EHOSTUNREACH, false],
  [ERRNO.EHOSTUNREACH, true],
  [ERRNO.EHOSTUNREACH, true],
  [ERRNO.EHOSTUNREACH, true],
]

/** Errors about datagrams that sockets of the host have sent. */
export interface UdpErr {
  /**
   * The socket that the answer to a quoted datagram would reach, 0 for none. `quoteAt` and `headerAt` are where the quoted
   * IP and UDP headers begin. Kernel: net/ipv4/udp.c, __udp4_lib_err
   */
  sender(cpu: number, row: number, quoteAt: number, headerAt: number): number
  /** Tells a socket what a message says; true if it listens to path MTUs as well. */
  tell(cpu: number, row: number, sock: number): boolean
}

/** Lasting errors reach connected sockets only: the next call on one returns it. Kernel: net/ipv4/udp.c, __udp4_lib_err */
export const udpErr = defineSystem<UdpErr>('udp_err', 'udp', 'net/ipv4/udp.c, __udp4_lib_err', (context) => {
  const { ERRNO, ICMP_TYPE, PMTUDISC } = NUMBERS

  const { saddr, daddr, ports, tcpWord } = context.write(Skb)
  const { connected } = context.read(Sock)
  const discovery = context.system(pmtuDiscovery)
  const bytes = context.system(skbBytes)
  const lookup = context.system(udpLookup)
  const errors = context.system(sockError)
  const errnos = Uint8Array.from(UNREACH, ([errno]) => errno)
  const lasting = Uint8Array.from(UNREACH, ([, isLasting]) => (isLasting ? 1 : 0))

  /** The socket that the answer to a quoted datagram would reach. */
  function sender(cpu: number, row: number, quoteAt: number, headerAt: number): number {
    const [own, peer, pair] = [daddr[row], saddr[row], ports[row]]
    daddr[row] = bytes.u32(row, quoteAt + 12)
    saddr[row] = bytes.u32(row, quoteAt + 16)
    ports[row] = ((bytes.u16(row, headerAt + 2) << 16) | bytes.u16(row, headerAt)) >>> 0
    const sock = lookup.find(cpu, row)
    daddr[row] = own
    saddr[row] = peer
    ports[row] = pair
    return sock
  }

  /** Lasting error of a message, 0 for one that passes. */
  function errorOf(type: number, code: number): number {
    if (type === ICMP_TYPE.parameterProblem) return ERRNO.EPROTO
    if (type !== ICMP_TYPE.destUnreach || code >= errnos.length || lasting[code] === 0) return 0
    return errnos[code]
  }

  return {
    sender,
    tell(cpu, row, sock) {
      const errno = errorOf(tcpWord[row] & 255, (tcpWord[row] >>> 8) & 255)
      const how = discovery(cpu, sock)
      const isIgnored = errno === ERRNO.EMSGSIZE && how === PMTUDISC.dont
      if (errno !== 0 && !isIgnored && connected[sock] !== 0) errors.tell(cpu, sock, errno)
      // Kernel: include/net/ip.h, ip_sk_accept_pmtu
      return how !== PMTUDISC.interface && how !== PMTUDISC.omit
    },
  }
})
