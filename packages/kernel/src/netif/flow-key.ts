import { streamKey } from '@softnet/ecs'

const FLOW_KEY_PURPOSE = 0x666c6f77

/** Key of the software flow hash of a host, by its place in the plan; Linux draws it at boot. Kernel: net/core/flow_dissector.c, hashrnd */
export function flowKey(seed: number, hostIndex: number): readonly [number, number] {
  return streamKey(seed, hostIndex, FLOW_KEY_PURPOSE)
}
