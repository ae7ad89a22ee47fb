import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { NF_HOOK, NfHook, NfHookEntry } from './components.js'
import { CTINFO, IPS, NfConn, SkbConn } from './conntrack-components.js'
import { natPacket } from './nf-nat-packet.js'
import { MANIP, natSetup } from './nf-nat-setup.js'
import { nftDoChain } from './nft-do-chain.js'
import { hookRow } from './plan-netfilter.js'

/** Translates a packet at a hook; false if a rule dropped it. */
export type NfNat = (cpu: number, row: number, hook: number, inDev: number, outDev: number) => boolean

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
    const { conn: connOf, info } = context.read(SkbConn)
    const { status } = context.read(NfConn)
    const { firstNat, nats } = context.read(NfHook)
    const { chain } = context.read(NfHookEntry)
    const { host } = context.read(Cpu)
    const spend = context.system(charge)
    const doChain = context.system(nftDoChain)
    const setUp = context.system(natSetup)
    const translate = context.system(natPacket)

    return (cpu, row, hook, inDev, outDev) => {
      const conn = connOf[row]
      if (conn === 0) return true
      spend(cpu, STAGE.nf_nat_inet_fn, 1)
      const manip = hook === NF_HOOK.postRouting || hook === NF_HOOK.localIn ? MANIP.source : MANIP.destination
      const done = manip === MANIP.source ? IPS.srcNatDone : IPS.dstNatDone
      const begins = info[row] === CTINFO.new || info[row] === CTINFO.related || info[row] === CTINFO.relatedReply
      if (begins && (status[conn] & done) === 0) {
        const at = hookRow(host[cpu], hook)
        const end = firstNat[at] + nats[at]
        for (let entry = firstNat[at]; entry < end && (status[conn] & done) === 0; entry++) {
          if (!doChain(cpu, row, chain[entry], inDev, outDev)) return false
        }
        if ((status[conn] & done) === 0) setUp.nothing(cpu, conn, manip)
      }
      translate(cpu, row, manip)
      return true
    }
  },
)
