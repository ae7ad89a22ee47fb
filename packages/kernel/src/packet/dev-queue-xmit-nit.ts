import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { usesPackets } from './components.js'
import { packetTaps } from './packet-rcv.js'
import { hasTaps, tapCounts } from './tap-counts.js'

/** Taps on the way out. */
export interface DevQueueXmitNit {
  /** False: no packet of the run is ever shown to a tap. */
  readonly needed: boolean
  /** Shows a packet to the taps of its device, on the CPU that hands it to the driver. */
  transmit(cpu: number, row: number): void
}

/** What a device sends goes to the taps just before the driver has it. Kernel: net/core/dev.c, dev_queue_xmit_nit */
export const devQueueXmitNit = defineSystem<DevQueueXmitNit>(
  'dev_queue_xmit_nit',
  'packet',
  'net/core/dev.c, dev_queue_xmit_nit',
  (context) => {
    const { STAGE } = NUMBERS

    const { plan } = context.resource(PLAN_CONSTANTS)
    const { dev } = context.read(Skb)
    const { index } = context.read(NetDev)
    const spend = context.system(charge)
    const sockets = usesPackets(plan) ? context.system(packetTaps) : null
    const taps = tapCounts(plan)
    return {
      needed: sockets !== null || hasTaps(plan),
      transmit(cpu, row) {
        const unread = taps[index[dev[row]]]
        if (unread > 0) spend(cpu, STAGE.tap, unread)
        sockets?.transmit(cpu, row)
      },
    }
  },
)
