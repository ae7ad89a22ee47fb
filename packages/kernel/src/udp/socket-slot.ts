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
