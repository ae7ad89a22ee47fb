import { defineSystem, eventList, mix32, streamKey } from '@softnet/ecs'
import { ARP_LEN, ARPOP_REPLY, ARPOP_REQUEST } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { devNet } from '../netns/dev-net.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { InDev } from '../route/components.js'
import { fibLookup } from '../route/fib-lookup.js'
import { ifAddrs } from '../route/ifaddr.js'
import { ipRouteInput } from '../route/ip-route-input.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult } from '../route/route-result.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { arpSend } from './arp-send.js'
import { Neighbour, NeighParms, NeighTable } from './components.js'
import { neighLookup } from './neigh-lookup.js'
import { neighbours } from './neighbour.js'

/** What happens to ARP messages. */
export interface ArpRcv {
  /** Takes a message that came in and ends it. Kernel: net/ipv4/arp.c, arp_rcv */
  receive(cpu: number, row: number): void
  /** Answers a request for somebody else that has waited. Kernel: net/ipv4/arp.c, parp_redo */
  redo(cpu: number, row: number): void
}

const ARPHRD_ETHER = 1
const ARPHRD_IEEE802 = 6
const HARDWARE_BYTES = 6
const PURPOSE = 0x61727070

/** What is left to do with a request. */
const CONSUME = 0
const UPDATE = 1
const WAIT = 2

