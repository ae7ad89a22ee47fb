import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { groPolicy } from '../gro/gro-policy.js'
import { NetDev } from '../nic/components.js'
import { SKB, Skb } from '../skb/components.js'
import { MAX_SKB_FRAGS, RX_BUFFERS, SHARED_INFO_BYTES, SK_BUFF_BYTES } from '../skb/truesize.js'

/** Headroom of skbs made by drivers and by TUN, and of those that a sender on this machine made, bytes. */
const DRIVER_HEADROOM_BYTES = 64
const SENDER_HEADROOM_BYTES = 16
const ETH_HEADER_BYTES = 14
/** A packet written to a TUN is in one piece up to here. Kernel: drivers/net/tun.c, tun_get_user */
const PAGE_BYTES = 4096
const TUN_LINEAR_BYTES = PAGE_BYTES - 64
/** Buffer of drivers that hold half pages, bytes. */
const BUFFER_BYTES = 2048
const NETDEV_ALLOC = RX_BUFFERS.indexOf('netdev-alloc')

/** Joins the memory of fragments to that of the first. */
export interface SkbTryCoalesce {
  /** Looks at the memory of the first fragment; its `len` is without IP header. */
  begin(head: number): void
  /** Adds to the truesize of the first what a following fragment weighs in it. */
  add(head: number, row: number): void
}

/**
 * Truesize of a reassembled packet. While all bytes are in the first head, what fits behind them is copied there and
 * weighs nothing; a head that lies in a page becomes one of 17 page fragments and weighs what it did less its sk_buff;
 * any other is chained, and everything after it, with its whole weight. Notes what is left if the end is cut off.
 * Kernel: net/core/skbuff.c, skb_try_coalesce; net/ipv4/inet_fragment.c, inet_frag_reasm_finish
 */
export const skbTryCoalesce = defineSystem<SkbTryCoalesce>(
  'skb_try_coalesce',
  'defrag',
  'net/core/skbuff.c, skb_try_coalesce',
  (context) => {
    const { dev, ipWord, len, wireBytes } = context.read(Skb)
    const { flags } = context.write(Skb)
    const { truesize, fragRunBytes, fragNextRun } = context.write(Skb)
    const { copybreakBytes, rxBuffer, virtualDevice } = context.read(NetDev)
    const { copiedHeadIsPage } = groPolicy(context.resource(PLAN_CONSTANTS).plan.kernel)
    const headersOnly = Uint8Array.from(RX_BUFFERS, (name) => (name === 'mergeable' || name === 'stride' ? 1 : 0))
    let tailroom = 0
    let pageFragments = 0
    let chained = false

    function isSoftware(row: number): boolean {
      return (flags[row] & SKB.noEthernet) !== 0 || virtualDevice[dev[row]] !== 0
    }

    function headIsPage(row: number): boolean {
      if (isSoftware(row)) return false
      return copiedHeadIsPage || wireBytes[row] > copybreakBytes[dev[row]]
    }

    /** Drivers that copy the headers only leave all bytes in pages, the others those beyond their first buffer. */
    function hasPages(row: number): boolean {
      const rule = rxBuffer[dev[row]]
      if (wireBytes[row] <= copybreakBytes[dev[row]] || rule === NETDEV_ALLOC) return false
      return headersOnly[rule] !== 0 || wireBytes[row] > BUFFER_BYTES
    }

    return {
      begin(head) {
        chained = false
        pageFragments = 0
        const isRaw = (flags[head] & SKB.noEthernet) !== 0
        const sent = !isRaw && virtualDevice[dev[head]] !== 0
        const before = (sent ? SENDER_HEADROOM_BYTES : DRIVER_HEADROOM_BYTES) + (isRaw || sent ? 0 : ETH_HEADER_BYTES)
        const headerBytes = ((ipWord[head] >>> 24) & 15) * 4
        tailroom = truesize[head] - SK_BUFF_BYTES - SHARED_INFO_BYTES - before - headerBytes - len[head]
        let headBytes = truesize[head]
        if (isRaw ? headerBytes + len[head] >= TUN_LINEAR_BYTES : !sent && hasPages(head)) {
          tailroom = -1
          headBytes = SK_BUFF_BYTES + (isRaw ? PAGE_BYTES : BUFFER_BYTES)
        }
        flags[head] |= SKB.reassembled
        fragRunBytes[head] = headBytes
        fragNextRun[head] = headBytes - SK_BUFF_BYTES - SHARED_INFO_BYTES - before - headerBytes
      },
      add(head, row) {
        if (len[row] <= tailroom) {
          tailroom -= len[row]
          return
        }
        tailroom = -1
        if (!chained && pageFragments < MAX_SKB_FRAGS - 1 && headIsPage(row)) {
          pageFragments++
          truesize[head] += truesize[row] - SK_BUFF_BYTES
          return
        }
        chained = true
        truesize[head] += truesize[row]
      },
    }
  },
)
