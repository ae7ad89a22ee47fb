import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { stampsPackets } from '../skb/stamps-packets.js'

/** The two places at which a received packet can be stamped. */
export interface NetTimestamp {
  /** False: no packet of the run is ever stamped, and neither place need be visited. */
  readonly needed: boolean
  /** Stamps a packet before it may be steered, with `netdev_tstamp_prequeue` 1. */
  prequeue(cpu: number, row: number): void
  /** Stamps a packet where it is handled, with `netdev_tstamp_prequeue` 0. */
  core(cpu: number, row: number): void
}

/** Receive stamps, taken while some socket of the host wants them. Kernel: net/core/dev.c, net_timestamp_check */
export const netTimestamp = defineSystem<NetTimestamp>(
  'net_timestamp_check',
  'netif',
  'net/core/dev.c, net_timestamp_check',
  (context) => {
    const { STAGE } = NUMBERS

    const { tstampPs } = context.write(Skb)
    const { clockPs, host } = context.read(Cpu)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const spend = context.system(charge)
    const wanted = Uint8Array.from(plan.hosts, (each) => (stampsPackets([each]) ? 1 : 0))
    const early = Uint8Array.from(plan.hosts, (each) => each.sysctl['net.core.netdev_tstamp_prequeue'])

    function stamp(cpu: number, row: number): void {
      spend(cpu, STAGE.net_timestamp, 1)
      tstampPs[row] = clockPs[cpu]
    }

    return {
      needed: stampsPackets(plan.hosts),
      prequeue(cpu, row) {
        const at = host[cpu]
        if (wanted[at] !== 0 && early[at] !== 0) stamp(cpu, row)
      },
      core(cpu, row) {
        const at = host[cpu]
        if (wanted[at] !== 0 && early[at] === 0) stamp(cpu, row)
      },
    }
  },
)
