import { defineSystem } from '@softnet/ecs'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { OTHER_MAC, SENDER_MAC } from '../traffic/capture-frames.js'
import { ReplayByte, ReplayFrame } from '../traffic/components.js'

const BROADCAST_MAC = 0xffffffffffff
const GROUP_MAC = 0x01005e000000
const GROUP_MASK = 0x7fffff
const MAC_BYTES = 6
const WORD = 2 ** 32

/** Hardware addresses of received frames, as 48-bit numbers; −1 where there is no Ethernet header. */
export interface HardwareAddresses {
  source(row: number): number
  destination(row: number): number
}

/** Reads addresses from the bytes of replayed frames; others carry those their source gives them. */
export const hardwareAddresses = defineSystem<HardwareAddresses>(
  'hardware_addresses',
  'netfilter',
  'include/linux/if_ether.h, eth_hdr',
  (context) => {
    const { PACKET_TYPE, SKB } = NUMBERS

    const { page, flags, dev, packetType, daddr, macHigh: fromHigh, macLow: fromLow } = context.read(Skb)
    const { macHigh, macLow } = context.read(NetDev)
    const { firstByte, capturedBytes } = context.read(ReplayFrame)
    const { value: bytes } = context.read(ReplayByte)

    function read(frame: number, offset: number): number {
      if (capturedBytes[frame] < offset + MAC_BYTES) return -1
      let mac = 0
      for (let i = 0; i < MAC_BYTES; i++) mac = mac * 256 + bytes[firstByte[frame] + offset + i]
      return mac
    }

    const lastFrame = firstByte.length - 1

    function isReplayed(row: number): boolean {
      return page[row] !== 0 && page[row] <= lastFrame
    }

    function hasHeader(row: number): boolean {
      return (flags[row] & SKB.noEthernet) === 0
    }

    return {
      source(row) {
        if (!hasHeader(row)) return -1
        if ((flags[row] & SKB.senderKnown) !== 0) return fromHigh[row] * WORD + fromLow[row]
        return isReplayed(row) ? read(page[row], MAC_BYTES) : SENDER_MAC
      },
      destination(row) {
        if (!hasHeader(row)) return -1
        if (isReplayed(row)) return read(page[row], 0)
        const type = packetType[row]
        if (type === PACKET_TYPE.host) return macHigh[dev[row]] * WORD + macLow[dev[row]]
        if (type === PACKET_TYPE.broadcast) return BROADCAST_MAC
        return type === PACKET_TYPE.multicast ? GROUP_MAC + (daddr[row] & GROUP_MASK) : OTHER_MAC
      },
    }
  },
)
