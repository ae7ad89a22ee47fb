import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { PacketCount } from '../count/components.js'
import { counters } from '../count/counters.js'
import { DEVICE, GRO } from '../count/device.js'
import { DROP } from '../count/drops.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { PROGRAM_XMIT } from '../link/program-xmit.js'
import { NetDev } from '../nic/components.js'
import { pluginHook, XdpVerdict } from '../plugin/hooks.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { bpfProgRun } from './bpf-prog-run.js'
import { XDP } from './components.js'

/** Verdict after which the packet goes on. */
export const XDP_PASS = XDP.pass

/**
 * Both hooks return what became of the packet, as a verdict: unless it is `XDP.pass` the packet is gone, and if it is
 * at most `XDP.drop` it was lost (a redirect that failed returns `XDP.aborted`).
 */
export interface Xdp {
  /** In the driver, before there is an skb. Kernel: bpf_prog_run_xdp and the driver's switch on its result */
  native(cpu: number, device: number, row: number): number
  /** On an skb. Kernel: net/core/dev.c, do_xdp_generic, bpf_prog_run_generic_xdp */
  generic(cpu: number, device: number, row: number): number
}

/** Ethernet header with one VLAN tag, bytes: what a frame may exceed the MTU by. */
const LINK_BYTES = 18

/**
 * XDP: run the device's program and do what it says. DROP and ABORTED lose the frame, TX sends it back through the
 * port it came from, REDIRECT out of another port of the same MTU; a frame that does not fit there is lost.
 */
export const xdp = defineSystem<Xdp>(
  'xdp',
  'xdp',
  'net/core/dev.c, do_xdp_generic; net/core/filter.c, xdp_do_redirect',
  (context) => {
    const { frames, wireBytes, queue } = context.read(Skb)
    const { mtu, running } = context.read(NetDev)
    const { sent } = context.write(PacketCount)
    const { clockPs, packetPool } = context.read(Cpu)
    const { firstDevice } = context.resource(PLAN_CONSTANTS)
    const trace = context.resource(TRACE_SINK)
    const runProgram = context.system(bpfProgRun)
    const count = context.system(counters)
    const pay = context.system(charge)
    const pool = context.system(skbPool)
    const plugins = pluginHook(context, 'xdp')
    const action = plugins === null ? null : context.write(XdpVerdict).action
    const program = context.resource(PROGRAM_XMIT)
    const one = new Int32Array(1)

    /** The programs of plugins run behind the rules, on what those pass. */
    function runPlugins(cpu: number, row: number): number {
      if (plugins === null || action === null) return XDP.pass
      one[0] = row
      action[row] = XDP.pass
      plugins(one, 1, cpu)
      return action[row]
    }

    function run(cpu: number, device: number, row: number): number {
      pay(cpu, STAGE.xdp, 1)
      let verdict = runProgram(device, row)
      if (plugins !== null && verdict === XDP.pass) verdict = runPlugins(cpu, row)
      if (verdict === XDP.pass) count.gro(cpu, GRO.xdpPass, 1)
      else if (verdict === XDP.drop) count.gro(cpu, GRO.xdpDrop, 1)
      else if (verdict === XDP.tx) count.gro(cpu, GRO.xdpTx, 1)
      else if (verdict === XDP.redirect) count.gro(cpu, GRO.xdpRedirect, 1)
      else count.gro(cpu, GRO.xdpAborted, 1)
      return verdict
    }

    /** xdp_ok_fwd_dev: the port is up and the frame fits its MTU. */
    function canLeave(device: number, row: number): boolean {
      return running[device] !== 0 && wireBytes[row] <= mtu[device] + LINK_BYTES
    }

    function send(cpu: number, row: number): void {
      sent[cpu] += frames[row]
      if (trace.on) trace.sent(cpu, clockPs[cpu], row)
      pool.release(row, packetPool[cpu])
    }

    function lose(cpu: number, row: number, drop: number): void {
      count.drop(cpu, drop, frames[row], clockPs[cpu])
      pool.release(row, packetPool[cpu])
    }

    return {
      native(cpu, device, row) {
        const verdict = run(cpu, device, row)
        if (verdict === XDP.pass) return verdict
        if (verdict === XDP.tx || (verdict === XDP.redirect && canLeave(device, row))) {
          send(cpu, row)
          return verdict
        }
        // No skb exists yet, so tools that watch kfree_skb see nothing of it.
        const drop = verdict === XDP.redirect ? DROP.xdpRedirect : DROP.xdpNative
        if (trace.on) trace.frameDrop(cpu, clockPs[cpu], row, drop, queue[row])
        lose(cpu, row, drop)
        return verdict === XDP.redirect ? XDP.aborted : verdict
      },
      generic(cpu, device, row) {
        // The program needs 256 bytes in front of a linear packet, more than skbs have: the whole of it is copied.
        pay(cpu, STAGE.clean_rx_byte, wireBytes[row])
        const verdict = run(cpu, device, row)
        if (verdict === XDP.pass) return verdict
        if (verdict === XDP.tx || (verdict === XDP.redirect && canLeave(device, row))) {
          count.device(device - firstDevice, cpu, DEVICE.txPackets, 1)
          count.device(device - firstDevice, cpu, DEVICE.txBytes, wireBytes[row])
          if (verdict === XDP.tx) program.reflect?.(row)
          send(cpu, row)
          return verdict
        }
        const drop = verdict === XDP.redirect ? DROP.xdpRedirect : DROP.xdpGeneric
        if (trace.on) trace.kfreeSkb(cpu, clockPs[cpu], row, drop)
        lose(cpu, row, drop)
        return verdict === XDP.redirect ? XDP.aborted : verdict
      },
    }
  },
)
