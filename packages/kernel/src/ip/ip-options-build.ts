import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { ipOptions } from './ip-options.js'
import type { EchoedOptions } from './ip-options-echo.js'

/** Writes options behind the header of a packet with a page of its own; `finalDestination` is a source route's last hop. */
export type IpOptionsBuild = (cpu: number, row: number, options: EchoedOptions, finalDestination: number) => void

const IPV4_HLEN = 20

/** Kernel: net/ipv4/ip_options.c, ip_options_build */
export const ipOptionsBuild = defineSystem<IpOptionsBuild>(
  'ip_options_build',
  'ip',
  'net/ipv4/ip_options.c, ip_options_build',
  (context) => {
    const { IPSKB } = NUMBERS

    const { ipcb, optRr, optTs, optSrr } = context.write(Skb)
    const { saddr } = context.read(Skb)
    const bytes = context.system(skbBytes)
    const stamps = context.system(ipOptions)
    return (cpu, row, options, finalDestination) => {
      const { rr, ts, srr, flags: needs } = options
      ipcb[row] = needs
      optRr[row] = rr
      optTs[row] = ts
      optSrr[row] = srr
      for (let i = 0; i < options.length; i++) bytes.setU8(row, IPV4_HLEN + i, options.bytes[i])
      if (srr !== 0) bytes.setU32(row, srr + bytes.u8(row, srr + 1) - 4, finalDestination >>> 0)
      if ((needs & IPSKB.rrNeedAddress) !== 0) bytes.setU32(row, rr + bytes.u8(row, rr + 2) - 5, saddr[row])
      if ((needs & IPSKB.tsNeedAddress) !== 0) bytes.setU32(row, ts + bytes.u8(row, ts + 2) - 9, saddr[row])
      if ((needs & IPSKB.tsNeedTime) !== 0) bytes.setU32(row, ts + bytes.u8(row, ts + 2) - 5, stamps.timestamp(cpu))
    }
  },
)
