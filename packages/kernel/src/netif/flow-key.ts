import { streamKey } from '@softnet/ecs'

const FLOW_KEY_PURPOSE = 0x666c6f77

/** Key of the software flow hash under a seed; Linux draws it at boot. Kernel: net/core/flow_dissector.c, hashrnd */
export function flowKey(seed: number): readonly [number, number] {
  return streamKey(seed, 0, FLOW_KEY_PURPOSE)
}
