import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { icmpSend } from '../icmp/icmp-send.js'
import { inetPeers } from '../icmp/inet-peer.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { InDev } from './components.js'

/** Ends a packet whose route is an error; a router tells the sender why. Kernel: net/ipv4/route.c, ip_error */
export const ipError = defineSystem<(cpu: number, row: number) => void>(
  'ip_error',
  'route',
  'net/ipv4/route.c, ip_error',
  (context) => {
    const { DROP, ERRNO, ICMP_CODE, ICMP_TYPE, SNMP } = NUMBERS

    const { rtError, dev, saddr } = context.read(Skb)
    const { clockPs, net } = context.read(Cpu)
    const { forwarding } = context.read(InDev)
    const { jiffyPs, nets } = context.resource(PLAN_CONSTANTS)
    const costJiffies = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.error_cost'])
    const burstJiffies = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.error_burst'])
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const peers = context.system(inetPeers)
    const icmp = context.system(icmpSend)

    function notForwarding(cpu: number, row: number): number {
      if (rtError[row] === ERRNO.EHOSTUNREACH) {
        count.snmp(cpu, SNMP.IpInAddrErrors, 1)
        return DROP.addrErrors
      }
      if (rtError[row] !== ERRNO.ENETUNREACH) return DROP.ipError
      count.snmp(cpu, SNMP.IpExtInNoRoutes, 1)
      return DROP.noRoutes
    }

    function tell(cpu: number, row: number, code: number): void {
      const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
      const peer = peers.get(cpu, saddr[row] | 0, now)
      if (!peers.take(peer, now, costJiffies[net[cpu]], burstJiffies[net[cpu]])) return
      icmp(cpu, row, ICMP_TYPE.destUnreach, code, 0)
    }

    return (cpu, row) => {
      if (forwarding[dev[row]] === 0) {
        kfree(cpu, row, notForwarding(cpu, row))
        return
      }
      let drop: number = DROP.ipError
      if (rtError[row] === ERRNO.EHOSTUNREACH) tell(cpu, row, ICMP_CODE.hostUnreach)
      else if (rtError[row] === ERRNO.EACCES) tell(cpu, row, ICMP_CODE.pktFiltered)
      else if (rtError[row] === ERRNO.ENETUNREACH) {
        count.snmp(cpu, SNMP.IpExtInNoRoutes, 1)
        drop = DROP.noRoutes
        tell(cpu, row, ICMP_CODE.netUnreach)
      }
      kfree(cpu, row, drop)
    }
  },
)
