import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { STAGE } from '../cpu/stage-ids.js'
import { PACKET_TYPE, SKB, Skb } from '../skb/components.js'
import { ReplayByte, ReplayFrame } from '../traffic/components.js'
import { ROUTE, routeInput } from './route-input.js'

const OPTION_LENGTH = 1
const OPTION_POINTER = 2
const ADDRESS_BYTES = 4

/**
 * Follows the stops left of a packet's source route as long as they are addresses of this host, and writes the last one
 * as its destination: true if the packet goes on, false if it is refused. `answer` is the route its header got. A host
 * that does not forward refuses any stop elsewhere. Kernel: net/ipv4/ip_options.c, ip_options_rcv_srr
 */
export const ipOptionsRcvSrr = defineSystem<(cpu: number, row: number, answer: number) => boolean>(
  'ip_options_rcv_srr',
  'ip',
  'net/ipv4/ip_options.c, ip_options_rcv_srr',
  (context) => {
    const { daddr, flags } = context.write(Skb)
    const { packetType, page } = context.read(Skb)
    const { sourceRoute } = context.read(ReplayFrame)
    const { value: bytes } = context.read(ReplayByte)
    const route = context.system(routeInput)
    const spend = context.system(charge)

    function addressAt(at: number): number {
      return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
    }

    return (cpu, row, answer) => {
      if (packetType[row] !== PACKET_TYPE.host || answer !== ROUTE.local) return false
      // Only a replayed frame has bytes, and only bytes name stops.
      const option = page[row] === 0 ? 0 : sourceRoute[page[row]]
      if (option === 0) return true
      const optionBytes = bytes[option + OPTION_LENGTH]
      let moved = false
      for (let pointer = bytes[option + OPTION_POINTER]; pointer <= optionBytes; pointer += ADDRESS_BYTES) {
        if (pointer + ADDRESS_BYTES - 1 > optionBytes) return false
        const before = daddr[row]
        daddr[row] = addressAt(option + pointer - 1)
        spend(cpu, STAGE.ip_route_input, 1)
        if (route(cpu, row) !== ROUTE.local) {
          daddr[row] = before
          return false
        }
        moved = true
      }
      // What the card has vouched for is not summed again.
      if (moved && (flags[row] & SKB.csumUnnecessary) === 0) {
        const bad = (flags[row] & SKB.lastStopCsumBad) !== 0 ? SKB.csumBad : 0
        flags[row] = (flags[row] & ~SKB.csumBad) | bad
      }
      return true
    }
  },
)
