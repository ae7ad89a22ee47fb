import { defineSystem } from '@softnet/ecs'
import { DimState } from '../nic/components.js'

const INCREMENT_USECS = 2
const MIN_USECS = 10
const MAX_USECS = 126

/** Flag in an ITR value: latency matters on this ring, so its value may lose against a ring that moves bulk. */
export const ITR_LATENCY = 0x80

/** Interval before the first adaptive update, µs: 20,000 interrupts per second. Kernel: ixgbe.h, IXGBE_20K_ITR */
export const ITR_START_USECS = 50

/** Link rate up to which intervals are worked out for slow links, bits per second. */
export const ITR_SLOW_LINK_BITS_PER_SEC = 2_500_000_000

/** 256 times the interval in µs at 10 Gbit/s for frames of this mean size, so that a socket buffer is not overrun. */
function bulkInterval(meanBytes: number): number {
  if (meanBytes <= 60) return 5120
  if (meanBytes <= 316) return meanBytes * 40 + 2720
  if (meanBytes <= 1084) return meanBytes * 15 + 11452
  if (meanBytes < 1968) return meanBytes * 5 + 22420
  return 32256
}

function bySize(packets: number, bytes: number, latency: number, slowLink: boolean): number {
  let value = bulkInterval(Math.floor(bytes / packets))
  if (latency !== 0) value >>= 1
  let unit = INCREMENT_USECS * 256
  if (slowLink) {
    unit = INCREMENT_USECS * 64
    if (value > 8064) value = 8064
  }
  return latency + Math.ceil(value / unit) * INCREMENT_USECS
}

function longer(usecs: number): number {
  return Math.min(usecs + INCREMENT_USECS, MAX_USECS)
}

/**
 * Interval that one ring of a vector asks for, µs plus `ITR_LATENCY`, from what it moved since the last update.
 * `vectorUsecs` is the vector's interval now, `ringItr` the ring's last answer; `stale`: the last update is more than a
 * jiffy old. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_update_itr
 */
export function adaptiveItr(
  packets: number,
  bytes: number,
  vectorUsecs: number,
  ringItr: number,
  stale: boolean,
  slowLink: boolean,
): number {
  if (stale) return MIN_USECS | ITR_LATENCY
  if (packets === 0) return longer(vectorUsecs) + (ringItr & ITR_LATENCY)
  if (packets < 4 && bytes < 9000) return bySize(packets, bytes, ITR_LATENCY, slowLink)
  if (packets < 48) return longer(vectorUsecs)
  if (packets < 96) return vectorUsecs
  if (packets < 256) return Math.max(vectorUsecs >> 1, MIN_USECS)
  return bySize(packets, bytes, 0, slowLink)
}

/** Adaptive interrupt throttle of all vectors. */
export interface Itr {
  /**
   * End of a completed poll in jiffy `jiffy`, with the vector's packets and bytes so far. True when the interval changed:
   * the device is then given `DimState.itrUsecs`.
   */
  update(vector: number, jiffy: number, packets: number, bytes: number, slowLink: boolean): boolean
}

/**
 * Intel's adaptive throttle: the smaller of what the transmit and the receive ring of the vector ask for.
 * Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_set_itr
 */
export const itr = defineSystem<Itr>(
  'ixgbe_set_itr',
  'irq',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_set_itr',
  (context) => {
    const { itrUsecs, rxItr, txItr, itrStaleJiffy, itrPackets, itrBytes } = context.write(DimState)
    return {
      update(v, jiffy, packets, bytes, slowLink) {
        const stale = jiffy >= itrStaleJiffy[v]
        const usecs = itrUsecs[v]
        const tx = adaptiveItr(0, 0, usecs, txItr[v], stale, slowLink)
        const rx = adaptiveItr(packets - itrPackets[v], bytes - itrBytes[v], usecs, rxItr[v], stale, slowLink)
        txItr[v] = tx
        rxItr[v] = rx
        itrStaleJiffy[v] = jiffy + 2
        itrPackets[v] = packets
        itrBytes[v] = bytes
        // Compared with the flag in place: a ring that moves bulk wins over one that wants low latency.
        const next = Math.min(rx, tx) & ~ITR_LATENCY
        if (next === usecs) return false
        itrUsecs[v] = next
        return true
      },
    }
  },
)
