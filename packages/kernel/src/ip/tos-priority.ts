/** Priority of each type of service, by its four bits. Kernel: net/ipv4/route.c, ip_tos2prio */
const PRIORITY_OF_TOS = Uint8Array.of(0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4)

/** `skb->priority` of a packet with a TOS byte. Kernel: include/net/route.h, rt_tos2priority */
export function tosPriority(tos: number): number {
  return PRIORITY_OF_TOS[(tos >>> 1) & 15] as number
}
