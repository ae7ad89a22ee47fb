import { formatIpv4 } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import { SKB, Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { Sock } from '../sock/components.js'
import { filterRow, SockFilter } from '../sock/sk-filter-components.js'
import { udpRecvmsg } from '../sock/udp-recvmsg.js'
import { udpSendmsg } from '../udp/udp-sendmsg.js'

/** A datagram as a program reads it. */
export interface BenchDatagram {
  readonly bytes: number
  /** Segment size that UDP_GRO tells, 0 if the datagram came alone. */
  readonly segmentBytes: number
  /** What it says, null where the payload is virtual. */
  readonly data: Uint8Array | null
  /** Sender, `192.0.2.1:40000`. */
  readonly from: string
}

/** A UDP socket that a bench reads itself. */
export interface BenchSocket {
  readonly rcvbufBytes: number
  /** `sk_rmem_alloc`, bytes. */
  rmemBytes(): number
  /** Datagrams that wait. */
  held(): number
  drops(): number
  /** truesize of each datagram that waits, oldest first. */
  truesizes(): number[]
  /** recvmsg without blocking, after the pending error was taken; null when nothing waits. Only inside a step. */
  receive(): BenchDatagram | null
  /** sendmsg: bytes sent or a negative errno. `to` null: the connected peer. Only inside a step. */
  send(data: Uint8Array, to: { readonly address: number; readonly port: number } | null): number
  /** SO_ATTACH_FILTER: attaches program `index` of those the plan gives the socket. */
  attachFilter(index: number): void
  /** SO_ERROR: the pending errno, which it clears. */
  takeError(): number
}

/** Larger than any datagram. */
const UDP_HEADER_BYTES = 8
const BUFFER_BYTES = 1_048_576

/** Socket row `sock`, taken from the program that owns it: data wakes nobody. */
export function benchSocket(model: Model, sock: number, cpu: number): BenchSocket {
  const s = model.world.columns(Sock)
  const { truesize, next, gsoSize, flags, saddr, ports, payload, ipWord } = model.world.columns(Skb)
  const bytes = model.binder.bind(skbBytes)
  const read = model.binder.bind(udpRecvmsg)
  const sendmsg = model.binder.bind(udpSendmsg)
  s.task[sock] = 0
  s.epoll[sock] = 0
  s.watchCount[sock] = 0

  function* rows(): Generator<number> {
    for (let row = s.readerHead[sock]; row !== 0; row = next[row]) yield row
    for (let row = s.queueHead[sock]; row !== 0; row = next[row]) yield row
  }

  function contents(row: number): Uint8Array | null {
    if (!bytes.has(row)) return null
    const view = new DataView(new ArrayBuffer(payload[row]))
    bytes.copyFrom(row, ((ipWord[row] >>> 24) & 15) * 4 + UDP_HEADER_BYTES, view, 0, payload[row])
    return new Uint8Array(view.buffer)
  }

  return {
    rcvbufBytes: s.rcvbuf[sock],
    rmemBytes: () => s.rmemAlloc[sock],
    held: () => s.readerCount[sock] + s.queueCount[sock],
    drops: () => s.drops[sock],
    truesizes: () => [...rows()].map((row) => truesize[row]),
    send: (data, to) => sendmsg.send(cpu, sock, data.length, (to?.address ?? 0) | 0, to?.port ?? -1, data, 0),
    attachFilter(index) {
      model.world.columns(SockFilter).first[sock] = filterRow(model.layout, sock, index)
    },
    takeError: () => sendmsg.takeError(sock),
    receive() {
      // Datagrams with a wrong checksum are found out while they are copied, and passed over.
      const first = [...rows()].find((row) => (flags[row] & SKB.csumBad) === 0) ?? 0
      const segmentBytes = first === 0 ? 0 : gsoSize[first]
      const data = first === 0 ? null : contents(first)
      const from = `${formatIpv4(saddr[first])}:${ports[first] >>> 16}`
      const read_ = read.receive(cpu, sock, BUFFER_BYTES)
      return read_ === 0 ? null : { bytes: read_ - 1, segmentBytes, data, from }
    },
  }
}
