import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { wheelExpiry } from '../defrag/timer-wheel.js'
import { NUMBERS } from '../numbers.js'
import { IF_OPER, LinkDev, LinkWatch, LOG } from './components.js'
import { netdevNotify } from './netdev-notify.js'

/** Carrier of the devices of a host, all of it on the CPU that handles its events. */
export interface LinkWatcher {
  /** The driver says that the carrier is there or gone. Kernel: net/sched/sch_generic.c, netif_carrier_on, netif_carrier_off */
  carrier(cpu: number, dev: number, isOn: boolean): void
  /** The work runs, if it is the queueing that counts. Kernel: net/core/link_watch.c, linkwatch_event */
  work(cpu: number, sequence: number): void
}

/** Devices handled in one run of the work; twice as many in one that is for urgent ones alone. */
const MAX_DO_DEV = 100

/**
 * What becomes of carrier changes: those that are not urgent are handled once a second at most, so a link that goes is
 * sent to for up to a second more, and a link that comes is used at once. Kernel: net/core/link_watch.c
 */
export const linkWatch = defineSystem<LinkWatcher>('linkwatch_event', 'link', 'net/core/link_watch.c', (context) => {
  const { DEV, EVENT, NETDEV } = NUMBERS

  const d = context.write(LinkDev)
  const w = context.write(LinkWatch)
  const { clockPs, host } = context.read(Cpu)
  const { hz, jiffyPs } = context.resource(PLAN_CONSTANTS)
  const events = context.system(eventList)
  const notify = context.system(netdevNotify)

  function jiffies(cpu: number): number {
    return Math.floor(clockPs[cpu] / jiffyPs[cpu])
  }

  /** Kernel: linkwatch_urgent_event; qdisc_tx_changing: the discipline is not the one it should be. */
  function isUrgent(dev: number): boolean {
    if ((d.bits[dev] & DEV.down) !== 0) return false
    if (d.iflink[dev] !== dev) return true
    return (d.bits[dev] & DEV.noCarrier) === 0 && (d.bits[dev] & DEV.inactive) !== 0
  }

  /** Kernel: linkwatch_schedule_work */
  function schedule(cpu: number, at: number, urgent: boolean): void {
    if (w.urgent[at] !== 0) return
    const now = jiffies(cpu)
    let delay = w.nextEventJiffy[at] - now
    if (urgent) {
      w.urgent[at] = 1
      delay = 0
    } else if (w.queued[at] !== 0) return
    if (delay > hz[cpu] || delay < 0) delay = 0
    w.queued[at] = 1
    w.sequence[at]++
    const atPs = delay === 0 ? clockPs[cpu] : wheelExpiry(now, delay) * jiffyPs[cpu]
    events.push(cpu, cpu, atPs, EVENT.linkWatch, 0, w.sequence[at], 0)
  }

  function append(at: number, dev: number): void {
    d.next[dev] = 0
    if (w.head[at] === 0) w.head[at] = dev
    else d.next[w.tail[at]] = dev
    w.tail[at] = dev
    d.listed[dev] = 1
  }

  /** What there was no time for is first on the list again. */
  function putBack(at: number, first: number): void {
    let last = first
    while (d.next[last] !== 0) last = d.next[last]
    d.next[last] = w.head[at]
    if (w.head[at] === 0) w.tail[at] = last
    w.head[at] = first
  }

  /** Kernel: linkwatch_fire_event */
  function fire(cpu: number, dev: number): void {
    const at = host[cpu] + 1
    const urgent = isUrgent(dev)
    if (d.pending[dev] === 0) {
      d.pending[dev] = 1
      if (d.listed[dev] === 0) append(at, dev)
    } else if (!urgent) return
    schedule(cpu, at, urgent)
  }

  function carrier(cpu: number, dev: number, isOn: boolean): void {
    const isBefore = (d.bits[dev] & DEV.noCarrier) === 0
    if (isOn === isBefore) return
    if (isOn) d.carrierUp[dev]++
    else d.carrierDown[dev]++
    notify.log(cpu, dev, isOn ? LOG.carrierOn : LOG.carrierOff)
    notify.tell(cpu, dev, isOn ? d.bits[dev] & ~DEV.noCarrier : d.bits[dev] | DEV.noCarrier, NETDEV.none)
    fire(cpu, dev)
  }

  /** RFC 2863: a device on one without carrier is lower layer down. Kernel: default_operstate, rfc2863_policy */
  function setOperstate(dev: number): void {
    const link = d.iflink[dev]
    if ((d.bits[dev] & DEV.noCarrier) === 0) d.operstate[dev] = IF_OPER.up
    else if (link === dev || link === 0 || (d.bits[link] & DEV.noCarrier) === 0) d.operstate[dev] = IF_OPER.down
    else d.operstate[dev] = IF_OPER.lowerLayerDown
  }

  /** The notifiers of NETDEV_CHANGE; VLAN devices take the carrier of the one below. Kernel: netif_state_change, vlan_device_event */
  function stateChange(cpu: number, dev: number): void {
    const hasCarrier = (d.bits[dev] & DEV.noCarrier) === 0
    notify.log(cpu, dev, LOG.change)
    notify.tell(cpu, dev, hasCarrier ? d.bits[dev] & ~DEV.linkDown : d.bits[dev] | DEV.linkDown, NETDEV.change)
    for (let upper = dev + 1; upper <= dev + d.uppers[dev]; upper++) carrier(cpu, upper, hasCarrier)
  }

  /** Kernel: linkwatch_do_dev */
  function doDev(cpu: number, dev: number): void {
    d.pending[dev] = 0
    setOperstate(dev)
    if ((d.bits[dev] & DEV.down) !== 0) return
    const hasCarrier = (d.bits[dev] & DEV.noCarrier) === 0
    notify.activate(cpu, dev, hasCarrier)
    stateChange(cpu, dev)
  }

  /** Kernel: __linkwatch_run_queue */
  function runQueue(cpu: number, at: number, urgentOnly: boolean): void {
    const now = jiffies(cpu)
    let left = urgentOnly ? 2 * MAX_DO_DEV : MAX_DO_DEV
    if (!urgentOnly) w.nextEventJiffy[at] = now + hz[cpu]
    else if (w.nextEventJiffy[at] > now + hz[cpu]) w.nextEventJiffy[at] = now
    w.urgent[at] = 0
    let dev = w.head[at]
    w.head[at] = 0
    w.tail[at] = 0
    while (dev !== 0 && left > 0) {
      const following = d.next[dev]
      d.listed[dev] = 0
      if (urgentOnly && !isUrgent(dev)) append(at, dev)
      else {
        doDev(cpu, dev)
        left--
      }
      dev = following
    }
    if (dev !== 0) putBack(at, dev)
    if (w.head[at] !== 0) schedule(cpu, at, false)
  }

  return {
    carrier,
    work(cpu, sequence) {
      const at = host[cpu] + 1
      if (w.queued[at] === 0 || w.sequence[at] !== sequence) return
      w.queued[at] = 0
      runQueue(cpu, at, w.nextEventJiffy[at] > jiffies(cpu))
    },
  }
})
