import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { SockSend } from '../sock/sock-wfree.js'

/** IP_MTU_DISCOVER of a socket: as it was set, or as new sockets have it. Kernel: net/ipv4/af_inet.c, inet_create */
export type PmtuDiscovery = (cpu: number, sock: number) => number

/** Kernel: include/net/inet_sock.h, struct inet_sock (pmtudisc) */
export const pmtuDiscovery = defineSystem<PmtuDiscovery>(
  'pmtu_discovery',
  'udp',
  'net/ipv4/af_inet.c, inet_create',
  (context) => {
    const { PMTUDISC } = NUMBERS

    const { pmtudisc } = context.read(SockSend)
    const { net } = context.read(Cpu)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const standard = Uint8Array.from(nets, ({ ipv4 }) => (ipv4?.ip_no_pmtu_disc ? PMTUDISC.dont : PMTUDISC.want))
    return (cpu, sock) => (pmtudisc[sock] !== 0 ? pmtudisc[sock] - 1 : standard[net[cpu]])
  },
)
