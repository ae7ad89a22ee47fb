import { defineSystem } from '@softnet/ecs'
import {
  IPOPT_CIPSO,
  IPOPT_END,
  IPOPT_LSRR,
  IPOPT_NOP,
  IPOPT_RA,
  IPOPT_RR,
  IPOPT_SSRR,
  IPOPT_TIMESTAMP,
} from '@softnet/wire'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { fibLookup } from '../route/fib-lookup.js'
import { specDst } from '../route/spec-dst.js'
import { IPSKB, Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'

const IPV4_HLEN = 20
const TS_ONLY = 0
const TS_AND_ADDRESS = 1
const TS_PRESPEC = 3
const COPIED = 0x80
/** Shortest security label. */
const CIPSO_BYTES = 8
const OVERFLOW_MAX = 15
const MS_PER_DAY = 86_400_000
const OPTION_FLAGS =
  IPSKB.strictRoute |
  IPSKB.sourceRouteHit |
  IPSKB.routerAlert |
  IPSKB.rrNeedAddress |
  IPSKB.tsNeedAddress |
  IPSKB.tsNeedTime

/** IP options of packets whose bytes are real. */
export interface IpOptions {
  /**
   * Checks the options of a packet and does what its arrival means to them: records our address and the time. Returns 0,
   * or the position of what is wrong. Kernel: net/ipv4/ip_options.c, __ip_options_compile
   */
  compile(cpu: number, row: number): number
  /** Turns the options of a fragment's copy into what later fragments carry. Kernel: ip_options_fragment */
  fragment(row: number): void
  /** Fills in the address of the outgoing device while forwarding. Kernel: ip_forward_options */
  forward(cpu: number, row: number, source: number): void
  /** Milliseconds since midnight UT; a run starts at midnight. Kernel: net/ipv4/af_inet.c, inet_current_timestamp */
  timestamp(cpu: number): number
}

/** Reading and changing of IP options. Kernel: net/ipv4/ip_options.c */
export const ipOptions = defineSystem<IpOptions>(
  'ip_options',
  'ip',
  'net/ipv4/ip_options.c, __ip_options_compile',
  (context) => {
    const { IPSKB, RTN } = NUMBERS

    const { ipcb, optRr, optTs, optSrr, optCipso, optNexthop, daddr } = context.write(Skb)
    const { ipWord } = context.read(Skb)
    const { clockPs, net } = context.read(Cpu)
    const bytes = context.system(skbBytes)
    const spec = context.system(specDst)
    const fib = context.system(fibLookup)

    function timestamp(cpu: number): number {
      return Math.floor(clockPs[cpu] / 1e9) % MS_PER_DAY
    }

    /** Kernel: __ip_options_compile, IPOPT_RR */
    function recordRoute(cpu: number, row: number, at: number, size: number): number {
      if (optRr[row] !== 0) return at
      if (size < 3) return at + 1
      const pointer = bytes.u8(row, at + 2)
      if (pointer < 4) return at + 2
      if (pointer <= size) {
        if (pointer + 3 > size) return at + 2
        bytes.setU32(row, at + pointer - 1, spec(cpu, row) >>> 0)
        bytes.setU8(row, at + 2, pointer + 4)
        ipcb[row] |= IPSKB.rrNeedAddress
      }
      optRr[row] = at
      return 0
    }

    /** Kernel: __ip_options_compile, IPOPT_SSRR, IPOPT_LSRR */
    function sourceRoute(row: number, at: number, size: number): number {
      if (size < 3) return at + 1
      if (bytes.u8(row, at + 2) < 4) return at + 2
      if (optSrr[row] !== 0) return at
      if (bytes.u8(row, at) === IPOPT_SSRR) ipcb[row] |= IPSKB.strictRoute
      optSrr[row] = at
      return 0
    }

    /** Kernel: __ip_options_compile, IPOPT_TIMESTAMP */
    function timeStamp(cpu: number, row: number, at: number, size: number): number {
      if (optTs[row] !== 0) return at
      if (size < 4) return at + 1
      const pointer = bytes.u8(row, at + 2)
      const kind = bytes.u8(row, at + 3) & 15
      if (pointer < 5) return at + 2
      if (pointer > size) {
        const overflow = bytes.u8(row, at + 3) >>> 4
        if (kind !== TS_PRESPEC) {
          if (overflow === OVERFLOW_MAX) return at + 3
          bytes.setU8(row, at + 3, kind | ((overflow + 1) << 4))
        }
        optTs[row] = at
        return 0
      }
      if (pointer + 3 > size) return at + 2
      if ((kind === TS_AND_ADDRESS || kind === TS_PRESPEC) && pointer + 7 > size) return at + 2
      stamp(cpu, row, at, pointer, kind)
      optTs[row] = at
      return 0
    }

    function stamp(cpu: number, row: number, at: number, pointer: number, kind: number): void {
      const slot = at + pointer - 1
      if (kind === TS_ONLY) {
        ipcb[row] |= IPSKB.tsNeedTime
        bytes.setU8(row, at + 2, pointer + 4)
        bytes.setU32(row, slot, timestamp(cpu))
      } else if (kind === TS_AND_ADDRESS) {
        bytes.setU32(row, slot, spec(cpu, row) >>> 0)
        ipcb[row] |= IPSKB.tsNeedAddress | IPSKB.tsNeedTime
        bytes.setU8(row, at + 2, pointer + 8)
        bytes.setU32(row, slot + 4, timestamp(cpu))
      } else if (kind === TS_PRESPEC) {
        if (fib.addressType(net[cpu], bytes.u32(row, slot) | 0, 0) === RTN.unicast) return
        ipcb[row] |= IPSKB.tsNeedTime
        bytes.setU8(row, at + 2, pointer + 8)
        bytes.setU32(row, slot + 4, timestamp(cpu))
      }
    }

    /** No label of a security domain is known, so none is right. Kernel: net/ipv4/cipso_ipv4.c, cipso_v4_validate */
    function label(row: number, at: number, size: number): number {
      if (optCipso[row] !== 0) return at
      optCipso[row] = at
      return size < CIPSO_BYTES ? at + 1 : at + 2
    }

    function one(cpu: number, row: number, at: number, type: number, size: number): number {
      if (type === IPOPT_SSRR || type === IPOPT_LSRR) return sourceRoute(row, at, size)
      if (type === IPOPT_RR) return recordRoute(cpu, row, at, size)
      if (type === IPOPT_TIMESTAMP) return timeStamp(cpu, row, at, size)
      if (type === IPOPT_CIPSO) return label(row, at, size)
      if (type !== IPOPT_RA) return 0
      if (size < 4) return at + 1
      if (bytes.u16(row, at + 2) === 0) ipcb[row] |= IPSKB.routerAlert
      return 0
    }

    function clear(row: number): void {
      ipcb[row] &= ~OPTION_FLAGS
      optRr[row] = 0
      optTs[row] = 0
      optSrr[row] = 0
      optNexthop[row] = 0
    }

    /** Everything behind the end of options is end of options. */
    function wipe(row: number, from: number, end: number): void {
      for (let at = from; at < end; at++) bytes.setU8(row, at, IPOPT_END)
    }

    return {
      timestamp,
      compile(cpu, row) {
        clear(row)
        const end = ((ipWord[row] >>> 24) & 15) * 4
        for (let at = IPV4_HLEN; at < end; ) {
          const type = bytes.u8(row, at)
          if (type === IPOPT_END) {
            wipe(row, at + 1, end)
            return 0
          }
          if (type === IPOPT_NOP) {
            at++
            continue
          }
          if (end - at < 2) return at
          const size = bytes.u8(row, at + 1)
          if (size < 2 || size > end - at) return at
          const wrong = one(cpu, row, at, type, size)
          if (wrong !== 0) return wrong
          at += size
        }
        return 0
      },
      fragment(row) {
        const end = ((ipWord[row] >>> 24) & 15) * 4
        for (let at = IPV4_HLEN; at < end; ) {
          const type = bytes.u8(row, at)
          if (type === IPOPT_END) return
          if (type === IPOPT_NOP) {
            at++
            continue
          }
          const size = bytes.u8(row, at + 1)
          if (size < 2 || size > end - at) return
          if ((type & COPIED) === 0) for (let i = 0; i < size; i++) bytes.setU8(row, at + i, IPOPT_NOP)
          at += size
        }
      },
      forward(_cpu, row, source) {
        if ((ipcb[row] & IPSKB.rrNeedAddress) !== 0) {
          const at = optRr[row]
          bytes.setU32(row, at + bytes.u8(row, at + 2) - 5, source >>> 0)
        }
        if ((ipcb[row] & IPSKB.sourceRouteHit) === 0) return
        const at = optSrr[row]
        const space = bytes.u8(row, at + 1)
        let pointer = bytes.u8(row, at + 2)
        while (pointer + 3 <= space && bytes.u32(row, at + pointer - 1) !== optNexthop[row]) pointer += 4
        if (pointer + 3 <= space) {
          daddr[row] = optNexthop[row]
          bytes.setU32(row, at + pointer - 1, source >>> 0)
          bytes.setU8(row, at + 2, pointer + 4)
        }
        if ((ipcb[row] & IPSKB.tsNeedAddress) !== 0) {
          const ts = optTs[row]
          bytes.setU32(row, ts + bytes.u8(row, ts + 2) - 9, source >>> 0)
        }
      },
    }
  },
)
