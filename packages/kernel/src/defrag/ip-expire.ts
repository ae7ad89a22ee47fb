import { defineSystem } from '@softnet/ecs'
import { ICMP_EXC_FRAGTIME, ICMP_TIME_EXCEEDED } from '@softnet/wire'
import { counters } from '../count/counters.js'
import { DROP } from '../count/drops.js'
import { SNMP } from '../count/snmp.js'
import { charge } from '../cpu/charge.js'
import { STAGE } from '../cpu/stage-ids.js'
import { icmpSend } from '../icmp/icmp-send.js'
import { devNet } from '../netns/dev-net.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { FRAG_QUEUE, FragQueue } from './components.js'
import { fragTimers } from './frag-timer.js'
import { inetFrags } from './inet-frag-find.js'

/** Ends one queue of the CPU whose time is over; false if there is none. */
export type IpExpire = (cpu: number) => boolean

/**
 * The timer of a reassembly queue: all that is held is lost, and the sender is told if the first fragment is there to be
 * quoted. Kernel: net/ipv4/ip_fragment.c, ip_expire
 */
export const ipExpire = defineSystem<IpExpire>(
  'ip_expire',
  'defrag',
  'net/ipv4/ip_fragment.c, ip_expire',
  (context) => {
    const { ipWord, truesize } = context.read(Skb)
    const { len, next, fragNextRun } = context.write(Skb)
    const { firstRun, flags } = context.write(FragQueue)
    const { host: net } = context.read(FragQueue)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const icmp = context.system(icmpSend)
    const timers = context.system(fragTimers)
    const table = context.system(inetFrags)
    const space = context.system(devNet)

    /** Takes the first fragment out of its queue. Kernel: net/ipv4/inet_fragment.c, inet_frag_pull_head */
    function pullHead(queue: number): number {
      const head = firstRun[queue]
      const following = next[head]
      firstRun[queue] = following === 0 ? fragNextRun[head] : following
      if (following !== 0) fragNextRun[following] = fragNextRun[head]
      next[head] = 0
      table.account(queue, -truesize[head])
      return head
    }

    /** The place where ICMP time exceeded, code 1, is sent: it quotes the first fragment, from its IP header on. */
    function tellSender(cpu: number, head: number): void {
      len[head] += ((ipWord[head] >>> 24) & 15) * 4
      spend(cpu, STAGE.ip_route_input, 1)
      icmp(cpu, head, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0)
    }

    return (cpu) => {
      const queue = timers.due(cpu)
      if (queue === 0) return false
      spend(cpu, STAGE.ip_expire, 1)
      space.of(cpu, net[queue])
      table.kill(queue)
      count.snmp(cpu, SNMP.IpReasmFails, 1)
      count.snmp(cpu, SNMP.IpReasmTimeout, 1)
      if ((flags[queue] & FRAG_QUEUE.firstIn) !== 0) {
        const head = pullHead(queue)
        tellSender(cpu, head)
        kfree(cpu, head, DROP.fragTimeoutHead)
      }
      table.destroy(cpu, queue, DROP.fragTimeout)
      return true
    }
  },
)
