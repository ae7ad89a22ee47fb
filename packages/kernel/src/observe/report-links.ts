import type { LinkPortRow, LinkResult } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import { linkLayouts } from '../build/link-layout.js'
import { Wire, WireState } from '../wire/components.js'
import { Link, PortState } from '../wire/link-components.js'

/** Reads out the links of a model that has run to `simulatedPs`. */
export function reportLinks(model: Model, simulatedPs: number): Record<string, LinkResult> {
  const { world, layout } = model
  const links: Record<string, LinkResult> = {}
  for (const { plan, link, devices } of linkLayouts(layout)) {
    const ports = devices.map(({ wire }, index): LinkPortRow => {
      const port = plan.ports[index]
      return { to: `${port?.host}/${port?.dev}`, ...portCounts(model, wire, simulatedPs) }
    })
    const learnt = plan.kind === 'switch' ? { learnt: world.columns(Link).fdbCount[link] } : {}
    links[plan.name] = { kind: plan.kind, ports, ...learnt }
  }
  return links
}

function portCounts(model: Model, wire: number, simulatedPs: number): Omit<LinkPortRow, 'to'> {
  const port = model.world.columns(PortState)
  const state = model.world.columns(WireState)
  const { overheadBytes, linkWhole, linkRest, linkDenominator } = model.world.columns(Wire)
  const frames = state.frames[wire] - port.lost[wire] - port.overflow[wire]
  const bytePs = linkWhole[wire] + linkRest[wire] / linkDenominator[wire]
  const busyPs = (state.bytes[wire] + frames * overheadBytes[wire]) * bytePs
  return {
    frames,
    bytes: state.bytes[wire],
    load: simulatedPs > 0 ? Math.min(1, busyPs / simulatedPs) : 0,
    lost: port.lost[wire],
    duplicated: port.duplicated[wire],
    reordered: port.reordered[wire],
    overflow: port.overflow[wire],
    flooded: port.flooded[wire],
    foreign: port.foreign[wire],
  }
}
