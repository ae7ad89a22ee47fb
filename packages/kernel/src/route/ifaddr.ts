import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { HostDev, IfAddr, IfAddrHash, InDev } from './components.js'

/** Slot of an address in a table of `mask + 1` slots. */
export function ifAddrSlot(address: number, host: number, mask: number): number {
  let h = Math.imul(address ^ Math.imul(host + 1, 0x9e3779b1), 0x85ebca6b)
  h ^= h >>> 15
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) & mask
}

/** The IPv4 addresses of a host's devices; addresses go in and out as signed 32-bit integers. */
export interface IfAddrs {
  /** Row of an address of the host, 0 if it is none. Kernel: net/ipv4/devinet.c, inet_lookup_ifaddr_rcu */
  find(host: number, address: number): number
  /** Device entity of a row. */
  deviceOf(row: number): number
  /** Source address for packets on a device towards `dst` (0: any) that needs no more than `scope`; 0: none. Kernel: inet_select_addr */
  select(host: number, dev: number, dst: number, scope: number): number
  /** Whether `local` is an address of a device (0: of any) fit for `dst` (0: anybody) within `scope`. Kernel: inet_confirm_addr */
  confirm(host: number, dev: number, dst: number, local: number, scope: number): boolean
  /** Whether a device has a subnet that holds both addresses (`b` 0: only the first). Kernel: inet_addr_onlink */
  onlink(dev: number, a: number, b: number): boolean
}

/** Looks up and chooses addresses. Kernel: net/ipv4/devinet.c */
export const ifAddrs = defineSystem<IfAddrs>(
  'inet_select_addr',
  'route',
  'net/ipv4/devinet.c, inet_select_addr',
  (context) => {
    const { SCOPE } = NUMBERS

    const { address, lengthBits, scope: scopes, host: hosts, dev: devs, secondary, next, chain } = context.read(IfAddr)
    const { head } = context.read(IfAddrHash)
    const { firstAddress } = context.read(InDev)
    const { loopback, firstDevice, deviceCount } = context.read(HostDev)
    const mask = head.length - 1

    function matches(row: number, other: number): boolean {
      const bits = lengthBits[row]
      return bits === 0 || ((address[row] ^ other) & (-1 << (32 - bits))) === 0
    }

    /** Best address of one device; the first is taken where none shares the subnet of `dst`. */
    function ofDevice(dev: number, dst: number, scope: number): number {
      let first = 0
      for (let row = firstAddress[dev]; row !== 0; row = next[row]) {
        if (secondary[row] !== 0 || scopes[row] > scope) continue
        if (dst === 0 || matches(row, dst)) return address[row] | 0
        if (first === 0) first = address[row] | 0
      }
      return first
    }

    /** Kernel: net/ipv4/devinet.c, confirm_addr_indev */
    function confirmOn(dev: number, dst: number, local: number, scope: number): boolean {
      let found = 0
      let same = false
      for (let row = firstAddress[dev]; row !== 0; row = next[row]) {
        if (found === 0 && (local === 0 || (address[row] | 0) === local) && scopes[row] <= scope) {
          found = address[row] | 0
          if (same) break
        }
        if (same) continue
        same = (local === 0 || matches(row, local)) && (dst === 0 || matches(row, dst))
        if (!same || found === 0) continue
        if (local !== 0 || dst === 0 || matches(row, found) || scopes[row] <= scope) break
        same = false
      }
      return same && found !== 0
    }

    return {
      confirm(host, dev, dst, local, scope) {
        if (dev !== 0) return confirmOn(dev, dst, local, scope)
        const end = firstDevice[host + 1] + deviceCount[host + 1]
        if (confirmOn(loopback[host + 1], dst, local, scope)) return true
        for (let id = firstDevice[host + 1]; id < end; id++) if (confirmOn(id, dst, local, scope)) return true
        return false
      },
      find(host, wanted) {
        for (let row = head[ifAddrSlot(wanted, host, mask)]; row !== 0; row = chain[row]) {
          if ((address[row] | 0) === wanted && hosts[row] === host) return row
        }
        return 0
      },
      deviceOf: (row) => devs[row],
      select(host, dev, dst, scope) {
        const own = dev === 0 ? 0 : ofDevice(dev, dst, scope)
        if (own !== 0) return own
        // Any other device will do; loopback comes first in the list of devices.
        const lo = loopback[host + 1]
        const end = firstDevice[host + 1] + deviceCount[host + 1]
        for (let id = firstDevice[host + 1] - 1; id < end; id++) {
          const each = id < firstDevice[host + 1] ? lo : id
          for (let row = firstAddress[each]; row !== 0; row = next[row]) {
            if (secondary[row] === 0 && scopes[row] !== SCOPE.link && scopes[row] <= scope) return address[row] | 0
          }
        }
        return 0
      },
      onlink(dev, a, b) {
        for (let row = firstAddress[dev]; row !== 0; row = next[row]) {
          if (secondary[row] === 0 && matches(row, a) && (b === 0 || matches(row, b))) return true
        }
        return false
      },
    }
  },
)
