import { defineSystem } from '@softnet/ecs'
import { costProfile } from '@softnet/scenario/plan'
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { STAGE } from '../cpu/stage-ids.js'
import { Skb } from '../skb/components.js'
import { chargeCycles } from './charge-cycles.js'
import { CTINFO, IPS, NfConn, SkbConn } from './conntrack-components.js'
import { MANIP } from './nf-nat-setup.js'

/** Writes the translated address and port into the headers of a packet, where its connection has any. */
export type NatPacket = (cpu: number, row: number, manip: number) => void

/** Changes the columns of a packet as its connection says. Kernel: net/netfilter/nf_nat_core.c, nf_nat_packet */
export const natPacket = defineSystem<NatPacket>(
  'nf_nat_packet',
  'netfilter',
  'net/netfilter/nf_nat_core.c, nf_nat_packet',
  (context) => {
    const skb = context.write(Skb)
    const { ipWord } = context.read(Skb)
    const { conn: connOf, info } = context.read(SkbConn)
    const c = context.read(NfConn)
    const spend = context.system(chargeCycles)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const cycles = costProfile(plan.profile).netfilter.nat_manip.cycles

    return (cpu, row, manip) => {
      const conn = connOf[row]
      const isReply = info[row] === CTINFO.establishedReply || info[row] === CTINFO.relatedReply
      // What is the source of the one direction is the destination of the other.
      const bit = (manip === MANIP.source) !== isReply ? IPS.srcNat : IPS.dstNat
      if ((c.status[conn] & bit) === 0) return
      spend(cpu, STAGE.nf_nat_inet_fn, cycles)
      // The other direction's tuple turned round is what the packet becomes.
      const otherSaddr = isReply ? c.saddr[conn] : c.replySaddr[conn]
      const otherDaddr = isReply ? c.daddr[conn] : c.replyDaddr[conn]
      const otherPorts = isReply ? c.ports[conn] : c.replyPorts[conn]
      if (manip === MANIP.source) skb.saddr[row] = otherDaddr
      else skb.daddr[row] = otherSaddr
      const protocol = ipWord[row] & 255
      if (info[row] === CTINFO.related || info[row] === CTINFO.relatedReply) return
      const ports = skb.ports[row]
      if (protocol === IPPROTO_UDP || protocol === IPPROTO_TCP) {
        skb.ports[row] =
          manip === MANIP.source
            ? (((otherPorts & 0xffff) << 16) | (ports & 0xffff)) >>> 0
            : ((ports & 0xffff0000) | (otherPorts >>> 16)) >>> 0
      } else if (protocol === IPPROTO_ICMP) skb.ports[row] = (otherPorts & 0xffff0000) >>> 0
    }
  },
)
