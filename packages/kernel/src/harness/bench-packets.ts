import type { Binder } from '@softnet/ecs'
import type { ParsedFrame } from '@softnet/wire'
import { PacketCount } from '../count/components.js'
import { Cpu } from '../cpu/components.js'
import { PACKET_TYPE, SKB, Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { parsedFlags, setParsedFields } from '../skb/parsed-fields.js'
import { skbPool } from '../skb/skb-pool.js'

/** Packets that a bench makes for a CPU. */
export interface BenchPackets {
  /**
   * A packet of `dev` from a raw IP packet that was parsed, as a device without link header hands it up: no hash, no
   * verified checksum. `serial` is what observers call it.
   */
  make(parsed: ParsedFrame, dev: number, truesizeBytes: number, serial: number): number
  /** Gives a packet real bytes: those of `frame` from its network header on. */
  fill(row: number, frame: Uint8Array, parsed: ParsedFrame): void
  /** skb_clone: a second packet with the same contents. */
  clone(row: number): number
}

/** Makes packets out of a CPU's pool; each counts as created, so that the balance of a run holds. */
export function benchPackets(binder: Binder, cpu: number): BenchPackets {
  const skb = binder.world.columns(Skb)
  const { packetPool, clockPs } = binder.world.columns(Cpu)
  const { created } = binder.world.columns(PacketCount)
  const pool = binder.bind(skbPool)
  const pages = binder.bind(packetPages)

  function take(): number {
    const row = pool.take(packetPool[cpu])
    if (row === 0) throw new Error('the bench has no packet row left')
    created[cpu]++
    return row
  }

  /** Everything that is the same for all packets; rows are used again without being cleared. */
  function clear(row: number): void {
    for (const column of Object.values(skb)) column[row] = 0
    skb.users[row] = 1
    skb.frames[row] = 1
    skb.allocCpu[row] = cpu
    skb.arrivalPs[row] = clockPs[cpu]
    skb.packetType[row] = PACKET_TYPE.host
  }

  return {
    make(parsed, dev, truesizeBytes, serial) {
      const row = take()
      clear(row)
      setParsedFields(skb, row, parsed)
      skb.flags[row] = parsedFlags(parsed) | SKB.noEthernet | (parsed.paddingBytes > 0 ? SKB.padded : 0)
      skb.wireBytes[row] = parsed.wireBytes
      skb.len[row] = parsed.wireBytes
      skb.truesize[row] = truesizeBytes
      skb.dev[row] = dev
      skb.serial[row] = serial
      return row
    },
    fill(row, frame, parsed) {
      const length = frame.length - parsed.networkOffset
      const id = length <= 0 ? 0 : pages.take(packetPool[cpu], length)
      if (length > 0 && id === 0) throw new Error('the bench has no page left: raise limits.packet-pages-per-cpu')
      if (id !== 0) pages.bytes.set(frame.subarray(parsed.networkOffset), pages.first(id))
      skb.page[row] = id
    },
    clone(row) {
      const copy = take()
      pool.copy(copy, row)
      skb.next[copy] = 0
      return copy
    },
  }
}
