import type { World } from '@softnet/ecs'
import type { Layout } from '../build/layout.js'
import { hasGroups, IgmpGroup, placedGroups } from './components.js'

/** Writes the groups of all hosts; after `freeze`. */
export function fillIgmp(world: World, layout: Layout): void {
  if (!hasGroups(layout.plan)) return
  const group = world.columns(IgmpGroup)
  placedGroups(layout).forEach(({ host, dev, address }, i) => {
    group.host[i + 1] = host
    group.dev[i + 1] = dev
    group.address[i + 1] = address
  })
}
