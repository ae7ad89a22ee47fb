import {
  ETH_HLEN,
  ETH_P_IP,
  ETH_P_IPV6,
  emitEthernet,
  LINKTYPE_ETHERNET,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
  ParsedFrame,
  parseFrame,
} from '@softnet/wire'
import type { Model } from '../build/build-model.js'
import { counters } from '../count/counters.js'
import { DEVICE } from '../count/device.js'
import { netifReceive } from '../netif/netif-receive-skb.js'
import { NetDev } from '../nic/components.js'
import { PACKET_TYPE, SKB, Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { senderTruesizeBytes } from '../skb/truesize.js'
import type { BenchObserver } from './bench.js'
import type { BenchPackets } from './bench-packets.js'

/** The program behind a bench's tun and tap devices. */
export interface BenchProgram {
  write(device: string, frame: Uint8Array, protocol?: number): void
  transmit(cpu: number, row: number): void
  reflect(row: number): void
}

const MAX_FRAME_BYTES = 65_600
const IP_UDP_BYTES = 28

/**
 * Writing runs the whole receive path before it returns, as without IFF_NAPI; what is sent is handed to the observer
 * at once. Kernel: drivers/net/tun.c, tun_get_user, tun_net_xmit
 */
export function benchProgram(model: Model, cpu: number, packets: BenchPackets, observer: BenchObserver): BenchProgram {
  const { binder, layout, plan, world } = model
  const skb = world.columns(Skb)
  const netDev = world.columns(NetDev)
  const receive = binder.bind(netifReceive)
  const bytes = binder.bind(skbBytes)
  const count = binder.bind(counters)
  const single = new Int32Array(1024)
  const out = new DataView(new ArrayBuffer(MAX_FRAME_BYTES))
  const parsed = new ParsedFrame()
  const smallHeadBytes = plan.hosts[0].smallHeadBytes
  let serial = 0
  let written: Uint8Array = new Uint8Array(0)

  function layoutOf(name: string) {
    const found = layout.hosts[0].devices.find((each) => each.plan.name === name)
    if (found === undefined) throw new Error(`the bench has no device ${name}`)
    return found
  }

  /** An IP packet as a frame without addresses, so that one parser reads both kinds. */
  function framed(packet: Uint8Array, protocol: number | undefined): Uint8Array {
    const version = (packet[0] ?? 0) >>> 4
    const type = protocol ?? (version === 6 ? ETH_P_IPV6 : ETH_P_IP)
    const frame = new Uint8Array(ETH_HLEN + packet.length)
    emitEthernet(new DataView(frame.buffer), 0, 0, 0, 0, 0, type)
    frame.set(packet, ETH_HLEN)
    return frame
  }

  /** Kernel: net/ethernet/eth.c, eth_type_trans */
  function packetType(dev: number): number {
    if (parsed.packetType === PACKET_BROADCAST) return PACKET_TYPE.broadcast
    if (parsed.packetType === PACKET_MULTICAST) return PACKET_TYPE.multicast
    const isOurs = parsed.dstHi === netDev.macHigh[dev] && parsed.dstLo === netDev.macLow[dev]
    return parsed.packetType === PACKET_HOST && isOurs ? PACKET_TYPE.host : PACKET_TYPE.otherhost
  }

  return {
    write(name, given, protocol) {
      const { device, plan: devicePlan } = layoutOf(name)
      const isTap = devicePlan.driver.program === 'tap'
      // tun tells the protocol by the version and refuses others; a tap needs a whole header.
      const isUnknown = protocol === undefined && ![4, 6].includes((given[0] ?? 0) >>> 4)
      if (isTap ? given.length < ETH_HLEN : isUnknown) {
        count.device(netDev.index[device], cpu, isTap ? DEVICE.rxErrors : DEVICE.rxDropped, 1)
        return
      }
      const frame = isTap ? given : framed(given, protocol)
      parseFrame(parsed, new DataView(frame.buffer, frame.byteOffset, frame.length), 0, frame.length, LINKTYPE_ETHERNET)
      const truesize = senderTruesizeBytes('tun', Math.max(0, given.length - IP_UDP_BYTES), smallHeadBytes)
      const row = packets.make(parsed, device, truesize, ++serial)
      packets.fill(row, frame, parsed)
      skb.wireBytes[row] = given.length
      skb.len[row] = frame.length - parsed.networkOffset
      skb.macHigh[row] = parsed.srcHi
      skb.macLow[row] = parsed.srcLo
      if (isTap) {
        skb.flags[row] &= ~SKB.noEthernet
        skb.packetType[row] = packetType(device)
      }
      count.device(netDev.index[device], cpu, DEVICE.rxPackets, 1)
      count.device(netDev.index[device], cpu, DEVICE.rxBytes, given.length)
      single[0] = row
      written = given
      receive.list(single, 1, cpu)
    },
    reflect(row) {
      const found = layout.hosts[0].devices.find((each) => each.device === skb.dev[row])
      if (found?.plan.driver.program !== null && found !== undefined) observer.transmit?.(found.plan.name, written)
    },
    transmit(_cpu, row) {
      const dev = skb.dev[row]
      const { plan: devicePlan } = layout.hosts[0].devices.find((each) => each.device === dev) ?? { plan: null }
      if (devicePlan === null) return
      const isTap = devicePlan.driver.program === 'tap'
      const at = isTap ? ETH_HLEN : 0
      const { macHigh, macLow, protocol } = skb
      if (isTap) emitEthernet(out, 0, macHigh[row], macLow[row], netDev.macHigh[dev], netDev.macLow[dev], protocol[row])
      const length = at + bytes.copy(row, out, at, MAX_FRAME_BYTES - at)
      observer.transmit?.(devicePlan.name, new Uint8Array(out.buffer.slice(0, length)))
    },
  }
}
