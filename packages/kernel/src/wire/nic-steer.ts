import { defineSystem, mix32, mixSigned32 } from '@softnet/ecs'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { ArfsFilter, IndirectionSlot, NtupleRule, SteerResult, ToeplitzWord, Wire } from './components.js'

/**
 * What a flow's filter is found by, unsigned 32 bits: the card's hash where it covers the ports (`l4Hash` not 0), else a
 * hash of addresses and ports, since drivers steer by the whole flow. Kernel: ndo_rx_flow_steer of drivers
 */
export function arfsKey(l4Hash: number, hash: number, saddr: number, daddr: number, ports: number): number {
  return l4Hash !== 0 ? hash >>> 0 : mix32(mix32(saddr, daddr), ports)
}

/** How the card chooses a queue. */
export interface NicSteer {
  /** Decides hash and queue of an IPv4 packet (addresses and ports signed or not) into `SteerResult`; `ported` is 0 for fragments and protocols without ports. */
  ip(wire: number, saddr: number, daddr: number, ports: number, protocol: number, ported: number): void
  /** Decides for a frame that the card takes for anything but IPv4: first queue, hash 0. */
  other(wire: number): void
  /** Queue entity of an accelerated RFS filter for the key, 0 if there is none. */
  filtered(wire: number, key: number): number
}

/**
 * Rules first, then RSS: Toeplitz over addresses, or addresses and ports, into the indirection table.
 * Kernel: net/ethtool/ioctl.c, ethtool_set_rxfh; the work is done by the card.
 */
export const nicSteer = defineSystem<NicSteer>(
  'nic_steer',
  'wire',
  'net/ethtool/ioctl.c, ethtool_set_rxfh',
  (context) => {
    const { FEATURE, IPPROTO_TCP, IPPROTO_UDP, STEER } = NUMBERS

    const wires = context.read(Wire)
    const rules = context.read(NtupleRule)
    const { queue: indirection } = context.read(IndirectionSlot)
    const { value: words } = context.read(ToeplitzWord)
    const { hash: outHash, queue: outQueue, bits: outBits, key: outKey } = context.write(SteerResult)
    const { key: filterKey, queue: filterQueue } = context.read(ArfsFilter)
    const { features } = context.read(NetDev)
    const { arfs, arfsBase, arfsMask, dev } = wires

    // The tables of all wires are one column: a sub-array per look-up would be an allocation per new flow.
    function toeplitz(base: number, a: number, b: number): number {
      return (
        words[base + (a >>> 24)] ^
        words[base + 256 + ((a >>> 16) & 255)] ^
        words[base + 512 + ((a >>> 8) & 255)] ^
        words[base + 768 + (a & 255)] ^
        words[base + 1024 + (b >>> 24)] ^
        words[base + 1280 + ((b >>> 16) & 255)] ^
        words[base + 1536 + ((b >>> 8) & 255)] ^
        words[base + 1792 + (b & 255)]
      )
    }

    function toeplitzPorts(base: number, ports: number): number {
      return (
        words[base + 2048 + (ports >>> 24)] ^
        words[base + 2304 + ((ports >>> 16) & 255)] ^
        words[base + 2560 + ((ports >>> 8) & 255)] ^
        words[base + 2816 + (ports & 255)]
      )
    }

    function matchRule(
      wire: number,
      saddr: number,
      daddr: number,
      ports: number,
      protocol: number,
      ported: number,
    ): number {
      const first = wires.ruleBase[wire]
      const end = first + wires.ruleCount[wire]
      for (let row = first; row < end; row++) {
        const fields = rules.fields[row]
        if (rules.protocol[row] !== 0 && rules.protocol[row] !== protocol) continue
        if ((fields & 1) !== 0 && rules.saddr[row] !== saddr >>> 0) continue
        if ((fields & 2) !== 0 && rules.daddr[row] !== daddr >>> 0) continue
        if ((fields & 12) !== 0 && ported === 0) continue
        if ((fields & 4) !== 0 && rules.sport[row] !== ports >>> 16) continue
        if ((fields & 8) !== 0 && rules.dport[row] !== (ports & 0xffff)) continue
        return row
      }
      return 0
    }

    return {
      ip(wire, saddr, daddr, ports, protocol, ported) {
        const base = wires.toeplitzBase[wire]
        const fields = wires.hashPorts[wire]
        let bits = 0
        let hash: number
        const usesPorts = protocol === IPPROTO_TCP ? fields & 1 : protocol === IPPROTO_UDP ? fields & 2 : 0
        if (ported !== 0 && usesPorts !== 0) {
          hash = toeplitz(base, saddr | 0, daddr | 0) ^ toeplitzPorts(base, ports | 0)
          bits = STEER.l4Hash
        } else {
          hash = toeplitz(base, saddr | 0, daddr | 0)
        }
        if (ported !== 0) bits |= STEER.steerable
        const rule = matchRule(wire, saddr, daddr, ports, protocol, ported)
        let queue: number
        if (rule !== 0) {
          queue = rules.queue[rule]
          bits |= STEER.rule
        } else {
          queue = indirection[wires.indirectionBase[wire] + ((hash >>> 0) % wires.indirectionCount[wire])]
        }
        outHash[wire] = hash
        outQueue[wire] = queue
        outBits[wire] = bits
        outKey[wire] = (bits & STEER.l4Hash) !== 0 ? hash : mixSigned32(mixSigned32(saddr | 0, daddr | 0), ports | 0)
      },
      other(wire) {
        outHash[wire] = 0
        outQueue[wire] = wires.firstQueue[wire]
        outBits[wire] = 0
        outKey[wire] = 0
      },
      filtered(wire, key) {
        if (arfs[wire] === 0 || (features[dev[wire]] & FEATURE.ntuple) === 0) return 0
        const row = arfsBase[wire] + ((key & arfsMask[wire]) >>> 0)
        return filterKey[row] === key ? filterQueue[row] : 0
      },
    }
  },
)

/** Filters of accelerated RFS. */
export interface Arfs {
  /** Steers the flow with this key to a queue entity (0: removes its filter); returns the filter id, or −1 if the device has no filters. */
  insert(dev: number, key: number, queue: number): number
  /** Removes a filter by its id. */
  remove(dev: number, filter: number): void
}

/**
 * Filter table of the card, set by the driver. Changes made from a CPU reach the wire as `EVENT.arfs`.
 * Kernel: net/core/dev.c, set_rps_cpu (ndo_rx_flow_steer)
 */
export const arfsFilters = defineSystem<Arfs>('arfs_filters', 'wire', 'net/core/dev.c, set_rps_cpu', (context) => {
  const { arfs, arfsBase, arfsMask } = context.read(Wire)
  const { key: filterKey, queue: filterQueue } = context.write(ArfsFilter)
  const { wire: wireOf } = context.read(NetDev)
  return {
    insert(dev, key, queue) {
      const wire = wireOf[dev]
      if (wire === 0 || arfs[wire] === 0) return -1
      const filter = (key & arfsMask[wire]) >>> 0
      const row = arfsBase[wire] + filter
      filterKey[row] = key
      filterQueue[row] = queue
      return filter
    },
    remove(dev, filter) {
      const wire = wireOf[dev]
      if (wire === 0 || arfs[wire] === 0) return
      filterQueue[arfsBase[wire] + ((filter & arfsMask[wire]) >>> 0)] = 0
    },
  }
})
