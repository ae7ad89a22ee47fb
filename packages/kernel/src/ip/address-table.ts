import { type Columns, defineSystem, type World } from '@softnet/ecs'
import { parsePrefix } from '@softnet/scenario'
import type { Layout } from '../build/layout.js'
import { IpAddress, IpLocalHash, IpPrefixHash, IpPrefixLength, LOCAL_TYPE, PREFIX_LENGTH_ROWS } from './components.js'

const LOOPBACK_ADDRESS = 0x7f000001

/** Slot of an address in a table of `mask + 1` slots; `salt` tells hosts and prefix lengths apart. */
function hashSlot(address: number, salt: number, mask: number): number {
  let h = Math.imul(address ^ Math.imul(salt + 1, 0x9e3779b1), 0x85ebca6b)
  h ^= h >>> 15
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) & mask
}

/** The address with all but its first `lengthBits` bits cleared; signed. */
function prefixOf(address: number, lengthBits: number): number {
  return lengthBits === 0 ? 0 : address & (-1 << (32 - lengthBits))
}

function addressCount(layout: Layout): number {
  let count = 0
  for (const host of layout.hosts) for (const device of host.devices) count += device.plan.addresses.length
  return count
}

function tableMask(entries: number): number {
  let size = 8
  while (size < entries * 2) size *= 2
  return size - 1
}

/** Declares the address tables: rows for every address of the plan, and hash tables at most half full. */
export function declareIp(world: World, layout: Layout): void {
  const addresses = addressCount(layout)
  world.pool(IpAddress, addresses + layout.hosts.length)
  // Each address can bring its subnet's broadcast address too.
  world.pool(IpLocalHash, tableMask(addresses * 2 + layout.hosts.length))
  world.pool(IpPrefixHash, tableMask(addresses))
  world.pool(IpPrefixLength, layout.hosts.length * PREFIX_LENGTH_ROWS)
}

/**
 * Enters the addresses of all devices: each is local, its subnet has a connected route and (up to /30) a broadcast
 * address; what was entered first stays. Kernel: net/ipv4/fib_frontend.c, fib_add_ifaddr
 */
export function fillIp(world: World, layout: Layout): void {
  const columns = world.columns(IpAddress)
  const tables: Tables = {
    local: world.columns(IpLocalHash),
    prefix: world.columns(IpPrefixHash),
    lengths: world.columns(IpPrefixLength),
  }
  let row = 1
  const add = (host: number, dev: number, address: number, lengthBits: number): number => {
    columns.address[row] = address
    columns.lengthBits[row] = lengthBits
    columns.host[row] = host
    columns.dev[row] = dev
    return row++
  }
  for (const host of layout.hosts) {
    addLocal(tables, host.index, LOOPBACK_ADDRESS, LOCAL_TYPE.local, add(host.index, 0, LOOPBACK_ADDRESS, 8))
    // Local entries first: an address that is also some subnet's broadcast address is local.
    const first = row
    for (const device of host.devices) {
      for (const text of device.plan.addresses) {
        const parsed = parsePrefix(text)
        if (parsed === null)
          throw new Error(`device ${device.plan.name}: ${text} is no IPv4 address with prefix length`)
        const at = add(host.index, device.device, parsed.address, parsed.length)
        addLocal(tables, host.index, parsed.address, LOCAL_TYPE.local, at)
      }
    }
    for (let at = first; at < row; at++) {
      const lengthBits = columns.lengthBits[at]
      const prefix = prefixOf(columns.address[at], lengthBits)
      if (prefix >>> 24 === 0 || lengthBits === 32) continue
      addPrefix(tables, host.index, prefix, lengthBits, at)
      if (lengthBits >= 31) continue
      addLocal(tables, host.index, prefix | ~(-1 << (32 - lengthBits)), LOCAL_TYPE.broadcast, at)
    }
  }
}

interface Tables {
  readonly local: Columns<typeof IpLocalHash.schema>
  readonly prefix: Columns<typeof IpPrefixHash.schema>
  readonly lengths: Columns<typeof IpPrefixLength.schema>
}

