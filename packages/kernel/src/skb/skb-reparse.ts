import { defineSystem } from '@softnet/ecs'
import { LINKTYPE_RAW, ParsedFrame, parseFrame } from '@softnet/wire'
import { NUMBERS } from '../numbers.js'
import { SKB, Skb } from './components.js'
import { packetPages } from './packet-pages.js'
import { parsedFlags, setParsedFields } from './parsed-fields.js'
import { skbBytes } from './skb-bytes.js'

/** Reads the headers of a packet anew after its bytes have changed. */
export interface SkbReparse {
  /**
   * Writes the IP header of the columns into the page of a packet, and reads the columns of everything behind it. The
   * packet has a page of its own, `Skb.len` counts from its IP header.
   */
  all(row: number): void
}

const CHECKSUM_FLAGS = SKB.csumBad | SKB.csumZero | SKB.lastStopCsumBad

/** Fields of a packet whose bytes are real. Kernel: net/core/skbuff.c, skb_transport_header (what protocols then read) */
export const skbReparse = defineSystem<SkbReparse>(
  'skb_reparse',
  'skb',
  'net/core/skbuff.c, skb_transport_header',
  (context) => {
    const { SKB } = NUMBERS

    const skb = context.write(Skb)
    const { flags, len, page } = skb
    const pages = context.system(packetPages)
    const bytes = context.system(skbBytes)
    const parsed = new ParsedFrame()
    return {
      all(row) {
        bytes.sendCheck(row)
        parseFrame(parsed, pages.view, pages.first(page[row]), len[row], LINKTYPE_RAW)
        setParsedFields(skb, row, parsed)
        flags[row] = (flags[row] & ~(CHECKSUM_FLAGS | SKB.csumUnnecessary)) | (parsedFlags(parsed) & CHECKSUM_FLAGS)
      },
    }
  },
)
