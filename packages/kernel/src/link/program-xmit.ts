import { defineResource } from '@softnet/ecs'

/** Reader of a tun or tap device: gets each packet that is sent on it, before its row is given back. */
export interface ProgramXmit {
  xmit: ((cpu: number, row: number) => void) | null
  /** Gets the frame back that it has just written: XDP sends it out again. Kernel: net/core/dev.c, generic_xdp_tx */
  reflect: ((row: number) => void) | null
}

/** Resource key of the program behind tun and tap devices. Kernel: drivers/net/tun.c, tun_net_xmit */
export const PROGRAM_XMIT = defineResource<ProgramXmit>('program_xmit')
