import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { neighIfdown } from '../neigh/neigh-ifdown.js'
import { NetDev } from '../nic/components.js'
import { ndoStop } from '../nic/ndo-stop.js'
import { TxQueue } from '../nic/tx-components.js'
import { txTimeout } from '../nic/tx-timeout.js'
import { NUMBERS } from '../numbers.js'
import { devActivateQueue } from '../qdisc/dev-activate-queue.js'
import { InDev } from '../route/components.js'
import { DevView } from './components.js'
import { hasStalls } from './fill-link.js'

/** A CPU learns what has become of a device (bits of `DEV`), and does its part of what follows; `event` is one of `NETDEV`. */
export type DevLearn = (cpu: number, dev: number, bits: number, event: number) => void

/**
 * A CPU's part of a change: its transmit queues of the device, its routes and neighbours, in the order of the notifier
 * chain. Kernel: net/ipv4/arp.c, arp_netdev_event; net/ipv4/fib_frontend.c, fib_netdev_event; net/sched/sch_generic.c
 */
export const devLearn = defineSystem<DevLearn>(
  'netdev_event',
  'link',
  'net/ipv4/arp.c, arp_netdev_event',
  (context) => {
    const { DEV, NETDEV } = NUMBERS

    const { bits: views } = context.write(DevView)
    const { index, firstTx, txCount, txStep, virtualDevice } = context.read(NetDev)
    const { cpu: queueCpu, dev: queueDev } = context.read(TxQueue)
    const { arpEvictNocarrier } = context.read(InDev)
    const { cpuRows } = context.resource(PLAN_CONSTANTS)
    const queues = context.system(devActivateQueue)
    const neighbours = context.system(neighIfdown)
    const driver = context.system(ndoStop)
    const hangs = hasStalls(context.resource(PLAN_CONSTANTS).plan) ? context.system(txTimeout) : null

    /** VLAN devices send by the queues of the device below, and have none of their own to switch. */
    function switchQueues(cpu: number, dev: number, isActive: boolean): void {
      for (let i = 0; i < txCount[dev]; i++) {
        const queue = firstTx[dev] + i * txStep[dev]
        if (queueCpu[queue] === cpu && queueDev[queue] === dev) queues(cpu, queue, isActive)
      }
    }

    return (cpu, dev, bits, event) => {
      const row = index[dev] * cpuRows + cpu
      const changed = views[row] ^ bits
      views[row] = bits
      if ((changed & DEV.inactive) !== 0) {
        switchQueues(cpu, dev, (bits & DEV.inactive) === 0)
        if ((bits & DEV.inactive) !== 0) hangs?.stop(cpu, dev)
        else hangs?.start(cpu, dev)
      }
      if (virtualDevice[dev] === 0 && (changed & DEV.down) !== 0 && (bits & DEV.down) !== 0) driver.stop(cpu, dev)
      else if (virtualDevice[dev] === 0 && (changed & DEV.down) !== 0) driver.open(cpu, dev)
      if (event === NETDEV.change && (bits & DEV.noCarrier) !== 0 && arpEvictNocarrier[dev] !== 0) {
        neighbours(cpu, dev, true)
      }
      if (event === NETDEV.down) neighbours(cpu, dev, false)
    }
  },
)
