/** Slot of (host, address, port) in a table of `mask + 1` slots; address as a signed integer. */
export function portAddressSlot(host: number, address: number, port: number, mask: number): number {
  let h = Math.imul(address ^ Math.imul((port | (host << 16)) + 1, 0x9e3779b1), 0x85ebca6b)
  h ^= h >>> 15
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) & mask
}

/** Slot of a connected four-tuple; addresses as signed integers, `ports` is peer port × 65536 + local port, signed. */
export function fourTupleSlot(host: number, local: number, peer: number, ports: number, mask: number): number {
  let h = Math.imul(local ^ Math.imul(ports ^ host, 0x9e3779b1), 0x85ebca6b)
  h ^= h >>> 15
  h = Math.imul(h ^ peer, 0xc2b2ae35)
  h ^= h >>> 13
  h = Math.imul(h, 0x27d4eb2f)
  return (h ^ (h >>> 16)) & mask
}

/** Ports in a row that stay together in the table (4 KiB of `UdpList`), as a power of two. */
const BLOCK_BITS = 10
const BLOCK_PORTS = 1 << BLOCK_BITS

/**
 * First slot to look at for (host, address, port) in a table of `mask + 1` slots of `UdpList`; address as a signed
 * integer. Neighbouring ports are neighbours in the table and in the same order, so that sockets bound in a row share
 * cache lines and the machine reads ahead; blocks of them are spread. Kernel: include/net/ip.h, ipv4_portaddr_hash
 */
export function portListSlot(host: number, address: number, port: number, mask: number): number {
  return (portAddressSlot(host, address, port >>> BLOCK_BITS, mask) + (port & (BLOCK_PORTS - 1))) & mask
}

/**
 * Slots from the first probe to the second; each further one goes as much further again. Odd, so that the probes reach every
 * slot of a table of 2^n; longer than a block, so that a full block is left at once.
 */
export const LIST_STEP = BLOCK_PORTS + 1
