import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { tosPriority } from '../ip/tos-priority.js'
import { NUMBERS } from '../numbers.js'
import { ifAddrs } from '../route/ifaddr.js'
import { udpSendmsg } from '../udp/udp-sendmsg.js'
import { Sock } from './components.js'
import { SockSend } from './sock-wfree.js'
import { socketSndbuf } from './socket-sndbuf.js'

/** Options of UDP sockets that can be set while a run goes. */
export type UdpOption =
  | 'UDP_CORK'
  | 'UDP_SEGMENT'
  | 'SO_BROADCAST'
  | 'SO_DONTROUTE'
  | 'SO_SNDBUF'
  | 'IP_TTL'
  | 'IP_TOS'
  | 'IP_MTU_DISCOVER'
  | 'IP_MULTICAST_TTL'
  | 'IP_MULTICAST_LOOP'
  | 'IP_MULTICAST_ALL'

/** setsockopt() of UDP sockets; 0 or a negative errno. */
export interface UdpSetsockopt {
  set(cpu: number, sock: number, option: UdpOption, value: number): number
  /** IP_MULTICAST_IF: a device (0: none), or an address of one (signed; 0: none). Kernel: net/ipv4/ip_sockglue.c, do_ip_setsockopt */
  multicastIf(cpu: number, sock: number, dev: number, address: number): number
}

const PMTUDISC_LAST = 5

/** Options of sockets. Kernel: net/core/sock.c, sk_setsockopt; net/ipv4/ip_sockglue.c, do_ip_setsockopt; net/ipv4/udp.c, udp_lib_setsockopt */
export const udpSetsockopt = defineSystem<UdpSetsockopt>(
  'do_ip_setsockopt',
  'sock',
  'net/ipv4/ip_sockglue.c, do_ip_setsockopt',
  (context) => {
    const { ERRNO } = NUMBERS

    const { broadcast, multicastAll } = context.write(Sock)
    const { boundDev } = context.read(Sock)
    const s = context.write(SockSend)
    const { net, host } = context.read(Cpu)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const addresses = context.system(ifAddrs)
    const udp = context.system(udpSendmsg)

    /** A byte from `least` to 255, or −1, which stands for `standard`. */
    function byte(column: Uint8Array, sock: number, value: number, least: number, standard: number): number {
      if (value !== -1 && (value < least || value > 255)) return -ERRNO.EINVAL
      column[sock] = value === -1 ? standard : value
      return 0
    }

    function flag(column: Uint8Array, sock: number, value: number): number {
      column[sock] = value !== 0 ? 1 : 0
      return 0
    }

    function ip(sock: number, option: UdpOption, value: number): number {
      switch (option) {
        case 'IP_TTL':
          return byte(s.ttl, sock, value, 1, 0)
        case 'IP_MULTICAST_TTL':
          return byte(s.multicastTtl, sock, value, 0, 1)
        case 'IP_MULTICAST_ALL':
          return value === 0 || value === 1 ? flag(multicastAll, sock, value) : -ERRNO.EINVAL
        case 'IP_MULTICAST_LOOP':
          return flag(s.multicastLoop, sock, value)
        case 'IP_TOS':
          s.tos[sock] = value & 255
          s.priority[sock] = tosPriority(value & 255)
          return 0
        default:
          if (value < 0 || value > PMTUDISC_LAST) return -ERRNO.EINVAL
          s.pmtudisc[sock] = value + 1
          return 0
      }
    }

    return {
      set(cpu, sock, option, value) {
        switch (option) {
          case 'UDP_CORK':
            if (value === 0) udp.uncork(cpu, sock)
            else s.cork[sock] = 1
            return 0
          case 'UDP_SEGMENT':
            if (value < 0 || value > 0xffff) return -ERRNO.EINVAL
            s.segmentBytes[sock] = value
            return 0
          case 'SO_BROADCAST':
            return flag(broadcast, sock, value)
          case 'SO_DONTROUTE':
            return flag(s.dontRoute, sock, value)
          case 'SO_SNDBUF':
            s.sndbuf[sock] = socketSndbuf({ soSndbuf: Math.max(1, value) }, plan.hosts[host[cpu]].sysctl)
            return 0
          default:
            return ip(sock, option, value)
        }
      },
      multicastIf(cpu, sock, dev, address) {
        const row = dev === 0 && address !== 0 ? addresses.find(net[cpu], address) : 0
        if (dev === 0 && address !== 0 && row === 0) return -ERRNO.EADDRNOTAVAIL
        const found = row === 0 ? dev : addresses.deviceOf(row)
        if (found !== 0 && boundDev[sock] !== 0 && boundDev[sock] !== found) return -ERRNO.EINVAL
        s.multicastDev[sock] = found
        s.multicastAddress[sock] = address
        return 0
      },
    }
  },
)
