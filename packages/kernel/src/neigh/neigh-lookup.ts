import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { Neighbour, NeighParms, NeighSlot, NeighTable, NUD } from './components.js'
import { neighSlot } from './neigh-slot.js'

/** The table of neighbours of a CPU; addresses signed. */
export interface NeighLookup {
  /** Row of a neighbour, 0 if it is not known. Kernel: net/core/neighbour.c, neigh_lookup */
  find(cpu: number, address: number, dev: number): number
  /** The same, made if it is not known; 0 if the table is full. Kernel: ___neigh_create */
  create(cpu: number, address: number, dev: number): number
  /** Takes one out that nothing waits for. Kernel: neigh_flush_one */
  remove(cpu: number, row: number): void
}

/** A table from this size on is swept when its last sweep is five seconds ago, as gc_thresh2 of gc_thresh3. */
const SWEEP_PART = 0.5
const SWEEP_SEC = 5
const SWEEPABLE = NUD.failed | NUD.noarp

/** Finding and making of neighbours. Tables are per CPU: partitions share nothing without latency. Kernel: net/core/neighbour.c, neigh_alloc */
export const neighLookup = defineSystem<NeighLookup>(
  'neigh_lookup',
  'neigh',
  'net/core/neighbour.c, neigh_lookup',
  (context) => {
    const n = context.write(Neighbour)
    const {
      used,
      address: addresses,
      dev: devs,
      state,
      chain,
      updated,
      confirmed,
      lastUsed,
      queueHead,
      armed,
      probes,
    } = n
    const table = context.write(NeighTable)
    const { head } = context.write(NeighSlot)
    const { baseReachable } = context.read(NeighParms)
    const { clockPs } = context.read(Cpu)
    const { hz, jiffyPs } = context.resource(PLAN_CONSTANTS)

    function find(cpu: number, address: number, dev: number): number {
      let row = head[table.firstSlot[cpu] + neighSlot(address, dev)]
      while (row !== 0 && ((addresses[row] | 0) !== address || devs[row] !== dev)) row = chain[row]
      return row
    }

    function unlink(cpu: number, row: number): void {
      const slot = table.firstSlot[cpu] + neighSlot(addresses[row] | 0, devs[row])
      if (head[slot] === row) head[slot] = chain[row]
      else {
        let before = head[slot]
        while (chain[before] !== row) before = chain[before]
        chain[before] = chain[row]
      }
      used[row] = 0
      armed[row] = 0
      chain[row] = table.freeHead[cpu]
      table.freeHead[cpu] = row
      table.entries[cpu]--
    }

    /** Takes out what nobody waits for and nothing was heard of lately. Kernel: neigh_forced_gc */
    function sweep(cpu: number, now: number): void {
      table.lastFlush[cpu] = now
      const keep = table.rows[cpu] * SWEEP_PART
      const end = table.firstRow[cpu] + table.rows[cpu]
      for (let row = table.firstRow[cpu]; row < end && table.entries[cpu] > keep; row++) {
        if (used[row] === 0 || queueHead[row] !== 0 || state[row] === NUD.permanent) continue
        const isOld = now > updated[row] + SWEEP_SEC * hz[cpu]
        if ((state[row] & SWEEPABLE) !== 0 || isOld) unlink(cpu, row)
      }
    }

    return {
      find,
      remove: unlink,
      create(cpu, address, dev) {
        const known = find(cpu, address, dev)
        if (known !== 0) return known
        const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
        const entries = table.entries[cpu]
        const isHalf = entries >= table.rows[cpu] * SWEEP_PART && now > table.lastFlush[cpu] + SWEEP_SEC * hz[cpu]
        if (entries >= table.rows[cpu] || isHalf) sweep(cpu, now)
        const row = table.freeHead[cpu]
        if (row === 0) return 0
        table.freeHead[cpu] = chain[row]
        table.entries[cpu]++
        used[row] = 1
        addresses[row] = address
        devs[row] = dev
        state[row] = NUD.none
        probes[row] = 0
        updated[row] = now
        lastUsed[row] = now
        confirmed[row] = now - 2 * baseReachable[dev]
        n.macHigh[row] = 0
        n.macLow[row] = 0
        const slot = table.firstSlot[cpu] + neighSlot(address, dev)
        chain[row] = head[slot]
        head[slot] = row
        return row
      },
    }
  },
)
