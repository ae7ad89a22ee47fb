import { defineSystem } from '@softnet/ecs'
import { FAULT_IP_SHORT, FAULT_L4_SHORT, IP_OFFSET, IPPROTO_TCP, IPPROTO_UDP } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Skb } from '../skb/components.js'
import { XDP, XDP_NEEDS, XdpProgram, XdpRule } from './components.js'

const ETH_P_IP = 0x0800

/**
 * Runs the program of a device on a packet: the first rule that matches gives the verdict, none passes it. A rule on
 * addresses or protocol matches IPv4 only; one on ports matches TCP and UDP packets that carry them.
 */
export const bpfProgRun = defineSystem<(device: number, row: number) => number>(
  'bpf_prog_run_xdp',
  'xdp',
  'include/linux/filter.h, bpf_prog_run_xdp',
  (context) => {
    const { protocol, ipWord, idFrag, saddr, daddr, ports, faults } = context.read(Skb)
    const { base, count } = context.read(XdpProgram)
    const rule = context.read(XdpRule)
    const { firstDevice } = context.resource(PLAN_CONSTANTS)

    function headers(row: number): number {
      if (protocol[row] !== ETH_P_IP || (faults[row] & FAULT_IP_SHORT) !== 0) return 0
      const l4 = ipWord[row] & 0xff
      const hasPorts =
        (l4 === IPPROTO_TCP || l4 === IPPROTO_UDP) &&
        (idFrag[row] & IP_OFFSET) === 0 &&
        (faults[row] & FAULT_L4_SHORT) === 0
      return XDP_NEEDS.ipv4 | (hasPorts ? XDP_NEEDS.ports : 0)
    }

    return (device, row) => {
      const program = device - firstDevice + 1
      const first = base[program]
      const end = first + count[program]
      const has = headers(row)
      for (let r = first; r < end; r++) {
        if ((rule.needs[r] & ~has) !== 0) continue
        if (((rule.proto[r] ^ ipWord[row]) & rule.protoMask[r]) !== 0) continue
        if (((rule.saddr[r] ^ saddr[row]) & rule.saddrMask[r]) !== 0) continue
        if (((rule.daddr[r] ^ daddr[row]) & rule.daddrMask[r]) !== 0) continue
        if (((rule.ports[r] ^ ports[row]) & rule.portsMask[r]) !== 0) continue
        return rule.verdict[r]
      }
      return XDP.pass
    }
  },
)
