import type { Model } from '../../build/build-model.js'
import { hasEvents } from '../../link/fill-link.js'
import { type Lane, nameEvents } from './perfetto-events.js'
import type { TraceNames } from './trace-names.js'

/** The NIC's own lane has the first. */
const FIRST_TID = 2

/** Where a trace shows what becomes of a device. */
export interface LinkLane extends Lane {
  readonly name: string
}

/**
 * A lane per device, by device entity, in the process of the device; a VLAN device has its lane beside that of the device it
 * is on. Events are of cards; empty where the scenario has none: nothing becomes of a device then.
 */
export function linkLanes(
  { layout, plan }: Pick<Model, 'layout' | 'plan'>,
  names: TraceNames,
  pidOf: (device: string) => number,
): ReadonlyMap<number, LinkLane> {
  const lanes = new Map<number, LinkLane>()
  if (!hasEvents(plan)) return lanes
  for (const { devices } of layout.hosts) {
    for (const { device, wire, plan: own } of devices) {
      if (wire === 0) continue
      const pid = pidOf(names.devices.get(device) ?? '')
      lanes.set(device, { pid, tid: FIRST_TID, name: 'link' })
      own.vlans.forEach((_, i) => {
        const vlan = device + 1 + i
        lanes.set(vlan, { pid, tid: FIRST_TID + 1 + i, name: `link ${names.devices.get(vlan) ?? ''}` })
      })
    }
  }
  return lanes
}

/** Names of the lanes, below that of the NIC. */
export function linkMetadata(lanes: ReadonlyMap<number, LinkLane>): string[] {
  return [...lanes.values()].map((lane) => nameEvents(lane, lane.name, lane.tid))
}
