import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { SockSend } from '../sock/sock-wfree.js'

/** Values of IP_MTU_DISCOVER. Kernel: include/uapi/linux/in.h, IP_PMTUDISC_* */
export const PMTUDISC = { dont: 0, want: 1, do: 2, probe: 3, interface: 4, omit: 5 } as const

/** IP_MTU_DISCOVER of a socket: as it was set, or as new sockets have it. Kernel: net/ipv4/af_inet.c, inet_create */
export type PmtuDiscovery = (cpu: number, sock: number) => number

/** Kernel: include/net/inet_sock.h, struct inet_sock (pmtudisc) */
export const pmtuDiscovery = defineSystem<PmtuDiscovery>(
  'pmtu_discovery',
  'udp',
  'net/ipv4/af_inet.c, inet_create',
  (context) => {
    const { pmtudisc } = context.read(SockSend)
    const { net } = context.read(Cpu)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const standard = Uint8Array.from(nets, ({ ipv4 }) => (ipv4?.ip_no_pmtu_disc ? PMTUDISC.dont : PMTUDISC.want))
    return (cpu, sock) => (pmtudisc[sock] !== 0 ? pmtudisc[sock] - 1 : standard[net[cpu]])
  },
)
