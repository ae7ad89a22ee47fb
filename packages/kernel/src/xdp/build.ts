import type { World } from '@softnet/ecs'
import type { XdpPlan } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'
import { XDP, XDP_NEEDS, XdpProgram, XdpRule } from './components.js'

type RulePlan = XdpPlan['rules'][number]

const ALL_BITS = 0xffffffff
const SOURCE_BITS = 0xffff0000
const DEST_BITS = 0x0000ffff

/** Programs by position of the device, in layout order. */
function eachProgram(layout: Layout, visit: (deviceIndex: number, plan: XdpPlan) => void): void {
  for (const host of layout.hosts) {
    for (const { plan, device } of host.devices) if (plan.xdp !== null) visit(device - layout.firstDevice, plan.xdp)
  }
}

/** Declares the programs of all devices. Call before the world is frozen. */
export function declareXdp(world: World, layout: Layout): void {
  let rules = 0
  eachProgram(layout, (_, plan) => {
    rules += plan.rules.length
  })
  world.pool(XdpProgram, layout.deviceCount)
  world.pool(XdpRule, rules)
}

/** Compiles the rule lists of the plan into columns. Call after the world is frozen. */
export function fillXdp(world: World, layout: Layout): void {
  const { base, count } = world.columns(XdpProgram)
  let row = 1
  eachProgram(layout, (deviceIndex, plan) => {
    base[deviceIndex + 1] = row
    count[deviceIndex + 1] = plan.rules.length
    for (const rule of plan.rules) fillRule(world, row++, rule)
  })
}

function fillRule(world: World, row: number, rule: RulePlan): void {
  const { needs, proto, protoMask, saddr, saddrMask, daddr, daddrMask, ports, portsMask, verdict } =
    world.columns(XdpRule)
  const { sport, dport } = rule
  const needsPorts = sport !== null || dport !== null
  const needsIpv4 = needsPorts || rule.proto !== 0 || rule.saddr !== null || rule.daddr !== null
  needs[row] = (needsIpv4 ? XDP_NEEDS.ipv4 : 0) | (needsPorts ? XDP_NEEDS.ports : 0)
  proto[row] = rule.proto
  // Protocol 0 of a plan stands for any.
  protoMask[row] = rule.proto === 0 ? 0 : 0xff
  saddr[row] = rule.saddr ?? 0
  saddrMask[row] = rule.saddr === null ? 0 : ALL_BITS
  daddr[row] = rule.daddr ?? 0
  daddrMask[row] = rule.daddr === null ? 0 : ALL_BITS
  ports[row] = (sport ?? 0) * 65536 + (dport ?? 0)
  portsMask[row] = (sport === null ? 0 : SOURCE_BITS) + (dport === null ? 0 : DEST_BITS)
  verdict[row] = XDP[rule.verdict]
}
