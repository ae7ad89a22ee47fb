import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'

/**
 * True if a packet belongs to the flow of a held one: equal hash, device, VLAN tag, MAC addresses, protocol, addresses
 * and ports. A packet without an Ethernet header has no MAC addresses to compare.
 */
export const groSameFlow = defineSystem<(held: number, row: number) => boolean>(
  'gro_list_prepare',
  'gro',
  'net/core/gro.c, gro_list_prepare; net/ipv4/tcp_offload.c, tcp_gro_lookup',
  (context) => {
    const { SKB } = NUMBERS

    const { hash, dev, vlanTci, macHash, saddr, daddr, ports, ipWord, flags } = context.read(Skb)
    return (held, row) => {
      if (hash[held] !== hash[row] || dev[held] !== dev[row]) return false
      if (ports[held] !== ports[row] || saddr[held] !== saddr[row] || daddr[held] !== daddr[row]) return false
      if (((ipWord[held] ^ ipWord[row]) & 0xff) !== 0) return false
      if (((flags[held] ^ flags[row]) & SKB.vlan) !== 0) return false
      if ((flags[row] & SKB.vlan) !== 0 && vlanTci[held] !== vlanTci[row]) return false
      return (flags[row] & SKB.noEthernet) !== 0 || macHash[held] === macHash[row]
    }
  },
)
