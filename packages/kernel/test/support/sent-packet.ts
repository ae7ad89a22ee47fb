import type { Binder } from '@softnet/ecs'
import { Skb } from '../../src/skb/components.js'
import { skbBytes } from '../../src/skb/skb-bytes.js'

/** A packet that left. */
export interface SentPacket {
  /** Device entity. */
  readonly dev: number
  /** IP packet. */
  readonly bytes: Uint8Array
}

const SENT_BYTES = 65_600

/** Copies the packet of a row, as it leaves. */
export function sentPacket(binder: Binder, row: number): SentPacket {
  const view = new DataView(new ArrayBuffer(SENT_BYTES))
  const bytes = binder.bind(skbBytes).copy(row, view, 0, SENT_BYTES)
  return { dev: binder.world.columns(Skb).dev[row], bytes: new Uint8Array(view.buffer, 0, bytes) }
}
