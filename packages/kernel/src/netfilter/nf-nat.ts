import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { fibLookup } from '../route/fib-lookup.js'
import { Flow } from '../route/flow.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { skbDstSet } from '../route/route-result.js'
import { Skb } from '../skb/components.js'
import { NfHook, NfHookEntry, SkbNf } from './components.js'
import { NfConn, SkbConn } from './conntrack-components.js'
import { natPacket } from './nf-nat-packet.js'
import { natSetup } from './nf-nat-setup.js'
import { nftDoChain } from './nft-do-chain.js'
import { hookRow } from './plan-netfilter.js'

/** Translates a packet at a hook; −1, or the drop place. */
export type NfNat = (cpu: number, row: number, hook: number, inDev: number, outDev: number) => number

/**
 * Lets the chains of type nat decide about the first packet of a connection, and translates every packet of it. Sources
 * are translated at POST_ROUTING and LOCAL_IN, destinations at PRE_ROUTING and LOCAL_OUT.
 * Kernel: net/netfilter/nf_nat_core.c, nf_nat_inet_fn
 */
export const nfNat = defineSystem<NfNat>(
  'nf_nat_inet_fn',
  'netfilter',
  'net/netfilter/nf_nat_core.c, nf_nat_inet_fn',
  (context) => {
    const { CTINFO, DROP, IPPROTO_ICMP, IPS, MANIP, NF_HOOK, RTN, STAGE } = NUMBERS

    const { conn: connOf, info } = context.read(SkbConn)
    const { status } = context.read(NfConn)
    const { firstNat, nats } = context.read(NfHook)
    const { chain } = context.read(NfHookEntry)
    const { net } = context.read(Cpu)
    const { saddr, daddr, ipWord } = context.read(Skb)
    const fib = context.system(fibLookup)
    const route = context.system(ipRouteOutput)
    const { mark: marks } = context.read(SkbNf)
    const flow = new Flow()
    const setDst = context.system(skbDstSet)
    const spend = context.system(charge)
    const doChain = context.system(nftDoChain)
    const setUp = context.system(natSetup)
    const translate = context.system(natPacket)

    /** The way to the new destination. Kernel: net/ipv4/netfilter.c, ip_route_me_harder */
    function reroute(cpu: number, row: number): boolean {
      const isOurs = fib.addressType(net[cpu], saddr[row] | 0, 0) === RTN.local
      flow.set(0, marks[row], 0, 0, 0)
      if (route.find(cpu, daddr[row] | 0, isOurs ? saddr[row] | 0 : 0, (ipWord[row] >>> 8) & 255, 0, flow) < 0)
        return false
      setDst(cpu, row)
      return true
    }

    return (cpu, row, hook, inDev, outDev) => {
      const conn = connOf[row]
      if (conn === 0) return -1
      spend(cpu, STAGE.nf_nat_inet_fn, 1)
      const manip = hook === NF_HOOK.postRouting || hook === NF_HOOK.localIn ? MANIP.source : MANIP.destination
      const done = manip === MANIP.source ? IPS.srcNatDone : IPS.dstNatDone
      const isError = (ipWord[row] & 255) === IPPROTO_ICMP && info[row] !== CTINFO.new
      const isRelated = info[row] === CTINFO.related || info[row] === CTINFO.relatedReply
      const begins = info[row] === CTINFO.new || (isRelated && !isError)
      if (begins && (status[conn] & done) === 0) {
        const at = hookRow(net[cpu], hook)
        const end = firstNat[at] + nats[at]
        for (let entry = firstNat[at]; entry < end && (status[conn] & done) === 0; entry++) {
          if (!doChain(cpu, row, chain[entry], inDev, outDev)) return DROP.nftDrop
        }
        if ((status[conn] & done) === 0) setUp.nothing(cpu, conn, manip)
      }
      const daddrBefore = daddr[row]
      if (!translate(cpu, row, manip)) return DROP.hookDrop
      if (hook !== NF_HOOK.localOut || daddr[row] === daddrBefore) return -1
      return reroute(cpu, row) ? -1 : DROP.hookDrop
    }
  },
)
