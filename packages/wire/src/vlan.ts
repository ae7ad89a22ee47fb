import { ETH_P_8021AD, ETH_P_8021Q } from './ethernet.js'
import { FAULT_VLAN_SHORT } from './fault.js'

/** Bytes of one tag: control information and the ethertype behind it. */
export const VLAN_HLEN = 4
/** Bits of the control information that hold the VLAN id. */
export const VLAN_VID_MASK = 0x0fff

/** Whether an ethertype announces a tag. Kernel: include/linux/if_vlan.h, eth_type_vlan. */
export function isVlanType(etherType: number): boolean {
  return etherType === ETH_P_8021Q || etherType === ETH_P_8021AD
}

/** Whether `availableBytes` behind the ethertype hold a tag: 0 or `FAULT_VLAN_SHORT`. */
export function checkVlan(availableBytes: number): number {
  return availableBytes < VLAN_HLEN ? FAULT_VLAN_SHORT : 0
}

/** Control information: priority (3 bits), drop eligible (1), id (12). */
export function vlanTci(view: DataView, offset: number): number {
  return view.getUint16(offset)
}

/** Ethertype of what follows the tag. */
export function vlanInnerType(view: DataView, offset: number): number {
  return view.getUint16(offset + 2)
}

/** VLAN id of control information, 0..4095. */
export function vlanId(tci: number): number {
  return tci & VLAN_VID_MASK
}

/** Priority of control information, 0..7. */
export function vlanPriority(tci: number): number {
  return (tci >>> 13) & 7
}

/** Control information from priority (0..7), drop-eligible bit (0 or 1) and id (0..4095). */
export function makeVlanTci(priority: number, dropEligible: number, id: number): number {
  return ((priority & 7) << 13) | ((dropEligible & 1) << 12) | (id & VLAN_VID_MASK)
}

/** Writes the four bytes of a tag (its own ethertype stands before `offset`); returns its length. */
export function emitVlan(view: DataView, offset: number, tci: number, innerType: number): number {
  view.setUint16(offset, tci)
  view.setUint16(offset + 2, innerType)
  return VLAN_HLEN
}

/** One line of text for the tag at `offset`, which must be whole. */
export function formatVlan(view: DataView, offset: number): string {
  const tci = vlanTci(view, offset)
  const inner = vlanInnerType(view, offset).toString(16).padStart(4, '0')
  return `vlan ${vlanId(tci)}, p ${vlanPriority(tci)}, ethertype 0x${inner}`
}
