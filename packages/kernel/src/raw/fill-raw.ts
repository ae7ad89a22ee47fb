import { mix32, type World } from '@softnet/ecs'
import type { Layout } from '../build/layout.js'
import { Sock } from '../sock/components.js'
import { deviceEntity } from '../udp/udp-table.js'
import { PingHash, RAW_KIND, RAW_PROTOCOLS, RawHash, RawSock, usesRaw } from './components.js'

/** Where Linux begins to give out ids is drawn. Kernel: net/ipv4/ping.c, ping_v4_proc_init_net */
const PURPOSE_IDENT = 0x70696e67

/**
 * Binds the raw and ping sockets of a plan. The one made last is the first of its list; ids are given out in turn.
 * Kernel: net/ipv4/raw.c, raw_hash_sk; net/ipv4/ping.c, ping_get_port
 */
export function fillRaw(world: World, layout: Layout): void {
  if (!usesRaw(layout.plan)) return
  const sock = world.columns(Sock)
  const raw = world.columns(RawSock)
  const { head } = world.columns(RawHash)
  const { head: pingHead } = world.columns(PingHash)
  for (const net of layout.nets) {
    let ident = mix32(layout.plan.seed ^ PURPOSE_IDENT, net.index) & 0xffff
    net.plan.apps.forEach((app, a) => {
      app.sockets.forEach((plan, i) => {
        if (plan.family !== 'raw' && plan.family !== 'ping') return
        const row = net.appSockets[a][i]
        sock.host[row] = net.index
        sock.address[row] = plan.address
        sock.connected[row] = plan.peer === null ? 0 : 1
        sock.peerAddress[row] = plan.peer?.address ?? 0
        sock.boundDev[row] = deviceEntity(net, plan.device)
        sock.incomingCpu[row] = -1
        sock.broadcast[row] = plan.broadcast === true ? 1 : 0
        raw.protocol[row] = plan.raw?.protocol ?? 0
        raw.icmpFilter[row] = plan.raw?.icmpFilter ?? 0
        ident = ident === 0xffff ? 1 : ident + 1
        raw.ident[row] = ident
        raw.kind[row] = RAW_KIND[plan.family]
        const list = plan.family === 'ping' ? pingHead : head
        const slot = plan.family === 'ping' ? 1 + net.index : 1 + net.index * RAW_PROTOCOLS + raw.protocol[row]
        raw.next[row] = list[slot]
        list[slot] = row
      })
    })
  }
}
