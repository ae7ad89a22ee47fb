import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { Sock } from '../sock/components.js'
import { sockQueueRcv } from '../sock/sock-queue-rcv.js'
import { PingHash, RAW_PROTOCOLS, RawHash, RawSock } from './components.js'

/** Answer of `pingRcv`: the packet has gone to a socket, or was freed there. */
export const TAKEN = -2

/** Copies for sockets that are not UDP's. */
export interface RawInput {
  /**
   * A clone to every raw socket that matches a packet at its IP header; how many took part, also those that filtered it.
   * Kernel: net/ipv4/raw.c, raw_v4_input
   */
  deliver(cpu: number, row: number, protocol: number): number
  /**
   * An echo reply at its ICMP header goes to the ping socket of its id: the drop place if there is none, else −2, and the packet
   * is gone. Kernel: net/ipv4/ping.c, ping_rcv
   */
  pingRcv(cpu: number, row: number): number
  /** The ping socket that a message with this id, from or to these addresses, is for; 0: none. Kernel: ping_lookup */
  pingLookup(cpu: number, row: number, ident: number, own: number): number
  /** The program of a socket has ended: nothing reaches it any more. Kernel: net/ipv4/raw.c, raw_unhash_sk */
  close(sock: number): void
}

/** Raw and ping sockets on the way in. Kernel: net/ipv4/raw.c, raw_v4_input */
export const rawInput = defineSystem<RawInput>('raw_v4_input', 'raw', 'net/ipv4/raw.c, raw_v4_input', (context) => {
  const { DROP, IPPROTO_ICMP, STAGE } = NUMBERS

  const { head } = context.read(RawHash)
  const { head: pingHead } = context.read(PingHash)
  const { icmpFilter, ident: sockIdent, next } = context.read(RawSock)
  const { kind } = context.write(RawSock)
  const { address, peerAddress, boundDev, rcvbuf } = context.read(Sock)
  const { rmemAlloc, drops } = context.write(Sock)
  const { saddr, daddr, dev, tcpWord, tcpSeq, len, ipWord } = context.read(Skb)
  const { net } = context.read(Cpu)
  const spend = context.system(charge)
  const alloc = context.system(allocSkb)
  const queue = context.system(sockQueueRcv)

  /** Kernel: net/ipv4/raw.c, raw_v4_match */
  function matches(row: number, sock: number): boolean {
    if (kind[sock] === 0) return false
    if (peerAddress[sock] !== 0 && peerAddress[sock] !== saddr[row]) return false
    if (address[sock] !== 0 && address[sock] !== daddr[row]) return false
    return boundDev[sock] === 0 || boundDev[sock] === dev[row]
  }

  /** Kernel: net/ipv4/raw.c, icmp_filter */
  function isFiltered(row: number, sock: number): boolean {
    if (len[row] < ((ipWord[row] >>> 24) & 15) * 4 + 8) return true
    const type = tcpWord[row] & 255
    return type < 32 && ((icmpFilter[sock] >>> type) & 1) !== 0
  }

  function pingLookup(cpu: number, row: number, ident: number, own: number): number {
    for (let sock = pingHead[1 + net[cpu]]; sock !== 0; sock = next[sock]) {
      if (sockIdent[sock] !== ident || kind[sock] === 0) continue
      if (address[sock] !== 0 && address[sock] !== own >>> 0) continue
      if (boundDev[sock] === 0 || boundDev[sock] === dev[row]) return sock
    }
    return 0
  }

  return {
    pingLookup,
    close(sock) {
      kind[sock] = 0
    },
    deliver(cpu, row, protocol) {
      let delivered = 0
      for (let sock = head[1 + net[cpu] * RAW_PROTOCOLS + protocol]; sock !== 0; sock = next[sock]) {
        if (!matches(row, sock)) continue
        if (rmemAlloc[sock] >= rcvbuf[sock]) {
          drops[sock]++
          continue
        }
        delivered++
        if (protocol === IPPROTO_ICMP && isFiltered(row, sock)) continue
        const clone = alloc.clone(cpu, row)
        if (clone === 0) continue
        spend(cpu, STAGE.raw_deliver, 1)
        queue.enqueue(cpu, clone, sock, DROP.rawRcvbuf, DROP.rawFilter)
      }
      return delivered
    },
    pingRcv(cpu, row) {
      const sock = pingLookup(cpu, row, tcpSeq[row] >>> 16, daddr[row])
      if (sock === 0) return DROP.pingNoSocket
      spend(cpu, STAGE.udp_enqueue, 1)
      queue.enqueue(cpu, row, sock, DROP.pingRcvbuf, DROP.pingFilter)
      return TAKEN
    },
  }
})
