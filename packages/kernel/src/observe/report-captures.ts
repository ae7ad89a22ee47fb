import type { CaptureRow } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import type { HostLayout } from '../build/layout.js'
import { PacketSock } from '../packet/components.js'
import { Sock } from '../sock/components.js'

const RINGS = { 2: 'tpacket_v2', 3: 'tpacket_v3' } as const

/** One row per program that captures packets. Kernel: net/packet/af_packet.c, packet_getsockopt (PACKET_STATISTICS) */
export function reportCaptures(model: Model, host: HostLayout): { captures?: CaptureRow[] } {
  const captures = host.plan.apps.flatMap((app, a): CaptureRow[] => {
    const plan = app.sockets[0]?.packet
    if (plan === undefined) return []
    const p = model.world.columns(PacketSock)
    const { rcvbuf } = model.world.columns(Sock)
    const rows = host.appSockets[a]
    const sum = (column: ArrayLike<number>) => rows.reduce((total, row) => total + column[row], 0)
    const { ring } = plan
    const captured = sum(p.captured)
    const dropped = sum(p.lost)
    const received = sum(p.packets) + dropped
    return [
      {
        app: app.name,
        dev: plan.device ?? 'any',
        sockets: rows.length,
        ring: ring === null ? 'none' : RINGS[ring.version],
        buffer_bytes: ring === null ? sum(rcvbuf) : rows.length * ring.slots * ring.slotBytes,
        captured,
        captured_bytes: Math.round(sum(p.capturedBytes)),
        received,
        dropped,
        freezes: sum(p.freezes),
        received_by_socket: rows.map((row) => p.packets[row] + p.lost[row]),
        text: [
          `${captured} packets captured`,
          `${received} packets received by filter`,
          `${dropped} packets dropped by kernel`,
        ],
      },
    ]
  })
  return captures.length === 0 ? {} : { captures }
}
