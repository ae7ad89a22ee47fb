import { defineSystem } from '@softnet/ecs'
import { IP_OFFSET } from '@softnet/wire'
import { Skb } from '../skb/components.js'
import { FragQueue } from './components.js'

/** What became of a fragment. Kernel: include/net/inet_frag.h, IPFRAG_OK, IPFRAG_DUP, IPFRAG_OVERLAP */
export const IPFRAG = { ok: 0, duplicate: 1, overlap: 2 } as const

/** Puts a fragment of bytes `offset` … `end` into its queue; one of `IPFRAG`. `Skb.len` must be `end − offset`. */
export type InetFragQueueInsert = (queue: number, row: number, offset: number, end: number) => number

/**
 * A queue holds *runs* of adjacent fragments in order of offset. A fragment that continues the last run joins it; any
 * other is a run of its own, even where it closes a gap. One that lies inside of one run is a duplicate; one that meets
 * any run otherwise is an overlap. Kernel: net/ipv4/inet_fragment.c, inet_frag_queue_insert
 */
export const inetFragQueueInsert = defineSystem<InetFragQueueInsert>(
  'inet_frag_queue_insert',
  'defrag',
  'net/ipv4/inet_fragment.c, inet_frag_queue_insert',
  (context) => {
    const { idFrag, len } = context.read(Skb)
    const { next, fragNextRun, fragRunBytes } = context.write(Skb)
    const { firstRun, lastRun, tail } = context.write(FragQueue)

    function offsetOf(row: number): number {
      return (idFrag[row] & IP_OFFSET) * 8
    }

    function beginRun(row: number, before: number, after: number, queue: number): void {
      fragRunBytes[row] = len[row]
      fragNextRun[row] = after
      if (before === 0) firstRun[queue] = row
      else fragNextRun[before] = row
    }

    return (queue, row, offset, end) => {
      next[row] = 0
      const last = tail[queue]
      if (last === 0) {
        beginRun(row, 0, 0, queue)
        lastRun[queue] = row
        tail[queue] = row
        return IPFRAG.ok
      }
      const lastEnd = offsetOf(last) + len[last]
      if (lastEnd < end) {
        if (offset < lastEnd) return IPFRAG.overlap
        if (offset === lastEnd) {
          fragRunBytes[lastRun[queue]] += len[row]
          next[last] = row
        } else {
          beginRun(row, lastRun[queue], 0, queue)
          lastRun[queue] = row
        }
        tail[queue] = row
        return IPFRAG.ok
      }
      let before = 0
      let run = firstRun[queue]
      for (; run !== 0 && end > offsetOf(run); run = fragNextRun[run]) {
        const runEnd = offsetOf(run) + fragRunBytes[run]
        if (offset < runEnd) return offset >= offsetOf(run) && end <= runEnd ? IPFRAG.duplicate : IPFRAG.overlap
        before = run
      }
      beginRun(row, before, run, queue)
      return IPFRAG.ok
    }
  },
)
