import { defineComponent, i32, u8, type World } from '@softnet/ecs'
import type { CmsgPlan } from '@softnet/scenario/plan'
import { interfaceNamed } from '../build/host-interfaces.js'
import type { Layout } from '../build/layout.js'

/** Ancillary data of messages: one row per program that sends with some, the last row for a harness. Kernel: struct cmsghdr */
export const SendCmsg = defineComponent('send_cmsg', {
  /** UDP_SEGMENT, IP_TTL, IP_TOS; −1: not given. */
  segmentBytes: i32,
  ttl: i32,
  tos: i32,
  /** 1: IP_PKTINFO with a device (0: none) and a source (signed, 0: none). */
  pktinfo: u8,
  dev: i32,
  source: i32,
  /** 1: a kind that the kernel does not take. */
  unknown: u8,
})

/** Programs that send with ancillary data, with their hosts. */
function given(layout: Layout): { readonly net: Layout['nets'][number]; readonly cmsg: CmsgPlan }[] {
  return layout.nets.flatMap((net) =>
    net.plan.apps.flatMap(({ send }) => (send?.cmsg === undefined ? [] : [{ net, cmsg: send.cmsg }])),
  )
}

/** Row of the ancillary data of a plan, 0 for none. */
export function cmsgRow(layout: Layout, cmsg: CmsgPlan | undefined): number {
  return 1 + given(layout).findIndex((each) => each.cmsg === cmsg)
}

/** Declares a row for each program and one for a harness. */
export function declareCmsgs(world: World, layout: Layout): void {
  world.pool(SendCmsg, given(layout).length + 1)
}

/** Fills them; after `freeze`. */
export function fillCmsgs(world: World, layout: Layout): void {
  const c = world.columns(SendCmsg)
  given(layout).forEach(({ net, cmsg }, i) => {
    const row = i + 1
    c.segmentBytes[row] = cmsg.segmentBytes ?? -1
    c.ttl[row] = cmsg.ttl ?? -1
    c.tos[row] = cmsg.tos ?? -1
    if (cmsg.pktinfo === undefined) return
    c.pktinfo[row] = 1
    c.dev[row] = cmsg.pktinfo.device === undefined ? 0 : interfaceNamed(net, cmsg.pktinfo.device)
    c.source[row] = (cmsg.pktinfo.source ?? 0) | 0
  })
}
