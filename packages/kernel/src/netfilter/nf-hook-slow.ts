import { defineSystem } from '@softnet/ecs'
import { DROP } from '../count/drops.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { SKB, Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { NF_ENTRY, NF_HOOK, NfCpu, NfHook, NfHookEntry, SkbNf } from './components.js'
import { nfConntrackConfirm } from './nf-conntrack-confirm.js'
import { nfConntrackIn } from './nf-conntrack-in.js'
import { nfNat } from './nf-nat.js'
import { nftDoChain } from './nft-do-chain.js'
import { NO_DEVICE } from './nft-payload.js'
import { hookRow } from './plan-netfilter.js'

/** Ways through a hook. */
export interface NfHooks {
  /**
   * Packets of a list at a receive hook: `ids[0 … count − 1]` in order on a CPU. Survivors are moved to the front and
   * counted; the others are freed. Kernel: net/netfilter/core.c, nf_hook_slow_list
   */
  list(hook: number, ids: Int32Array, count: number, cpu: number): number
  /** One packet between two devices (`NO_DEVICE`: none); false if it was dropped and freed. */
  one(hook: number, cpu: number, row: number, inDev: number, outDev: number): boolean
  /** The packets of a list have left the stack: connections that were not confirmed end. */
  end(cpu: number): void
}

const PASS = -1

/** Calls the entries of a hook in order of their priorities. Kernel: net/netfilter/core.c, nf_hook_slow */
export const nfHookSlow = defineSystem<NfHooks>(
  'nf_hook_slow',
  'netfilter',
  'net/netfilter/core.c, nf_hook_slow',
  (context) => {
    const { firstEntry, entries } = context.read(NfHook)
    const { kind, chain } = context.read(NfHookEntry)
    const { packets } = context.write(NfCpu)
    const { mark } = context.write(SkbNf)
    const { dev, flags } = context.read(Skb)
    const { rtFlags } = context.write(Skb)
    const { host } = context.read(Cpu)
    const spend = context.system(charge)
    const kfree = context.system(kfreeSkb)
    const doChain = context.system(nftDoChain)
    const track = context.system(nfConntrackIn)
    const confirm = context.system(nfConntrackConfirm)
    const nat = context.system(nfNat)

    /** Drop place of a packet, or −1. */
    function call(entry: number, hook: number, cpu: number, row: number, inDev: number, outDev: number): number {
      switch (kind[entry]) {
        case NF_ENTRY.chain:
          return doChain(cpu, row, chain[entry], inDev, outDev) ? PASS : DROP.nftDrop
        case NF_ENTRY.conntrack:
          return track(cpu, row, hook === NF_HOOK.preRouting) ? PASS : DROP.hookDrop
        case NF_ENTRY.nat:
          return nat(cpu, row, hook, inDev, outDev) ? PASS : DROP.nftDrop
        default:
          return confirm.packet(cpu, row) ? PASS : DROP.hookDrop
      }
    }

    function pass(hook: number, cpu: number, row: number, inDev: number, outDev: number): number {
      const at = hookRow(host[cpu], hook)
      packets[cpu]++
      spend(cpu, STAGE.nf_hook_slow, 1)
      const end = firstEntry[at] + entries[at]
      for (let entry = firstEntry[at]; entry < end; entry++) {
        const drop = call(entry, hook, cpu, row, inDev, outDev)
        if (drop >= 0) return drop
      }
      return PASS
    }

    /** What an earlier packet left in the row is gone when the stack sees a new one. */
    function reset(ids: Int32Array, count: number, cpu: number): void {
      for (let i = 0; i < count; i++) {
        mark[ids[i]] = 0
        // A packet that the host sent to itself has its route still, others have none before they are routed.
        if ((flags[ids[i]] & SKB.looped) === 0) rtFlags[ids[i]] = 0
      }
      confirm.begin(ids, count, cpu)
    }

    return {
      list(hook, ids, count, cpu) {
        if (hook === NF_HOOK.preRouting) reset(ids, count, cpu)
        if (entries[hookRow(host[cpu], hook)] === 0) return count
        let kept = 0
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          const drop = pass(hook, cpu, row, dev[row], NO_DEVICE)
          if (drop >= 0) kfree(cpu, row, drop)
          else ids[kept++] = row
        }
        return kept
      },
      one(hook, cpu, row, inDev, outDev) {
        if (entries[hookRow(host[cpu], hook)] === 0) return true
        const drop = pass(hook, cpu, row, inDev, outDev)
        if (drop < 0) return true
        kfree(cpu, row, drop)
        return false
      },
      end(cpu) {
        confirm.end(cpu)
      },
    }
  },
)
