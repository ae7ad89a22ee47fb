import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Neighbour, NeighParms, NeighSlot, NeighStat, NeighTable, NUD } from './components.js'
import { neighSlot } from './neigh-slot.js'

/** The table of neighbours that a CPU uses; addresses signed. */
export interface NeighLookup {
  /** Row of a neighbour, 0 if it is not known. Kernel: include/net/arp.h, __ipv4_neigh_lookup_noref */
  find(cpu: number, address: number, dev: number): number
  /** The same, counted. Kernel: net/core/neighbour.c, neigh_lookup */
  lookup(cpu: number, address: number, dev: number): number
  /** The same as `find`, made if it is not known; 0 if the table is full. Kernel: ___neigh_create */
  create(cpu: number, address: number, dev: number): number
  /** Takes one out that nothing waits for. Kernel: neigh_flush_one */
  remove(cpu: number, row: number): void
}

/** A table that is half full is swept when its last sweep is so long ago, and what was heard of since then is kept. */
const SWEEP_SEC = 5
/** Half of the reachable time that new devices have. */
const PERIOD_SEC = 15
const SWEEPABLE = NUD.failed | NUD.noarp

/** Finding and making of neighbours, and the sweeps that make room. Kernel: net/core/neighbour.c, neigh_alloc */
export const neighLookup = defineSystem<NeighLookup>(
  'neigh_lookup',
  'neigh',
  'net/core/neighbour.c, neigh_lookup',
  (context) => {
    const { NUD } = NUMBERS

    const n = context.write(Neighbour)
    const { used, address: addresses, dev: devs, state, chain, updated, confirmed, lastUsed, armed, probes } = n
    const { gcNext, gcPrevious } = n
    const table = context.write(NeighTable)
    const stat = context.write(NeighStat)
    const { head } = context.write(NeighSlot)
    const { baseReachable, gcStaletime } = context.read(NeighParms)
    const { clockPs, home } = context.read(Cpu)
    const { hz, jiffyPs } = context.resource(PLAN_CONSTANTS)

    function find(cpu: number, address: number, dev: number): number {
      let row = head[table.firstSlot[home[cpu]] + neighSlot(address, dev)]
      while (row !== 0 && ((addresses[row] | 0) !== address || devs[row] !== dev)) row = chain[row]
      return row
    }

    function unlinkGc(t: number, row: number): void {
      const before = gcPrevious[row]
      const after = gcNext[row]
      if (before === 0) table.gcHead[t] = after
      else gcNext[before] = after
      if (after === 0) table.gcTail[t] = before
      else gcPrevious[after] = before
      table.gcEntries[t]--
    }

    function unlink(cpu: number, row: number): void {
      const t = home[cpu]
      const slot = table.firstSlot[t] + neighSlot(addresses[row] | 0, devs[row])
      if (head[slot] === row) head[slot] = chain[row]
      else {
        let before = head[slot]
        while (chain[before] !== row) before = chain[before]
        chain[before] = chain[row]
      }
      // Permanent ones are not on the list.
      if (state[row] !== NUD.permanent) unlinkGc(t, row)
      used[row] = 0
      armed[row] = 0
      chain[row] = table.freeHead[t]
      table.freeHead[t] = row
      table.entries[t]--
      stat.destroys[cpu]++
    }

    /** Takes out what has failed or was not heard of lately, oldest first; whoever has a timer is held. Kernel: neigh_forced_gc */
    function sweep(cpu: number, t: number, now: number): number {
      stat.forcedGcRuns[cpu]++
      // The one that is to come counts already.
      const most = table.gcEntries[t] + 1 - table.thresh2[t]
      let shrunk = 0
      for (let row = table.gcHead[t]; row !== 0; ) {
        const following = gcNext[row]
        if (armed[row] === 0) {
          const isOld = now > updated[row] + SWEEP_SEC * hz[cpu]
          if ((state[row] & SWEEPABLE) !== 0 || isOld) {
            unlink(cpu, row)
            shrunk++
          }
          if (shrunk >= most) break
        }
        row = following
      }
      table.lastFlush[t] = now
      return shrunk
    }

    /** Does the periodic sweeps that were due by now, each as of its time. Kernel: neigh_periodic_work */
    function periodic(cpu: number, t: number, now: number): void {
      while (table.periodicJiffy[t] <= now) {
        const at = table.periodicJiffy[t]
        table.periodicJiffy[t] += PERIOD_SEC * hz[cpu]
        stat.periodicGcRuns[cpu]++
        if (table.entries[t] < table.thresh1[t]) continue
        for (let row = table.gcHead[t]; row !== 0; ) {
          const following = gcNext[row]
          if (armed[row] === 0 && isUnused(row, at)) unlink(cpu, row)
          row = following
        }
      }
    }

    function isUnused(row: number, now: number): boolean {
      const last = Math.max(lastUsed[row], confirmed[row])
      return state[row] === NUD.failed || now >= last + gcStaletime[devs[row]]
    }

    /** True if there is room for one more, made by a sweep where that is due. Kernel: neigh_alloc */
    function hasRoom(cpu: number, t: number, now: number): boolean {
      const entries = table.gcEntries[t]
      const isFull = entries >= table.thresh3[t]
      const isDue = entries >= table.thresh2[t] && now > table.lastFlush[t] + SWEEP_SEC * hz[cpu]
      if (!isFull && !isDue) return true
      if (sweep(cpu, t, now) > 0 || !isFull) return true
      stat.tableFulls[cpu]++
      return false
    }

    function link(t: number, row: number, slot: number): void {
      chain[row] = head[slot]
      head[slot] = row
      gcNext[row] = 0
      gcPrevious[row] = table.gcTail[t]
      if (table.gcTail[t] === 0) table.gcHead[t] = row
      else gcNext[table.gcTail[t]] = row
      table.gcTail[t] = row
      table.gcEntries[t]++
      table.entries[t]++
    }

    return {
      find,
      remove: unlink,
      lookup(cpu, address, dev) {
        const row = find(cpu, address, dev)
        stat.lookups[cpu]++
        if (row !== 0) stat.hits[cpu]++
        return row
      },
      create(cpu, address, dev) {
        const known = find(cpu, address, dev)
        if (known !== 0) return known
        const t = home[cpu]
        const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
        if (table.periodicJiffy[t] <= now) periodic(cpu, t, now)
        if (!hasRoom(cpu, t, now)) return 0
        const row = table.freeHead[t]
        if (row === 0) return 0
        table.freeHead[t] = chain[row]
        stat.allocs[cpu]++
        used[row] = 1
        armed[row] = 0
        addresses[row] = address
        devs[row] = dev
        state[row] = NUD.none
        probes[row] = 0
        updated[row] = now
        lastUsed[row] = now
        confirmed[row] = now - 2 * baseReachable[dev]
        n.macHigh[row] = 0
        n.macLow[row] = 0
        link(t, row, table.firstSlot[t] + neighSlot(address, dev))
        return row
      },
    }
  },
)
