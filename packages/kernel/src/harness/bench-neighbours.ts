import { formatIpv4 } from '@softnet/scenario/plan'
import { formatMac } from '@softnet/wire'
import type { Model } from '../build/build-model.js'
import { Cpu } from '../cpu/components.js'
import { Neighbour, NeighTable, NUD } from '../neigh/components.js'

const NAMES: Readonly<Record<number, string>> = {
  [NUD.incomplete]: 'INCOMPLETE',
  [NUD.reachable]: 'REACHABLE',
  [NUD.stale]: 'STALE',
  [NUD.delay]: 'DELAY',
  [NUD.probe]: 'PROBE',
  [NUD.failed]: 'FAILED',
  [NUD.permanent]: 'PERMANENT',
}

/** What `ip neigh` prints of the table that a CPU uses. */
export function benchNeighbours(model: Model, cpu: number): string[] {
  const { world, layout } = model
  const { used, address, dev, state, macHigh, macLow } = world.columns(Neighbour)
  const { firstRow, rows } = world.columns(NeighTable)
  const home = world.columns(Cpu).home[cpu]
  const lines: string[] = []
  for (let row = firstRow[home]; row < firstRow[home] + rows[home]; row++) {
    const name = NAMES[state[row]]
    if (used[row] === 0 || name === undefined) continue
    const device = layout.hosts[0].devices.find((each) => each.device === dev[row])?.plan.name ?? 'lo'
    const isKnown = (state[row] & (NUD.incomplete | NUD.failed)) === 0
    const mac = isKnown ? ` lladdr ${formatMac(macHigh[row], macLow[row])}` : ''
    lines.push(`${formatIpv4(address[row])} dev ${device}${mac} ${name}`)
  }
  return lines
}
