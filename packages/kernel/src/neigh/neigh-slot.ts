import { NEIGH_SLOTS } from './components.js'

/** Slot of an address (signed) on a device, within a CPU's hash. Kernel: include/net/arp.h, arp_hashfn */
export function neighSlot(address: number, dev: number): number {
  return (Math.imul(address ^ dev, 0x9e3779b1) >>> 16) & (NEIGH_SLOTS - 1)
}
