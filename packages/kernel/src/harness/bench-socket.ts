import type { Model } from '../build/build-model.js'
import { Skb } from '../skb/components.js'
import { Sock } from '../sock/components.js'
import { udpRecvmsg } from '../sock/udp-recvmsg.js'

/** A datagram as a program reads it. */
export interface BenchDatagram {
  readonly bytes: number
  /** Segment size that UDP_GRO tells, 0 if the datagram came alone. */
  readonly segmentBytes: number
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
  /** recvmsg without blocking; null when nothing waits. Only inside a step. */
  receive(): BenchDatagram | null
}

/** Larger than any datagram. */
const BUFFER_BYTES = 1_048_576

/** Socket row `sock`, taken from the program that owns it: data wakes nobody. */
export function benchSocket(model: Model, sock: number, cpu: number): BenchSocket {
  const s = model.world.columns(Sock)
  const { truesize, next, gsoSize } = model.world.columns(Skb)
  const read = model.binder.bind(udpRecvmsg)
  s.task[sock] = 0
  s.epoll[sock] = 0
  s.watchCount[sock] = 0

  function* rows(): Generator<number> {
    for (let row = s.readerHead[sock]; row !== 0; row = next[row]) yield row
    for (let row = s.queueHead[sock]; row !== 0; row = next[row]) yield row
  }

  return {
    rcvbufBytes: s.rcvbuf[sock],
    rmemBytes: () => s.rmemAlloc[sock],
    held: () => s.readerCount[sock] + s.queueCount[sock],
    drops: () => s.drops[sock],
    truesizes: () => [...rows()].map((row) => truesize[row]),
    receive() {
      const [first = 0] = rows()
      const segmentBytes = first === 0 ? 0 : gsoSize[first]
      const read_ = read.receive(cpu, sock, BUFFER_BYTES)
      return read_ === 0 ? null : { bytes: read_ - 1, segmentBytes }
    },
  }
}
