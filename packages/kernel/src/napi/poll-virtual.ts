import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { gro } from '../gro/gro.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Napi } from './components.js'
import { napiControl } from './napi.js'

/** NAPI of a device without a ring of descriptors (veth with GRO, tun with IFF_NAPI). */
export interface PollVirtual {
  /** Puts a packet into the instance's ptr_ring and schedules it if it was idle; 0 if the ring is full. */
  transmit(cpu: number, napi: number, row: number): number
  run(cpu: number, napi: number): boolean
}

const PTR_RING = 256

/**
 * Poll of a virtual device. A veth sender leaves a scheduled instance alone, so that it does not find itself missed; a
 * program that writes to a tun device schedules it each time. Kernel: drivers/net/veth.c, __veth_xdp_flush, veth_poll;
 * drivers/net/tun.c, tun_get_user, tun_napi_poll
 */
export const pollVirtual = defineSystem<PollVirtual>(
  'veth_poll',
  'napi',
  'drivers/net/veth.c, veth_poll',
  (context) => {
    const { DEVICE, POLL_KIND, STAGE } = NUMBERS

    const { ringHead, ringTail, ringCount, work, budget, dev, pollKind, notifyMasked } = context.write(Napi)
    const { next, allocCpu, wireBytes, dev: skbDev } = context.write(Skb)
    const { clockPs, limitPs } = context.read(Cpu)
    const { index: devIndex } = context.read(NetDev)
    const spend = context.system(charge)
    const engine = context.system(gro)
    const control = context.system(napiControl)
    const count = context.system(counters)
    context.resource(PLAN_CONSTANTS)

    function notify(cpu: number, napi: number): void {
      if (notifyMasked[napi] !== 0 || !control.schedulePrep(napi)) return
      notifyMasked[napi] = pollKind[napi] === POLL_KIND.veth ? 1 : 0
      control.schedule(cpu, napi)
    }

    return {
      transmit(cpu, napi, row) {
        if (pollKind[napi] === POLL_KIND.veth && ringCount[napi] >= PTR_RING) return 0
        next[row] = 0
        skbDev[row] = dev[napi]
        if (ringHead[napi] === 0) ringHead[napi] = row
        else next[ringTail[napi]] = row
        ringTail[napi] = row
        ringCount[napi]++
        notify(cpu, napi)
        return 1
      },
      run(cpu, napi) {
        while (work[napi] < budget[napi]) {
          const row = ringHead[napi]
          if (row === 0) break
          if (clockPs[cpu] >= limitPs[cpu]) return false
          ringHead[napi] = next[row]
          if (ringHead[napi] === 0) ringTail[napi] = 0
          ringCount[napi]--
          next[row] = 0
          allocCpu[row] = cpu
          spend(cpu, STAGE.clean_rx, 1)
          count.device(devIndex[dev[napi]], cpu, DEVICE.rxPackets, 1)
          count.device(devIndex[dev[napi]], cpu, DEVICE.rxBytes, wireBytes[row])
          work[napi]++
          engine.receive(cpu, napi, row)
        }
        if (work[napi] < budget[napi] && control.completeDone(cpu, napi, work[napi])) {
          notifyMasked[napi] = 0
          if (ringHead[napi] !== 0) notify(cpu, napi)
        }
        return true
      },
    }
  },
)
