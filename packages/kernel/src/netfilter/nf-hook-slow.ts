import { defineSystem } from '@softnet/ecs'
import type { Plan } from '@softnet/scenario/plan'
import { IP_MF, IP_OFFSET } from '@softnet/wire'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { ipDefrag } from '../defrag/ip-defrag.js'
import { bindNetRow } from '../netns/net-row.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { NfCpu, NfHook, NfHookEntry, SkbNf } from './components.js'
import { nfConntrackConfirm } from './nf-conntrack-confirm.js'
import { nfConntrackIn } from './nf-conntrack-in.js'
import { nfNat } from './nf-nat.js'
import { nftDoChain } from './nft-do-chain.js'
import { hookRow } from './plan-netfilter.js'

/** Ways through a hook. */
export interface NfHooks {
  /**
   * Packets of a list at a receive hook: `ids[0 … count − 1]` in order on a CPU. Survivors are moved to the front and
   * counted; the others are freed. Kernel: net/netfilter/core.c, nf_hook_slow_list
   */
  list(hook: number, ids: Int32Array, count: number, cpu: number): number
  /** A packet that the host has made, before its first hook: what an earlier packet left in the row goes. `of`: it answers that one, 0 none. */
  begin(cpu: number, row: number, of: number): void
  /** A clone belongs to the connection of the packet it was made of. */
  clone(cpu: number, copy: number, row: number): void
  /** One packet between two devices (`NO_DEVICE`: none); false if it was dropped and freed. */
  one(hook: number, cpu: number, row: number, inDev: number, outDev: number): boolean
  /** The packets of a list have left the stack: connections that were not confirmed end. */
  end(cpu: number): void
}

/** Whether any host of a plan has rules: without them no packet pays for hooks. */
export function hasRules(plan: Plan): boolean {
  return plan.hosts.some(
    (host) => (host.nftables ?? null) !== null || (host.netns ?? []).some(({ nftables }) => nftables !== null),
  )
}

const PASS = -1
/** A fragment that waits for the others. */
const HELD = -2
const FRAGMENT = IP_MF | IP_OFFSET

/** Calls the entries of a hook in order of their priorities. Kernel: net/netfilter/core.c, nf_hook_slow */
export const nfHookSlow = defineSystem<NfHooks>(
  'nf_hook_slow',
  'netfilter',
  'net/netfilter/core.c, nf_hook_slow',
  (context) => {
    const { DROP, NF_ENTRY, NF_HOOK, NO_DEVICE, SKB, STAGE } = NUMBERS

    const { firstEntry, entries } = context.read(NfHook)
    const { kind, chain } = context.read(NfHookEntry)
    const { packets } = context.write(NfCpu)
    const netRowOf = bindNetRow(context)
    const { mark } = context.write(SkbNf)
    const { dev, flags } = context.read(Skb)
    const { rtFlags } = context.write(Skb)
    const { idFrag } = context.read(Skb)
    const { flags: skbFlags } = context.write(Skb)
    const { net } = context.read(Cpu)
    const spend = context.system(charge)
    const kfree = context.system(kfreeSkb)
    const doChain = context.system(nftDoChain)
    const track = context.system(nfConntrackIn)
    const confirm = context.system(nfConntrackConfirm)
    const nat = context.system(nfNat)
    const defragment = context.system(ipDefrag)
    /** Row that passes: reassembly makes one of several. */
    let passing = 0

    /** Kernel: net/ipv4/netfilter/nf_defrag_ipv4.c, ipv4_conntrack_defrag */
    function defrag(cpu: number, row: number): number {
      if ((idFrag[row] & FRAGMENT) === 0) return PASS
      const whole = defragment(cpu, row)
      if (whole === 0) return HELD
      skbFlags[whole] |= SKB.ignoreDf
      passing = whole
      return PASS
    }

    /** Drop place of a packet, or −1. */
    function call(entry: number, hook: number, cpu: number, row: number, inDev: number, outDev: number): number {
      switch (kind[entry]) {
        case NF_ENTRY.chain:
          return doChain(cpu, row, chain[entry], inDev, outDev) ? PASS : DROP.nftDrop
        case NF_ENTRY.conntrack:
          return track(cpu, row, hook === NF_HOOK.preRouting) ? PASS : DROP.hookDrop
        case NF_ENTRY.nat:
          return nat(cpu, row, hook, inDev, outDev)
        case NF_ENTRY.defrag:
          return defrag(cpu, row)
        default:
          return confirm.packet(cpu, row) ? PASS : DROP.hookDrop
      }
    }

    function pass(hook: number, cpu: number, row: number, inDev: number, outDev: number): number {
      const at = hookRow(net[cpu], hook)
      packets[netRowOf(cpu)]++
      spend(cpu, STAGE.nf_hook_slow, 1)
      const last = firstEntry[at] + entries[at]
      let current = row
      for (let entry = firstEntry[at]; entry < last; entry++) {
        passing = current
        const drop = call(entry, hook, cpu, current, inDev, outDev)
        if (drop !== PASS) {
          // An answer that was sent meanwhile has been here too.
          passing = current
          return drop
        }
        current = kind[entry] === NF_ENTRY.defrag ? passing : current
      }
      passing = current
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

    /** A packet ends here, and with it a connection that it has begun. */
    function end(cpu: number, drop: number): void {
      const row = passing
      confirm.drop(cpu, row)
      kfree(cpu, row, drop)
    }

    return {
      begin(cpu, row, of) {
        mark[row] = 0
        confirm.start(cpu, row)
        if (of !== 0) confirm.attach(row, of)
      },
      clone(_cpu, copy, row) {
        mark[copy] = mark[row]
        confirm.clone(copy, row)
      },
      list(hook, ids, count, cpu) {
        if (hook === NF_HOOK.preRouting) reset(ids, count, cpu)
        if (entries[hookRow(net[cpu], hook)] === 0) return count
        let kept = 0
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          const drop = pass(hook, cpu, row, dev[row], NO_DEVICE)
          if (drop >= 0) end(cpu, drop)
          else if (drop === PASS) ids[kept++] = passing
        }
        return kept
      },
      one(hook, cpu, row, inDev, outDev) {
        if (entries[hookRow(net[cpu], hook)] === 0) return true
        const drop = pass(hook, cpu, row, inDev, outDev)
        if (drop < 0) return true
        end(cpu, drop)
        return false
      },
      end(cpu) {
        confirm.end(cpu)
      },
    }
  },
)
