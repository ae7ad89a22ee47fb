import { mix32 } from '@softnet/ecs'
import { macHi, macLo } from '@softnet/wire'

/** Hash of both hardware addresses (48-bit numbers): equal for frames with equal addresses. Kernel: include/linux/etherdevice.h, compare_ether_header */
export function macHash(destination: number, source: number): number {
  return mix32(mix32(macLo(destination), macHi(destination)), mix32(macLo(source), macHi(source)))
}
