import { defineResource } from '@softnet/ecs'

/** Answers of `UdpGroSocket`. */
export const UDP_SOCKET = { none: 0, plain: 1, gro: 2 } as const

/**
 * Looks up the socket a datagram would reach: 0 none, 1 one without UDP_GRO, 2 one with it. Linux looks up only while
 * some socket has UDP_GRO set, so a host without such a socket answers 0 for every datagram.
 * Kernel: net/ipv4/udp_offload.c, udp4_gro_receive (udp_encap_needed_key, udp4_gro_lookup_skb)
 */
export type UdpGroSocket = (cpu: number, row: number) => 0 | 1 | 2

/** Resource key of the lookup; provided before `gro` is bound. */
export const UDP_GRO_SOCKET = defineResource<UdpGroSocket>('udp_gro_socket')
