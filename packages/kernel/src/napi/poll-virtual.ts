import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { DEVICE } from '../count/device.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { gro } from '../gro/gro.js'
import { NetDev } from '../nic/components.js'
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

/** Poll of a virtual device. Kernel: drivers/net/veth.c, veth_poll, veth_xdp_rcv */
export const pollVirtual = defineSystem<PollVirtual>('veth_poll', 'napi', 'drivers/net/veth.c, veth_poll', (context) => {
  const { ringHead, ringTail, ringCount, work, budget, dev } = context.write(Napi)
  const { next, allocCpu, wireBytes, dev: skbDev } = context.write(Skb)
  const { clockPs, limitPs } = context.read(Cpu)
  const { index: devIndex } = context.read(NetDev)
  const spend = context.system(charge)
  const engine = context.system(gro)
  const control = context.system(napiControl)
  const count = context.system(counters)
  context.resource(PLAN_CONSTANTS)
  return {
    transmit(cpu, napi, row) {
      if (ringCount[napi] >= PTR_RING) return 0
      next[row] = 0
      skbDev[row] = dev[napi]
      if (ringHead[napi] === 0) ringHead[napi] = row
      else next[ringTail[napi]] = row
      ringTail[napi] = row
      ringCount[napi]++
      if (control.schedulePrep(napi)) control.schedule(cpu, napi)
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
      if (work[napi] < budget[napi]) control.completeDone(cpu, napi, work[napi])
      return true
    },
  }
})
