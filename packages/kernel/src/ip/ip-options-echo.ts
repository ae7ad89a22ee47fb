import { defineSystem } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { fibLookup } from '../route/fib-lookup.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'

const IPV4_HLEN = 20
const TS_PRESPEC = 3
const OPTION_BYTES = 40

/** Options for an answer, made from those of a packet that came in; overwritten by the next call. */
export interface EchoedOptions {
  /** The bytes, valid up to `length`, a multiple of four. */
  readonly bytes: Uint8Array
  length: number
  /** Where each begins, from the IP header; 0: none. */
  rr: number
  ts: number
  srr: number
  /** `IPSKB` bits of the answer. */
  flags: number
  /** First hop of a source route, signed. */
  faddr: number
}

/** Builds the options of an answer; null where what came in allows none. Kernel: net/ipv4/ip_options.c, __ip_options_echo */
export const ipOptionsEcho = defineSystem<(cpu: number, row: number) => EchoedOptions | null>(
  'ip_options_echo',
  'ip',
  'net/ipv4/ip_options.c, __ip_options_echo',
  (context) => {
    const { IPSKB, RTN } = NUMBERS

    const { ipcb, ipWord, optRr, optTs, optSrr, optCipso, saddr } = context.read(Skb)
    const { net } = context.read(Cpu)
    const bytes = context.system(skbBytes)
    const fib = context.system(fibLookup)
    const echo: EchoedOptions = {
      bytes: new Uint8Array(OPTION_BYTES + 8),
      length: 0,
      rr: 0,
      ts: 0,
      srr: 0,
      flags: 0,
      faddr: 0,
    }
    const out = echo.bytes

    function copyOption(row: number, from: number, size: number): number {
      const at = echo.length
      for (let i = 0; i < size; i++) out[at + i] = bytes.u8(row, from + i)
      echo.length += size
      return at
    }

    function recordRoute(row: number): boolean {
      const size = bytes.u8(row, optRr[row] + 1)
      const pointer = bytes.u8(row, optRr[row] + 2)
      const at = copyOption(row, optRr[row], size)
      echo.rr = at + IPV4_HLEN
      if ((ipcb[row] & IPSKB.rrNeedAddress) === 0 || pointer > size) return true
      if (pointer + 3 > size) return false
      out[at + 2] = pointer + 4
      echo.flags |= IPSKB.rrNeedAddress
      return true
    }

    function timeStamp(cpu: number, row: number): boolean {
      const size = bytes.u8(row, optTs[row] + 1)
      let pointer = bytes.u8(row, optTs[row] + 2)
      const at = copyOption(row, optTs[row], size)
      echo.ts = at + IPV4_HLEN
      if (pointer > size) return true
      if ((ipcb[row] & IPSKB.tsNeedAddress) !== 0) {
        if (pointer + 3 > size) return false
        echo.flags |= IPSKB.tsNeedAddress
        pointer += 4
      }
      if ((ipcb[row] & IPSKB.tsNeedTime) !== 0) {
        if (pointer + 3 > size) return false
        if ((out[at + 3] & 15) !== TS_PRESPEC) {
          echo.flags |= IPSKB.tsNeedTime
          pointer += 4
        } else if (pointer + 7 <= size && isOurs(cpu, at + pointer - 1)) {
          echo.flags |= IPSKB.tsNeedTime
          pointer += 8
        }
      }
      out[at + 2] = pointer
      return true
    }

    function isOurs(cpu: number, at: number): boolean {
      const address = (out[at] << 24) | (out[at + 1] << 16) | (out[at + 2] << 8) | out[at + 3]
      return fib.addressType(net[cpu], address, 0) !== RTN.unicast
    }

    /** The way back is the way here, backwards. */
    function sourceRoute(row: number): void {
      const start = optSrr[row]
      const size = bytes.u8(row, start + 1)
      let from = Math.min(bytes.u8(row, start + 2), size + 1) - 4
      if (from <= 3) return
      const at = echo.length
      const first = bytes.u32(row, start + from - 1) | 0
      let to = 4
      for (from -= 4; from > 3; from -= 4, to += 4) {
        for (let i = 0; i < 4; i++) out[at + to - 1 + i] = bytes.u8(row, start + from - 1 + i)
      }
      // A source that named itself as a hop is not visited twice (RFC 1812).
      if (bytes.u32(row, start + from + 3) === saddr[row]) to -= 4
      if (to <= 3) return
      echo.faddr = first
      out[at] = bytes.u8(row, start)
      out[at + 1] = to + 3
      out[at + 2] = 4
      echo.srr = at + IPV4_HLEN
      echo.length += to + 3
      if ((ipcb[row] & IPSKB.strictRoute) !== 0) echo.flags |= IPSKB.strictRoute
    }

    return (cpu, row) => {
      echo.length = 0
      echo.rr = 0
      echo.ts = 0
      echo.srr = 0
      echo.flags = 0
      echo.faddr = 0
      if (((ipWord[row] >>> 24) & 15) <= 5 || !bytes.has(row)) return echo
      out.fill(0)
      if (optRr[row] !== 0 && !recordRoute(row)) return null
      if (optTs[row] !== 0 && !timeStamp(cpu, row)) return null
      if (optSrr[row] !== 0) sourceRoute(row)
      if (optCipso[row] !== 0) copyOption(row, optCipso[row], bytes.u8(row, optCipso[row] + 1))
      while ((echo.length & 3) !== 0) out[echo.length++] = 0
      return echo
    }
  },
)
