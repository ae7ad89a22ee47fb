import { defineSystem, eventList } from '@softnet/ecs'
import { ARPOP_REQUEST } from '@softnet/wire'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { ICMP_SEND } from '../icmp/icmp-send.js'
import { devNet } from '../netns/dev-net.js'
import { NUMBERS } from '../numbers.js'
import { devQueueXmit } from '../qdisc/dev-queue-xmit.js'
import { InDev } from '../route/components.js'
import { fibLookup } from '../route/fib-lookup.js'
import { ifAddrs } from '../route/ifaddr.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { arpSend } from './arp-send.js'
import { Neighbour, NeighParms, NeighStat, NUD } from './components.js'

/** What is known of one's neighbours; rows are those of `Neighbour`. */
export interface Neighbours {
  /** Sends a packet to a neighbour, at once or when its address is known; 0 or a negative errno. Kernel: net/core/neighbour.c, neigh_resolve_output */
  output(cpu: number, neigh: number, row: number): number
  /** Enters what was learnt. `override`: another address may replace a valid one. Kernel: __neigh_update */
  update(cpu: number, neigh: number, macHigh: number, macLow: number, state: number, override: boolean): void
  /** Whether packets may be sent to it, be it known well or not. Kernel: NUD_VALID */
  isValid(neigh: number): boolean
  /** Asks for one that is not known, or doubts one that has not been heard of. Kernel: neigh_event_send */
  ask(cpu: number, neigh: number): void
  /** Its timer has run out. Kernel: neigh_timer_handler */
  timer(cpu: number, neigh: number, sequence: number): void
}

const VALID = NUD.permanent | NUD.noarp | NUD.reachable | NUD.probe | NUD.stale | NUD.delay
const CONNECTED = NUD.permanent | NUD.noarp | NUD.reachable
const IN_TIMER = NUD.incomplete | NUD.reachable | NUD.delay | NUD.probe
/** Timers are at least a hundredth of a second apart. */
const TIMER_FRACTION = 100

