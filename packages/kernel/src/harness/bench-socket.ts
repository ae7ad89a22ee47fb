import { formatIpv4 } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import { HostDev } from '../route/components.js'
import { SKB, Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { Sock } from '../sock/components.js'
import { filterRow, SockFilter } from '../sock/sk-filter-components.js'
import { udpRecvmsg } from '../sock/udp-recvmsg.js'
import { type UdpOption, udpSetsockopt } from '../sock/udp-setsockopt.js'
import { SendCmsg } from '../udp/send-cmsg.js'
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

/** Ancillary data of a message: any numbers, as a program can write them. */
export interface BenchCmsg {
  readonly segmentBytes?: number
  readonly ttl?: number
  readonly tos?: number
  readonly pktinfo?: { readonly device: string | null; readonly source: number }
  /** A kind that is no ancillary data. */
  readonly unknown?: boolean
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
  /**
   * sendmsg without blocking: bytes sent or a negative errno. `to` null: the connected peer. `flags`: bits of `MSG`. Only
   * inside a step.
   */
  send(
    data: Uint8Array,
    to: { readonly address: number; readonly port: number } | null,
    flags?: number,
    cmsg?: BenchCmsg | null,
  ): number
  /** setsockopt of an option that is a number; 0 or a negative errno. Only inside a step. */
  set(option: UdpOption, value: number): number
  /** IP_MULTICAST_IF by the name of a device (`lo` too), or by address; 0 or a negative errno. */
  multicastIf(device: string | null, address: number): number
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
  const options = model.binder.bind(udpSetsockopt)
  const ancillary = model.world.columns(SendCmsg)
  const { loopback } = model.world.columns(HostDev)

  function deviceOf(name: string): number {
    if (name === 'lo') return loopback[s.host[sock] + 1]
    return model.layout.hosts[0].devices.find(({ plan }) => plan.name === name)?.device ?? 0
  }

  /** The last row is a harness's own. */
  function writeCmsg(given: BenchCmsg): number {
    const row = ancillary.ttl.length - 1
    ancillary.segmentBytes[row] = given.segmentBytes ?? -1
    // −1 stands for what is not given, which as a value is as wrong as 0 is.
    ancillary.ttl[row] = given.ttl === undefined ? -1 : Math.max(0, given.ttl)
    ancillary.tos[row] = given.tos === undefined ? -1 : given.tos < 0 ? 256 : given.tos
    ancillary.pktinfo[row] = given.pktinfo === undefined ? 0 : 1
    ancillary.dev[row] = given.pktinfo?.device == null ? 0 : deviceOf(given.pktinfo.device)
    ancillary.source[row] = (given.pktinfo?.source ?? 0) | 0
    ancillary.unknown[row] = given.unknown === true ? 1 : 0
    return row
  }

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
    send(data, to, flags = 0, cmsg = null) {
      const row = cmsg === null ? 0 : writeCmsg(cmsg)
      const port = to?.port ?? -1
      const sent = sendmsg.send(cpu, sock, data.length, (to?.address ?? 0) | 0, port, data, 0, flags, row)
      if (sent < 0) sendmsg.failed(cpu, sock, -sent)
      return sent
    },
    set: (option, value) => options.set(cpu, sock, option, value),
    multicastIf: (name, address) => options.multicastIf(cpu, sock, name === null ? 0 : deviceOf(name), address | 0),
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
