import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { ipLocalOut } from '../ip/ip-output.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { SockSend } from '../sock/sock-wfree.js'
import { IpcmCookie } from './ipcm-cookie.js'

/** Sends a packet that a socket has made, whose way takes `largest` bytes; 0 or a negative errno. */
export type UdpSendSkb = (cpu: number, sock: number, row: number, largest: number) => number

const HEADER_BYTES = 28

/** Checks what UDP_SEGMENT cannot do, and sends. Kernel: net/ipv4/udp.c, udp_send_skb */
export const udpSendSkb = defineSystem<UdpSendSkb>('udp_send_skb', 'udp', 'net/ipv4/udp.c, udp_send_skb', (context) => {
  const { DROP, ERRNO, NET_XMIT, SKB, SNMP } = NUMBERS
  const { flags, frames, gsoSize } = context.write(Skb)
  const { payload } = context.read(Skb)
  const { noCheck, sent: sentCount } = context.write(SockSend)
  const { segmentBytes } = context.read(IpcmCookie)
  const segmentsMax = KERNEL_VERSIONS[context.resource(PLAN_CONSTANTS).plan.kernel].udpSegmentsMax
  const out = context.system(ipLocalOut)
  const count = context.system(counters)
  const kfree = context.system(kfreeSkb)

  /** What UDP_SEGMENT cannot do: 0, or a negative errno. */
  function refuse(cpu: number, sock: number, bytes: number, largest: number): number {
    const size = segmentBytes[cpu]
    if (HEADER_BYTES + Math.min(bytes, size) > largest) return -ERRNO.EMSGSIZE
    return bytes > size * segmentsMax || noCheck[sock] !== 0 ? -ERRNO.EINVAL : 0
  }

  return (cpu, sock, row, largest) => {
    if (segmentBytes[cpu] !== 0) {
      const refused = refuse(cpu, sock, payload[row], largest)
      if (refused < 0) {
        kfree(cpu, row, DROP.udpSend)
        return refused
      }
      if (payload[row] > segmentBytes[cpu]) {
        frames[row] = Math.ceil(payload[row] / segmentBytes[cpu])
        gsoSize[row] = segmentBytes[cpu]
        flags[row] |= SKB.gso
        count.created(cpu, frames[row] - 1)
      }
    }
    const answer = out(cpu, row)
    // A discipline that lost the packet says so, one that lost another of the flow does not count. Kernel: net_xmit_errno
    const sent = answer === NET_XMIT.drop ? -ERRNO.ENOBUFS : answer === NET_XMIT.cn ? 0 : answer
    if (sent === 0) {
      count.snmp(cpu, SNMP.UdpOutDatagrams, 1)
      sentCount[sock]++
      return 0
    }
    count.snmp(cpu, SNMP.IpOutDiscards, 1)
    if (sent !== -ERRNO.ENOBUFS) return sent
    // Without IP_RECVERR a full device is not told to the sender.
    count.snmp(cpu, SNMP.UdpSndbufErrors, 1)
    return 0
  }
})