/** Unreachability detection: states, probes, timers, and packets that wait for an address. Kernel: net/core/neighbour.c */
export const neighbours = defineSystem<Neighbours>(
  'neighbour',
  'neigh',
  'net/core/neighbour.c, neigh_timer_handler',
  (context) => {
    const { DROP, EVENT, ICMP_CODE, ICMP_TYPE, NUD, RTN, SCOPE } = NUMBERS

    const n = context.write(Neighbour)
    const {
      state,
      probes,
      updated,
      confirmed,
      lastUsed,
      armSequence,
      armed,
      queueHead,
      queueTail,
      queueBytes,
      macHigh,
      macLow,
      address,
      dev,
    } = n
    const { next, truesize, macHigh: skbHigh, macLow: skbLow } = context.write(Skb)
    const { saddr } = context.read(Skb)
    const parms = context.read(NeighParms)
    const { resFailed, unresDiscards } = context.write(NeighStat)
    const { arpAnnounce } = context.read(InDev)
    const { clockPs, net } = context.read(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const { jiffyPs } = constants
    const icmp = context.resource(ICMP_SEND)
    const trace = context.resource(TRACE_SINK)
    const events = context.system(eventList)
    const kfree = context.system(kfreeSkb)
    const xmit = context.system(devQueueXmit)
    const arp = context.system(arpSend)
    const fib = context.system(fibLookup)
    const addresses = context.system(ifAddrs)
    const space = context.system(devNet)
    const least = constants.hz.map((hz) => Math.floor(hz / TIMER_FRACTION))

    function jiffies(cpu: number): number {
      return Math.floor(clockPs[cpu] / jiffyPs[cpu])
    }

    function addTimer(cpu: number, neigh: number, atJiffy: number): void {
      armed[neigh] = 1
      armSequence[neigh]++
      events.push(cpu, cpu, atJiffy * jiffyPs[cpu], EVENT.neighTimer, neigh, armSequence[neigh], 0)
    }

    function takeQueued(neigh: number): number {
      const row = queueHead[neigh]
      if (row === 0) return 0
      queueHead[neigh] = next[row]
      if (queueHead[neigh] === 0) queueTail[neigh] = 0
      next[row] = 0
      queueBytes[neigh] -= truesize[row]
      return row
    }

    function append(neigh: number, row: number): void {
      next[row] = 0
      if (queueHead[neigh] === 0) queueHead[neigh] = row
      else next[queueTail[neigh]] = row
      queueTail[neigh] = row
      queueBytes[neigh] += truesize[row]
    }

    /** Lets a packet wait, for which the oldest ones may have to go. */
    function enqueue(cpu: number, neigh: number, row: number): void {
      while (queueBytes[neigh] + truesize[row] > parms.queueBytes[dev[neigh]]) {
        const oldest = takeQueued(neigh)
        if (oldest === 0) break
        unresDiscards[cpu]++
        kfree(cpu, oldest, DROP.neighQueueFull)
      }
      if (trace.on) trace.neighQueue(cpu, clockPs[cpu], row)
      append(neigh, row)
    }

    /** Source of a request about a packet's next hop; 0 packet: none waits. Kernel: net/ipv4/arp.c, arp_solicit */
    function requestSource(cpu: number, device: number, target: number, row: number): number {
      const at = net[cpu]
      const wanted = row === 0 ? 0 : saddr[row] | 0
      const isOwn = wanted !== 0 && fib.addressType(at, wanted, 0) === RTN.local
      if (isOwn && arpAnnounce[device] === 0) return wanted
      if (isOwn && arpAnnounce[device] === 1 && addresses.onlink(device, target, wanted)) return wanted
      return addresses.select(at, device, target, SCOPE.link)
    }

    /** Asks for a neighbour: the one known so far first, then everybody. Kernel: neigh_probe */
    function probe(cpu: number, neigh: number): void {
      const device = dev[neigh]
      const target = address[neigh] | 0
      const source = requestSource(cpu, device, target, queueTail[neigh])
      const isUnicast = probes[neigh] < parms.ucastProbes[device]
      const high = isUnicast ? macHigh[neigh] : 0xffff
      const low = isUnicast ? macLow[neigh] : 0xffffffff
      arp(cpu, ARPOP_REQUEST, device, source, target, high, low, 0, 0)
      probes[neigh]++
    }

    function transmit(cpu: number, neigh: number, row: number): number {
      skbHigh[row] = macHigh[neigh]
      skbLow[row] = macLow[neigh]
      return xmit(cpu, row)
    }

    /** True if a packet (0: none) may be sent now; else it waits or is gone. Kernel: __neigh_event_send */
    function eventSend(cpu: number, neigh: number, row: number): boolean {
      const now = jiffies(cpu)
      const device = dev[neigh]
      lastUsed[neigh] = now
      if ((state[neigh] & (CONNECTED | NUD.delay | NUD.probe)) !== 0) return true
      let isFirst = false
      if ((state[neigh] & (NUD.stale | NUD.incomplete)) === 0) {
        probes[neigh] = parms.ucastProbes[device]
        state[neigh] = NUD.incomplete
        updated[neigh] = now
        addTimer(cpu, neigh, now + Math.max(parms.retrans[device], least[cpu]))
        isFirst = true
      } else if (state[neigh] === NUD.stale) {
        state[neigh] = NUD.delay
        updated[neigh] = now
        addTimer(cpu, neigh, now + parms.delayProbe[device])
        return true
      }
      if (row !== 0) enqueue(cpu, neigh, row)
      if (isFirst) probe(cpu, neigh)
      return false
    }

    function output(cpu: number, neigh: number, row: number): number {
      if ((state[neigh] & CONNECTED) === 0 && !eventSend(cpu, neigh, row)) return 0
      return transmit(cpu, neigh, row)
    }

    /** Tells the senders of all waiting packets that the neighbour is not there. Kernel: neigh_invalidate */
    function invalidate(cpu: number, neigh: number): void {
      resFailed[cpu]++
      updated[neigh] = jiffies(cpu)
      while (state[neigh] === NUD.failed) {
        const row = takeQueued(neigh)
        if (row === 0) return
        icmp(cpu, row, ICMP_TYPE.destUnreach, ICMP_CODE.hostUnreach, 0)
        kfree(cpu, row, DROP.neighFailed)
      }
    }

    /** State after the timer of a reachable or delayed neighbour; returns the next jiffy to look. */
    function grow(cpu: number, neigh: number, now: number): number {
      const device = dev[neigh]
      if (state[neigh] === NUD.reachable) {
        const until = confirmed[neigh] + parms.reachable[device]
        if (now <= until) return until
        updated[neigh] = now
        state[neigh] = now <= lastUsed[neigh] + parms.delayProbe[device] ? NUD.delay : NUD.stale
        return now + parms.delayProbe[device]
      }
      if (state[neigh] === NUD.delay) {
        updated[neigh] = now
        if (now <= confirmed[neigh] + parms.delayProbe[device]) {
          state[neigh] = NUD.reachable
          return confirmed[neigh] + parms.reachable[device]
        }
        state[neigh] = NUD.probe
        probes[neigh] = 0
      }
      return now + Math.max(parms.retrans[device], least[cpu])
    }

    function maxProbes(neigh: number): number {
      const device = dev[neigh]
      const many = state[neigh] === NUD.probe ? parms.mcastReprobes[device] : parms.mcastProbes[device]
      return parms.ucastProbes[device] + many
    }

    /** Sends what has waited, now that the address is known. */
    function flush(cpu: number, neigh: number): void {
      while ((state[neigh] & VALID) !== 0) {
        const row = takeQueued(neigh)
        if (row === 0) return
        output(cpu, neigh, row)
      }
    }

    return {
      output,
      isValid: (neigh) => (state[neigh] & VALID) !== 0,
      ask(cpu, neigh) {
        eventSend(cpu, neigh, 0)
      },
      timer(cpu, neigh, sequence) {
        if (armed[neigh] === 0 || armSequence[neigh] !== sequence) return
        armed[neigh] = 0
        space.ofDevice(cpu, dev[neigh])
        if ((state[neigh] & IN_TIMER) === 0) return
        const now = jiffies(cpu)
        const at = grow(cpu, neigh, now)
        const isAsking = (state[neigh] & (NUD.incomplete | NUD.probe)) !== 0
        if (isAsking && probes[neigh] >= maxProbes(neigh)) {
          state[neigh] = NUD.failed
          invalidate(cpu, neigh)
          return
        }
        if ((state[neigh] & IN_TIMER) !== 0) addTimer(cpu, neigh, Math.max(at, now + least[cpu]))
        if (isAsking) probe(cpu, neigh)
      },
      update(cpu, neigh, high, low, wanted, override) {
        const old = state[neigh]
        if ((old & (NUD.noarp | NUD.permanent)) !== 0) return
        const now = jiffies(cpu)
        const isSame = (old & VALID) !== 0 && macHigh[neigh] === high && macLow[neigh] === low >>> 0
        let state_ = wanted
        if ((wanted & CONNECTED) !== 0) confirmed[neigh] = now
        if ((old & VALID) !== 0) {
          if (!isSame && !override) return
          if (isSame && wanted === NUD.stale) state_ = old
        }
        if (state_ !== old || !isSame) updated[neigh] = now
        if (state_ !== old) {
          armed[neigh] = 0
          if ((state_ & NUD.probe) !== 0) probes[neigh] = 0
          state[neigh] = state_
          if ((state_ & IN_TIMER) !== 0)
            addTimer(cpu, neigh, now + ((state_ & NUD.reachable) !== 0 ? parms.reachable[dev[neigh]] : 0))
        }
        if (!isSame) {
          macHigh[neigh] = high
          macLow[neigh] = low
          if ((state_ & CONNECTED) === 0) confirmed[neigh] = now - 2 * parms.baseReachable[dev[neigh]]
        }
        if (state_ !== old && (old & VALID) === 0) flush(cpu, neigh)
      },
    }
  },
)
