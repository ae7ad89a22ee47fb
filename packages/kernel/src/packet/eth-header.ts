import { defineSystem } from '@softnet/ecs'
import { ETH_HLEN, macHi, macLo } from '@softnet/wire'
import { IFF, NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { OTHER_MAC, SENDER_MAC } from '../traffic/capture-frames.js'
import { ReplayByte, ReplayFrame } from '../traffic/components.js'

/** The Ethernet header in front of a packet; positions count from its first byte. */
export interface EthHeader {
  /** Bytes of a link header on a device: 14, or 0 where it has none. Kernel: include/linux/netdevice.h, dev_has_header */
  length(dev: number): number
  /** A byte of the header, 0 to 13. */
  byte(row: number, at: number): number
}

const ETHER_TYPE = 12
const BROADCAST_MAC = 0xffffffffffff
const GROUP_MAC = 0x01005e000000
const GROUP_MASK = 0x7fffff

/** Kernel: include/uapi/linux/if_ether.h, struct ethhdr */
export const ethHeader = defineSystem<EthHeader>(
  'eth_header',
  'packet',
  'net/ethernet/eth.c, eth_header',
  (context) => {
    const { PACKET_TYPE, SKB } = NUMBERS

    const { flags, dev, protocol, packetType, daddr, macHigh, macLow, page } = context.read(Skb)
    const { macHigh: devHigh, macLow: devLow, iff } = context.read(NetDev)
    const { firstByte } = context.read(ReplayFrame)
    const replay = context.read(ReplayByte).value
    const pages = context.system(packetPages)

    function ofNumber(mac: number, at: number): number {
      const word = at < 2 ? macHi(mac) : macLo(mac)
      return at < 2 ? (word >>> (8 - 8 * at)) & 255 : (word >>> (40 - 8 * at)) & 255
    }

    function ofColumns(high: number, low: number, at: number): number {
      return at < 2 ? (high >>> (8 - 8 * at)) & 255 : (low >>> (40 - 8 * at)) & 255
    }

    function destination(row: number, at: number): number {
      if ((flags[row] & SKB.outgoing) !== 0) return ofColumns(macHigh[row], macLow[row], at)
      const type = packetType[row]
      if (type === PACKET_TYPE.host) return ofColumns(devHigh[dev[row]], devLow[dev[row]], at)
      if (type === PACKET_TYPE.broadcast) return ofNumber(BROADCAST_MAC, at)
      return ofNumber(type === PACKET_TYPE.multicast ? GROUP_MAC + (daddr[row] & GROUP_MASK) : OTHER_MAC, at)
    }

    function source(row: number, at: number): number {
      if ((flags[row] & SKB.outgoing) !== 0) return ofColumns(devHigh[dev[row]], devLow[dev[row]], at)
      if ((flags[row] & SKB.senderKnown) !== 0) return ofColumns(macHigh[row], macLow[row], at)
      return ofNumber(SENDER_MAC, at)
    }

    return {
      length: (device) => ((iff[device] & IFF.noarp) !== 0 && (iff[device] & IFF.loopback) === 0 ? 0 : ETH_HLEN),
      byte(row, at) {
        if (at >= ETHER_TYPE) return at === ETHER_TYPE ? protocol[row] >>> 8 : protocol[row] & 255
        const isLoopback = (iff[dev[row]] & IFF.loopback) !== 0
        if (isLoopback) return 0
        const id = page[row]
        if (id !== 0 && !pages.owns(id)) return replay[firstByte[id] + at]
        return at < 6 ? destination(row, at) : source(row, at - 6)
      },
    }
  },
)
