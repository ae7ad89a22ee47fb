import { defineSystem } from '@softnet/ecs'
import type { HostPlan, Plan } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { SkbNf } from '../netfilter/components.js'
import { hasRules } from '../netfilter/nf-hook-slow.js'
import { Skb } from '../skb/components.js'
import { HostDev } from './components.js'
import type { Flow } from './flow.js'
import { FlowPorts, flowDissect } from './flow-dissect.js'

/** Whether routing in some namespace goes by more than addresses, type of service and device. */
export function usesFlows(plan: Plan): boolean {
  const nets = plan.hosts.flatMap((host): readonly Pick<HostPlan, 'routes' | 'rules'>[] => [
    host,
    ...(host.netns ?? []),
  ])
  return nets.some(
    ({ rules, routes }) => (rules ?? []).length > 0 || routes.some(({ nexthops }) => nexthops !== undefined),
  )
}

/** Fills in the flow of a packet that came in. */
export interface SkbFlow {
  /** As the packet came. Kernel: net/ipv4/route.c, ip_route_input_slow; include/net/ip_fib.h, fib4_rules_early_flow_dissect */
  input(cpu: number, row: number, into: Flow): void
  /** As its answer would come in by `oif` (0: from the host itself), to `dest`. Kernel: net/ipv4/fib_frontend.c, __fib_validate_source */
  reverse(cpu: number, row: number, dest: number, oif: number, into: Flow): void
  /** Mark that rules have given a packet. */
  mark(row: number): number
}

/** Kernel: include/net/ip_fib.h, fib4_rules_early_flow_dissect */
export const skbFlow = defineSystem<SkbFlow>(
  'fib4_rules_early_flow_dissect',
  'route',
  'include/net/ip_fib.h, fib4_rules_early_flow_dissect',
  (context) => {
    const { plan, nets } = context.resource(PLAN_CONSTANTS)
    const { saddr, dev } = context.read(Skb)
    const { net } = context.read(Cpu)
    const { loopback } = context.read(HostDev)
    const marks = hasRules(plan) ? context.read(SkbNf).mark : null
    const dissect = context.system(flowDissect)
    const looks = Uint8Array.from(nets, ({ rules = [] }) =>
      rules.some(({ protocol, sport, dport }) => protocol !== undefined || sport !== undefined || dport !== undefined)
        ? 1
        : 0,
    )
    const found = new FlowPorts()

    function mark(row: number): number {
      return marks === null ? 0 : marks[row]
    }

    function ports(cpu: number, row: number): void {
      if (looks[net[cpu]] !== 0) dissect(row, found)
      else {
        found.protocol = 0
        found.sport = 0
        found.dport = 0
      }
    }

    return {
      mark,
      input(cpu, row, into) {
        ports(cpu, row)
        into.set(saddr[row] | 0, mark(row), found.protocol, found.sport, found.dport)
        into.iif = dev[row] === loopback[net[cpu] + 1] ? 0 : dev[row]
        into.packet = row
      },
      reverse(cpu, row, dest, oif, into) {
        ports(cpu, row)
        into.set(dest, 0, found.protocol, found.dport, found.sport)
        into.iif = oif
      },
    }
  },
)
