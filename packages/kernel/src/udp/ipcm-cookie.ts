import { defineComponent, defineSystem, i32, u8, u16 } from '@softnet/ecs'
import { tosPriority } from '../ip/tos-priority.js'
import { NUMBERS } from '../numbers.js'
import { Sock } from '../sock/components.js'
import { SockSend } from '../sock/sock-wfree.js'
import { SendCmsg } from './send-cmsg.js'

/** How the message is sent that a CPU has under way: rows are CPU entities. Kernel: include/net/ip.h, struct ipcm_cookie */
export const IpcmCookie = defineComponent(
  'ipcm_cookie',
  {
    /** UDP_SEGMENT, 0: off. */
    segmentBytes: u16,
    /** TTL of this message, 0: that of the socket. */
    ttl: u8,
    tos: u8,
    priority: u8,
    /** Device and source (signed) asked for, 0: none. */
    oif: i32,
    source: i32,
    /** 1: only to who is on a link. */
    onLink: u8,
  },
  { role: 'observer' },
)

/** Fills the cookie from a socket's options, and from ancillary data (row of `SendCmsg`, 0: none); 0 or a negative errno. */
export type IpcmInit = (cpu: number, sock: number, to: number, flags: number, cmsg: number) => number

/** What a message is sent by. Kernel: include/net/ip.h, ipcm_init_sk; net/ipv4/ip_sockglue.c, ip_cmsg_send */
export const ipcmInit = defineSystem<IpcmInit>(
  'ip_cmsg_send',
  'udp',
  'net/ipv4/ip_sockglue.c, ip_cmsg_send',
  (context) => {
    const { ERRNO, MSG } = NUMBERS
    const c = context.write(IpcmCookie)
    const given = context.read(SendCmsg)
    const { address, boundDev } = context.read(Sock)
    const s = context.read(SockSend)

    /** Kernel: net/ipv4/udp.c, udp_cmsg_send; net/ipv4/ip_sockglue.c, ip_cmsg_send */
    function take(cpu: number, row: number): number {
      if (given.unknown[row] !== 0) return -ERRNO.EINVAL
      if (given.segmentBytes[row] >= 0) c.segmentBytes[cpu] = given.segmentBytes[row]
      if (given.pktinfo[row] !== 0) {
        if (given.dev[row] !== 0) c.oif[cpu] = given.dev[row]
        c.source[cpu] = given.source[row]
      }
      if (given.ttl[row] !== -1) {
        if (given.ttl[row] < 1 || given.ttl[row] > 255) return -ERRNO.EINVAL
        c.ttl[cpu] = given.ttl[row]
      }
      if (given.tos[row] !== -1) {
        if (given.tos[row] < 0 || given.tos[row] > 255) return -ERRNO.EINVAL
        c.tos[cpu] = given.tos[row]
        c.priority[cpu] = tosPriority(given.tos[row])
      }
      return 0
    }

    return (cpu, sock, to, flags, cmsg) => {
      c.segmentBytes[cpu] = s.segmentBytes[sock]
      c.ttl[cpu] = 0
      c.tos[cpu] = s.tos[sock]
      c.priority[cpu] = s.priority[sock]
      c.oif[cpu] = boundDev[sock]
      c.source[cpu] = s.anySource[sock] !== 0 ? 0 : address[sock] | 0
      c.onLink[cpu] = s.dontRoute[sock] | (flags & MSG.dontRoute)
      if (cmsg !== 0) {
        const error = take(cpu, cmsg)
        if (error < 0) return error
      }
      if (to >>> 28 !== 14) return 0
      if (c.oif[cpu] === 0) c.oif[cpu] = s.multicastDev[sock]
      if (c.source[cpu] === 0) c.source[cpu] = s.multicastAddress[sock] | 0
      return 0
    }
  },
)