/** ARP: who is asked answers and learns. Kernel: net/ipv4/arp.c, arp_process */
export const arpRcv = defineSystem<ArpRcv>('arp_rcv', 'neigh', 'net/ipv4/arp.c, arp_process', (context) => {
  const { DROP, ETH_P_IP, EVENT, IFF, NUD, PACKET_TYPE, RTN, SCOPE, SNMP } = NUMBERS

  const { saddr, daddr, ipWord } = context.write(Skb)
  const { dev, packetType, len, page, rtType, rtDev } = context.read(Skb)
  const { iff } = context.read(NetDev)
  const conf = context.read(InDev)
  const parms = context.read(NeighParms)
  const table = context.write(NeighTable)
  const { updated } = context.read(Neighbour)
  const { state } = context.write(Neighbour)
  const result = context.read(RouteResult)
  const { clockPs, home, net } = context.read(Cpu)
  const { jiffyPs, plan } = context.resource(PLAN_CONSTANTS)
  const bytes = context.system(skbBytes)
  const count = context.system(counters)
  const kfree = context.system(kfreeSkb)
  const consume = context.system(consumeSkb)
  const route = context.system(ipRouteInput)
  const routeOut = context.system(ipRouteOutput)
  const fib = context.system(fibLookup)
  const addresses = context.system(ifAddrs)
  const send = context.system(arpSend)
  const lookup = context.system(neighLookup)
  const neigh = context.system(neighbours)
  const events = context.system(eventList)
  const space = context.system(devNet)
  const [keyLow, keyHigh] = streamKey(plan.seed, 0, PURPOSE)

  function jiffies(cpu: number): number {
    return Math.floor(clockPs[cpu] / jiffyPs[cpu])
  }

  /** True if a request for one of our addresses gets no answer. Kernel: net/ipv4/arp.c, arp_ignore */
  function ignores(cpu: number, device: number, source: number, target: number): boolean {
    const at = net[cpu]
    switch (conf.arpIgnore[device]) {
      case 1:
        return !addresses.confirm(at, device, 0, target, SCOPE.host)
      case 2:
        return !addresses.confirm(at, device, source, target, SCOPE.host)
      case 3:
        return !addresses.confirm(at, 0, 0, target, SCOPE.link)
      case 8:
        return true
      default:
        return false
    }
  }

  /** True if our way to the sender is another device. Kernel: net/ipv4/arp.c, arp_filter */
  function filters(cpu: number, device: number, source: number, target: number): boolean {
    if (conf.arpFilter[device] === 0) return false
    if (routeOut.find(cpu, source, target, 0, 0) < 0) return true
    if (result.dev[cpu] === device) return false
    count.snmp(cpu, SNMP.TcpExtArpFilter, 1)
    return true
  }

  function reply(cpu: number, row: number, source: number, target: number): void {
    const high = bytes.u16(row, 8)
    const low = bytes.u32(row, 10)
    send(cpu, ARPOP_REPLY, dev[row], target, source, high, low, high, low)
  }

  /** A neighbour, made if it is not known; groups and broadcasts need no asking. Kernel: net/ipv4/arp.c, arp_constructor */
  function neighbour(cpu: number, device: number, source: number): number {
    const found = lookup.lookup(cpu, source, device) || lookup.create(cpu, source, device)
    if (found === 0 || state[found] !== NUD.none) return found
    const type = fib.addressType(net[cpu], source, 0)
    if (type === RTN.broadcast || type === RTN.multicast) state[found] = NUD.noarp
    return found
  }

  /** Takes over what a message says of its sender. Kernel: net/core/neighbour.c, neigh_update */
  function update(cpu: number, row: number, found: number, wanted: number, override: boolean): void {
    if (state[found] === NUD.noarp) return
    neigh.update(cpu, found, bytes.u16(row, 8), bytes.u32(row, 10), wanted, override)
  }

  /** Learns the sender of a request. Kernel: net/core/neighbour.c, neigh_event_ns */
  function learn(cpu: number, row: number, source: number): boolean {
    const found = neighbour(cpu, dev[row], source)
    if (found !== 0) update(cpu, row, found, NUD.stale, true)
    return found !== 0
  }

  /** Whether a request for somebody else is answered on his behalf. */
  function isProxied(row: number, source: number, target: number): boolean {
    const device = dev[row]
    if (conf.forwarding[device] === 0 || rtType[row] !== RTN.unicast) return false
    if (rtDev[row] !== device) return conf.proxyArp[device] !== 0
    return source !== target && conf.proxyArpPvlan[device] !== 0
  }

  /** Lets a request wait for a random time. Kernel: net/core/neighbour.c, pneigh_enqueue */
  function enqueue(cpu: number, row: number): void {
    const device = dev[row]
    const t = home[cpu]
    if (table.proxyQueued[t] > parms.proxyQlen[device]) {
      kfree(cpu, row, DROP.proxyQueueFull)
      return
    }
    const word = mix32(keyLow ^ table.drawn[t], keyHigh + t)
    table.drawn[t]++
    table.proxyQueued[t]++
    const wait = Math.floor((word * parms.proxyDelay[device]) / 4294967296)
    events.push(cpu, cpu, (jiffies(cpu) + Math.max(1, wait)) * jiffyPs[cpu], EVENT.proxyArp, row, 0, 0)
  }

  /** Whether a message is one that nobody asked for. Kernel: net/ipv4/arp.c, arp_is_garp */
  function isGratuitous(cpu: number, row: number, op: number, source: number, target: number): boolean {
    if (source !== target) return false
    const isSame = bytes.u16(row, 18) === bytes.u16(row, 8) && bytes.u32(row, 20) === bytes.u32(row, 10)
    if (op === ARPOP_REPLY && !isSame) return false
    return fib.addressType(net[cpu], source, 0) === RTN.unicast
  }

  function accepts(cpu: number, device: number, source: number): boolean {
    const accept = conf.arpAccept[device]
    return accept === 1 || (accept === 2 && addresses.confirm(net[cpu], device, source, 0, SCOPE.link))
  }

  /** Brings an entry up to date, or makes one where that is allowed. */
  function updateEntry(cpu: number, row: number, op: number, source: number, target: number): void {
    const device = dev[row]
    let found = lookup.lookup(cpu, source, device)
    const accept = accepts(cpu, device, source)
    const gratuitous = (found !== 0 || accept) && isGratuitous(cpu, row, op, source, target)
    if (found === 0 && accept) {
      const isReply = op === ARPOP_REPLY && fib.addressType(net[cpu], source, 0) === RTN.unicast
      if (gratuitous || isReply) found = neighbour(cpu, device, source)
    }
    if (found === 0) return
    const override = gratuitous || jiffies(cpu) > updated[found] + parms.locktime[device]
    const isReachable = op === ARPOP_REPLY && packetType[row] === PACKET_TYPE.host
    update(cpu, row, found, isReachable ? NUD.reachable : NUD.stale, override)
  }

  /** Handles a request and says what is left to do with it. */
  function request(cpu: number, row: number, source: number, target: number, isLate: boolean): number {
    const device = dev[row]
    saddr[row] = source
    daddr[row] = target
    ipWord[row] = 0
    if (route(cpu, row, target) < 0) return UPDATE
    if (rtType[row] === RTN.local) {
      const isMute = ignores(cpu, device, source, target) || filters(cpu, device, source, target)
      if (!isMute && learn(cpu, row, source)) reply(cpu, row, source, target)
      return CONSUME
    }
    if (!isProxied(row, source, target)) return UPDATE
    learn(cpu, row, source)
    if (!isLate && packetType[row] !== PACKET_TYPE.host && parms.proxyDelay[device] !== 0) return WAIT
    reply(cpu, row, source, target)
    return CONSUME
  }

  /** True if a message is one that is not looked at further. */
  function isRefused(row: number, op: number, source: number, target: number): boolean {
    const hardware = bytes.u16(row, 0)
    if (hardware !== ARPHRD_ETHER && hardware !== ARPHRD_IEEE802) return true
    if (bytes.u16(row, 2) !== ETH_P_IP || (op !== ARPOP_REQUEST && op !== ARPOP_REPLY)) return true
    if (target >>> 28 === 14) return true
    const device = dev[row]
    if (conf.routeLocalnet[device] === 0 && target >>> 24 === 127) return true
    return source === target && conf.dropGratuitousArp[device] !== 0
  }

  function process(cpu: number, row: number, isLate: boolean): void {
    const op = bytes.u16(row, 6)
    const source = bytes.u32(row, 14) | 0
    const target = bytes.u32(row, 24) | 0
    if (isRefused(row, op, source, target)) {
      kfree(cpu, row, DROP.arpRefused)
      return
    }
    if (source === 0) {
      // Somebody wants to know whether the address is free (RFC 2131).
      const isOurs = op === ARPOP_REQUEST && fib.addressType(net[cpu], target, 0) === RTN.local
      if (isOurs && !ignores(cpu, dev[row], source, target)) reply(cpu, row, source, target)
      consume(cpu, row)
      return
    }
    const then = op === ARPOP_REQUEST ? request(cpu, row, source, target, isLate) : UPDATE
    if (then === WAIT) {
      enqueue(cpu, row)
      return
    }
    if (then === UPDATE) updateEntry(cpu, row, op, source, target)
    consume(cpu, row)
  }

  return {
    receive(cpu, row) {
      const type = packetType[row]
      const isElse = type === PACKET_TYPE.otherhost || type === PACKET_TYPE.loopback
      const isIgnored = (iff[dev[row]] & IFF.noarp) !== 0 || isElse
      if (isIgnored) consume(cpu, row)
      else if (len[row] < ARP_LEN) kfree(cpu, row, DROP.arpShort)
      // Without bytes there is nothing to read: the kernel takes the frame.
      else if (page[row] === 0) consume(cpu, row)
      else if (bytes.u8(row, 4) !== HARDWARE_BYTES || bytes.u8(row, 5) !== 4) kfree(cpu, row, DROP.arpFormat)
      else process(cpu, row, false)
    },
    redo(cpu, row) {
      table.proxyQueued[home[cpu]]--
      space.ofDevice(cpu, dev[row])
      process(cpu, row, true)
    },
  }
})
