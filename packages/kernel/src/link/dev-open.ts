import { defineSystem, eventList } from '@softnet/ecs'
import { ARPOP_REQUEST } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { Cpu } from '../cpu/components.js'
import { hasGroups } from '../igmp/components.js'
import { igmpTimers } from '../igmp/igmp-timers.js'
import { arpSend } from '../neigh/arp-send.js'
import { devNet } from '../netns/dev-net.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { IfAddr, InDev } from '../route/components.js'
import { LinkDev, LOG } from './components.js'
import { linkWatch } from './link-watch.js'
import { netdevNotify } from './netdev-notify.js'

/** Opening and closing of devices, on the CPU that handles the events of its host. */
export interface DevOpen {
  /** Kernel: net/core/dev.c, __dev_open, and the notifiers of NETDEV_UP */
  open(cpu: number, dev: number): void
  /** Kernel: net/core/dev.c, __dev_close_many, and the notifiers of NETDEV_DOWN */
  close(cpu: number, dev: number): void
  /** The driver of an open device looks at its link. Kernel: ixgbe_watchdog_update_link */
  check(cpu: number, dev: number): void
}

/** `ip link set DEV up` and `down`. A card has no carrier before it was open for a moment. Kernel: net/core/dev.c, __dev_change_flags */
export const devOpen = defineSystem<DevOpen>('__dev_open', 'link', 'net/core/dev.c, __dev_open', (context) => {
  const { DEV, EVENT, NETDEV } = NUMBERS

  const { bits, lower, uppers, unplugged } = context.read(LinkDev)
  const { firstAddress, arpNotify } = context.read(InDev)
  const { address, next } = context.read(IfAddr)
  const { clockPs } = context.read(Cpu)
  const { peer } = context.read(NetDev)
  const { irqDeliveryPs } = context.resource(COST_LATENCY)
  const events = context.system(eventList)
  const notify = context.system(netdevNotify)
  const watcher = context.system(linkWatch)
  const arp = context.system(arpSend)
  const space = context.system(devNet)
  const igmp = hasGroups(context.resource(PLAN_CONSTANTS).plan) ? context.system(igmpTimers) : null

  /** Kernel: net/ipv4/devinet.c, inetdev_send_gratuitous_arp */
  function announce(cpu: number, dev: number): void {
    for (let row = firstAddress[dev]; row !== 0; row = next[row]) {
      arp(cpu, ARPOP_REQUEST, dev, address[row], address[row], 0xffff, 0xffffffff, 0, 0)
    }
  }

  /** Kernel: net/ipv4/devinet.c, inetdev_event; net/8021q/vlan.c, vlan_device_event */
  function isUp(cpu: number, dev: number): void {
    notify.log(cpu, dev, LOG.up)
    space.ofDevice(cpu, dev)
    igmp?.up(cpu, dev)
    if (arpNotify[dev] !== 0) announce(cpu, dev)
    // Routes that come back have the flag of a device without carrier.
    const isDead = (bits[dev] & DEV.noCarrier) !== 0
    notify.tell(cpu, dev, isDead ? bits[dev] | DEV.linkDown : bits[dev] & ~DEV.linkDown, NETDEV.up)
    // Those that somebody had set down come up too.
    for (let upper = dev + 1; upper <= dev + uppers[dev]; upper++) {
      open(cpu, upper)
      watcher.carrier(cpu, upper, !isDead)
    }
  }

  function isDown(cpu: number, dev: number): void {
    notify.log(cpu, dev, LOG.down)
    igmp?.down(cpu, dev)
    notify.tell(cpu, dev, bits[dev] | DEV.flushed, NETDEV.down)
    for (let upper = dev + 1; upper <= dev + uppers[dev]; upper++) close(cpu, upper)
  }

  /** Both ends of a pair have a carrier while both are up. Kernel: drivers/net/veth.c, veth_open, veth_close */
  function carriers(cpu: number, dev: number, isOn: boolean): void {
    watcher.carrier(cpu, dev, isOn)
    watcher.carrier(cpu, peer[dev], isOn)
  }

  function open(cpu: number, dev: number): void {
    // A VLAN device cannot be up while the one below is down.
    if ((bits[dev] & DEV.down) === 0 || (lower[dev] !== 0 && (bits[lower[dev]] & DEV.down) !== 0)) return
    notify.tell(cpu, dev, bits[dev] & ~DEV.down, NETDEV.none)
    if (lower[dev] !== 0) watcher.carrier(cpu, dev, (bits[lower[dev]] & DEV.noCarrier) === 0)
    if (peer[dev] !== 0 && (bits[peer[dev]] & DEV.down) === 0) carriers(cpu, dev, true)
    if ((bits[dev] & DEV.noCarrier) === 0) notify.activate(cpu, dev, true)
    isUp(cpu, dev)
    if (lower[dev] === 0 && peer[dev] === 0)
      events.push(cpu, cpu, clockPs[cpu] + irqDeliveryPs, EVENT.linkCheck, dev, 0, 0)
  }

  function close(cpu: number, dev: number): void {
    if ((bits[dev] & DEV.down) !== 0) return
    notify.log(cpu, dev, LOG.goingDown)
    notify.activate(cpu, dev, false)
    notify.tell(cpu, dev, bits[dev] | DEV.down, NETDEV.none)
    if (peer[dev] === 0) watcher.carrier(cpu, dev, false)
    else carriers(cpu, dev, false)
    isDown(cpu, dev)
  }

  return {
    open,
    close,
    check(cpu, dev) {
      if ((bits[dev] & DEV.down) === 0) watcher.carrier(cpu, dev, unplugged[dev] === 0)
    },
  }
})