function addLocal(tables: Tables, host: number, address: number, type: number, row: number): void {
  const table = tables.local
  const mask = table.row.length - 1
  let slot = hashSlot(address, host, mask)
  while (table.row[slot] !== 0) {
    if (table.address[slot] === address >>> 0 && table.host[slot] === host) return
    slot = (slot + 1) & mask
  }
  table.address[slot] = address
  table.host[slot] = host
  table.type[slot] = type
  table.row[slot] = row
}

function addPrefix(tables: Tables, host: number, prefix: number, lengthBits: number, row: number): void {
  const table = tables.prefix
  const mask = table.row.length - 1
  let slot = hashSlot(prefix, host * PREFIX_LENGTH_ROWS + lengthBits, mask)
  while (table.row[slot] !== 0) {
    if (table.prefix[slot] === prefix >>> 0 && table.host[slot] === host && table.lengthBits[slot] === lengthBits)
      return
    slot = (slot + 1) & mask
  }
  table.prefix[slot] = prefix
  table.host[slot] = host
  table.lengthBits[slot] = lengthBits
  table.row[slot] = row
  insertLength(tables.lengths.lengthPlusOne, host * PREFIX_LENGTH_ROWS, lengthBits + 1)
}

/** Keeps a host's list of lengths sorted, longest first. */
function insertLength(list: Uint8Array, base: number, lengthPlusOne: number): void {
  let at = base
  while (list[at] > lengthPlusOne) at++
  if (list[at] === lengthPlusOne) return
  let carried = lengthPlusOne
  while (carried !== 0) {
    const displaced = list[at]
    list[at++] = carried
    carried = displaced
  }
}

/** Address tables of all hosts, for reading; addresses are passed as signed 32-bit integers. */
export interface AddressTable {
  /** What the local table holds for an address, one of `LOCAL_TYPE`. 127/8 is local throughout. */
  localType(host: number, address: number): number
  /** Row of `IpAddress` of an address that is configured on the host, 0 if it is none. Kernel: inet_lookup_ifaddr_rcu */
  addressRow(host: number, address: number): number
  /** Device entity of the longest connected prefix that holds an address, −1 if there is none. */
  connectedDev(host: number, address: number): number
  /** Device entity an address is configured on, 0 for loopback or none. */
  addressDev(host: number, address: number): number
}

/** Looks addresses up at a cost that does not depend on how many there are. */
export const addressTable = defineSystem<AddressTable>(
  'address_table',
  'ip',
  'net/ipv4/fib_trie.c, fib_table_lookup',
  (context) => {
    const { dev } = context.read(IpAddress)
    const { address: localAddress, host: localHost, row: localRow, type: localTypes } = context.read(IpLocalHash)
    const { prefix, lengthBits, host: prefixHost, row: prefixRow } = context.read(IpPrefixHash)
    const { lengthPlusOne } = context.read(IpPrefixLength)
    const localMask = localRow.length - 1
    const prefixMask = prefixRow.length - 1

    function localSlot(host: number, address: number): number {
      let slot = hashSlot(address, host, localMask)
      while (localRow[slot] !== 0) {
        if ((localAddress[slot] | 0) === address && localHost[slot] === host) return slot
        slot = (slot + 1) & localMask
      }
      return -1
    }

    function addressRow(host: number, address: number): number {
      const slot = localSlot(host, address)
      return slot >= 0 && localTypes[slot] === LOCAL_TYPE.local ? localRow[slot] : 0
    }

    return {
      localType(host, address) {
        if (address >>> 24 === 127) return LOCAL_TYPE.local
        const slot = localSlot(host, address)
        return slot < 0 ? LOCAL_TYPE.none : localTypes[slot]
      },
      addressRow,
      connectedDev(host, address) {
        for (let at = host * PREFIX_LENGTH_ROWS; lengthPlusOne[at] !== 0; at++) {
          const bits = lengthPlusOne[at] - 1
          const wanted = prefixOf(address, bits)
          let slot = hashSlot(wanted, host * PREFIX_LENGTH_ROWS + bits, prefixMask)
          while (prefixRow[slot] !== 0) {
            if ((prefix[slot] | 0) === wanted && prefixHost[slot] === host && lengthBits[slot] === bits) {
              return dev[prefixRow[slot]]
            }
            slot = (slot + 1) & prefixMask
          }
        }
        return -1
      },
      addressDev(host, address) {
        const row = addressRow(host, address)
        return row === 0 ? 0 : dev[row]
      },
    }
  },
)
