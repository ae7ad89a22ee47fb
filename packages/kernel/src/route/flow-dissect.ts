import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'

/** Protocol and ports of a packet; 0 where it has none. */
export class FlowPorts {
  protocol = 0
  sport = 0
  dport = 0
}

/** Reads protocol and ports of packets. */
export interface FlowDissect {
  /** Of a packet itself. Kernel: net/core/flow_dissector.c, skb_flow_dissect_flow_keys */
  (row: number, into: FlowPorts): void
  /** Of the packet whose IP header begins at an offset of its bytes. */
  at(row: number, offset: number, into: FlowPorts): void
}

/** Protocols whose first four bytes are taken for ports. Kernel: include/linux/ip.h, proto_ports_offset */
const WITH_PORTS: readonly number[] = [6, 17, 33, 50, 132, 136]
const AUTHENTICATION = 51

/** Looks for ports in what is no piece of a datagram. Kernel: net/core/flow_dissector.c, __skb_flow_dissect */
export const flowDissect = defineSystem<FlowDissect>(
  'skb_flow_dissect',
  'route',
  'net/core/flow_dissector.c, __skb_flow_dissect',
  (context) => {
    const { IPPROTO_TCP, IPPROTO_UDP, IP_MF, IP_OFFSET } = NUMBERS
    const { ipWord, idFrag, ports } = context.read(Skb)
    const bytes = context.system(skbBytes)
    const offsets = Int8Array.from({ length: 256 }, (_, protocol) =>
      WITH_PORTS.includes(protocol) ? 0 : protocol === AUTHENTICATION ? 4 : -1,
    )

    function read(row: number, at: number, into: FlowPorts): void {
      if (bytes.length(row) < at + 4) return
      into.sport = bytes.u16(row, at)
      into.dport = bytes.u16(row, at + 2)
    }

    function begin(into: FlowPorts, protocol: number): number {
      into.protocol = protocol
      into.sport = 0
      into.dport = 0
      return offsets[protocol]
    }

    function dissect(row: number, into: FlowPorts): void {
      const protocol = ipWord[row] & 255
      const offset = begin(into, protocol)
      if (offset < 0 || (idFrag[row] & (IP_OFFSET | IP_MF)) !== 0) return
      if (bytes.has(row)) read(row, ((ipWord[row] >>> 24) & 15) * 4 + offset, into)
      else if (protocol === IPPROTO_UDP || protocol === IPPROTO_TCP) {
        into.sport = ports[row] >>> 16
        into.dport = ports[row] & 0xffff
      }
    }

    return Object.assign(dissect, {
      at(row: number, start: number, into: FlowPorts): void {
        const offset = begin(into, bytes.u8(row, start + 9))
        if (offset < 0 || (bytes.u16(row, start + 6) & (IP_OFFSET | IP_MF)) !== 0) return
        read(row, start + (bytes.u8(row, start) & 15) * 4 + offset, into)
      },
    })
  },
)
