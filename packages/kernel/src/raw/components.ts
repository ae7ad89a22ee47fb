import { defineComponent, i32, u8, u16, u32, type World } from '@softnet/ecs'
import type { AppPlan, Plan } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'

/** Protocols that raw sockets are listed by. */
export const RAW_PROTOCOLS = 256

/** Sockets of ICMP that are not UDP's, rows as `Sock`. Kernel: include/net/raw.h, struct raw_sock; include/net/ping.h */
export const RawSock = defineComponent('raw_sock', {
  /** 1: SOCK_DGRAM of ICMP (ping socket); 2: SOCK_RAW; 0: something else, or closed. */
  kind: u8,
  protocol: u8,
  /** ICMP_FILTER: a bit per type that is kept away. Kernel: include/uapi/linux/icmp.h, struct icmp_filter */
  icmpFilter: u32,
  /** `inet_num` of a ping socket: the id of its requests. */
  ident: u16,
  /** Next socket of the same list, 0 at the end. */
  next: i32,
})

/** Values of `RawSock.kind`. */
export const RAW_KIND = { ping: 1, raw: 2 } as const

/** First raw socket of a protocol: row 1 + namespace × RAW_PROTOCOLS + protocol. Kernel: net/ipv4/raw.c, raw_v4_hashinfo */
export const RawHash = defineComponent('raw_hash', { head: i32 })
/** First ping socket of a namespace: row 1 + its number. Kernel: net/ipv4/ping.c, ping_table */
export const PingHash = defineComponent('ping_hash', { head: i32 })

/** Whether an app has sockets that get copies of packets. */
export function hasRawSockets({ sockets }: AppPlan): boolean {
  return sockets.some(({ family }) => family === 'raw' || family === 'ping')
}

/** Whether any program of a plan has a raw or ping socket. */
export function usesRaw(plan: Plan): boolean {
  return plan.hosts.some(({ apps }) => apps.some(hasRawSockets))
}

/** Declares the tables of raw and ping sockets, if there are any. */
export function declareRaw(world: World, layout: Layout): void {
  if (!usesRaw(layout.plan)) return
  world.pool(RawSock, layout.socketRows)
  world.pool(RawHash, layout.nets.length * RAW_PROTOCOLS)
  world.pool(PingHash, layout.nets.length)
}
