import { defineSystem } from '@softnet/ecs'
import { DROP } from '../count/drops.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { NF_HOOK, NfCpu, NfHook, NfHookEntry, SkbNf } from './components.js'
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
}

/** Calls the entries of a hook in order of their priorities. Kernel: net/netfilter/core.c, nf_hook_slow */
export const nfHookSlow = defineSystem<NfHooks>(
  'nf_hook_slow',
  'netfilter',
  'net/netfilter/core.c, nf_hook_slow',
  (context) => {
    const { firstEntry, entries } = context.read(NfHook)
    const { chain } = context.read(NfHookEntry)
    const { packets } = context.write(NfCpu)
    const { mark } = context.write(SkbNf)
    const { dev } = context.read(Skb)
    const { host } = context.read(Cpu)
    const spend = context.system(charge)
    const kfree = context.system(kfreeSkb)
    const doChain = context.system(nftDoChain)

    /** Drop place of a packet, or −1. */
    function pass(at: number, cpu: number, row: number, inDev: number, outDev: number): number {
      packets[cpu]++
      spend(cpu, STAGE.nf_hook_slow, 1)
      const end = firstEntry[at] + entries[at]
      for (let entry = firstEntry[at]; entry < end; entry++) {
        if (!doChain(cpu, row, chain[entry], inDev, outDev)) return DROP.nftDrop
      }
      return -1
    }

    return {
      list(hook, ids, count, cpu) {
        const at = hookRow(host[cpu], hook)
        // What an earlier packet left in the row is gone when the stack sees a new one.
        if (hook === NF_HOOK.preRouting) for (let i = 0; i < count; i++) mark[ids[i]] = 0
        if (entries[at] === 0) return count
        let kept = 0
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          const drop = pass(at, cpu, row, dev[row], NO_DEVICE)
          if (drop >= 0) kfree(cpu, row, drop)
          else ids[kept++] = row
        }
        return kept
      },
      one(hook, cpu, row, inDev, outDev) {
        const at = hookRow(host[cpu], hook)
        if (entries[at] === 0) return true
        const drop = pass(at, cpu, row, inDev, outDev)
        if (drop < 0) return true
        kfree(cpu, row, drop)
        return false
      },
    }
  },
)
