import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { InDev } from '../route/components.js'
import { RouteResult } from '../route/route-result.js'
import { pmtuDiscovery } from '../udp/pmtu-discovery.js'

/** What IP_MTU_DISCOVER of a socket makes of the route that its CPU has just found. Kernel: include/net/ip.h */
export interface IpSk {
  /** Largest packet of the way as the socket sees it, bytes. Kernel: ip_sk_use_pmtu */
  largest(cpu: number, sock: number): number
  /** What is longer is cut, whatever the DF bit says. Kernel: ip_sk_ignore_df */
  ignoresDf(cpu: number, sock: number): boolean
  /** IP_DF or 0 for a packet of `length` bytes. Kernel: ip_dont_fragment */
  dfOf(cpu: number, sock: number, length: number): number
  /** The socket does not go by learnt path MTUs. */
  usesDevice(cpu: number, sock: number): boolean
}

const IP_MAX_MTU = 65_535

/** Path MTU rules of a sending socket. Kernel: include/net/ip.h, ip_sk_use_pmtu, ip_sk_ignore_df, ip_dont_fragment */
export const ipSk = defineSystem<IpSk>('ip_sk', 'ip', 'include/net/ip.h, ip_sk_use_pmtu', (context) => {
  const { IP_DF, PMTUDISC } = NUMBERS

  const result = context.read(RouteResult)
  const { mtu: devMtu } = context.read(InDev)
  const discovery = context.system(pmtuDiscovery)
  return {
    largest: (cpu, sock) =>
      Math.min(discovery(cpu, sock) < PMTUDISC.probe ? result.mtu[cpu] : devMtu[result.dev[cpu]], IP_MAX_MTU),
    ignoresDf(cpu, sock) {
      const how = discovery(cpu, sock)
      return how < PMTUDISC.do || how === PMTUDISC.omit
    },
    dfOf(cpu, sock, length) {
      const how = discovery(cpu, sock)
      if (how === PMTUDISC.do || how === PMTUDISC.probe) return IP_DF
      return how === PMTUDISC.want && length <= result.mtu[cpu] && result.locked[cpu] === 0 ? IP_DF : 0
    },
    usesDevice: (cpu, sock) => discovery(cpu, sock) >= PMTUDISC.probe,
  }
})
