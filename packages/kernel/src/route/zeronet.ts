import { KERNEL_VERSIONS, type KernelVersion } from '@softnet/scenario/plan'

/** Bits to shift an address right by so that nothing is left of a zero network: 24 for 0.0.0.0/8, 0 for 0.0.0.0. Kernel: include/linux/in.h, ipv4_is_zeronet */
export function zeronetShift(kernel: KernelVersion): number {
  return KERNEL_VERSIONS[kernel].zeronetSlash8 ? 24 : 0
}
