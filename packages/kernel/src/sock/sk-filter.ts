import { defineSystem } from '@softnet/ecs'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { bpfRun } from './bpf-run.js'
import { SockFilter } from './sk-filter-components.js'

/** Filters of sockets. */
export interface SkFilter {
  /** True if a socket has one. */
  has(sock: number): boolean
  /**
   * Runs the filter over the packet from its transport header on and cuts what it does not let through; false if it
   * refuses the packet. At least `capBytes` are left. Kernel: net/core/filter.c, sk_filter_trim_cap
   */
  trim(cpu: number, sock: number, row: number, capBytes: number): boolean
}

/** SO_ATTACH_FILTER. Kernel: net/core/filter.c, sk_filter_trim_cap */
export const skFilter = defineSystem<SkFilter>(
  'sk_filter_trim_cap',
  'sock',
  'net/core/filter.c, sk_filter_trim_cap',
  (context) => {
    const { first } = context.read(SockFilter)
    const { len, payload } = context.write(Skb)
    const run = context.system(bpfRun)
    const bytes = context.system(skbBytes)
    return {
      has: (sock) => first[sock] !== 0,
      trim(cpu, sock, row, capBytes) {
        const length = len[row]
        const kept = run(cpu, row, first[sock], bytes.length(row) - length, length)
        if (kept === 0) return false
        const left = Math.max(capBytes, kept)
        if (left < length) {
          payload[row] = Math.max(0, payload[row] - (length - left))
          len[row] = left
        }
        return true
      },
    }
  },
)
