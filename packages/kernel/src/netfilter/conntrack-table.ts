import { defineSystem, mix32, mixSigned32 } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { bindNetRow } from '../netns/net-row.js'
import { NUMBERS } from '../numbers.js'
import { NfConn, NfConnBucket, NfConnStat, NfConnTable, NfNatBucket } from './conntrack-components.js'

/** Table of connections; tuples are given as addresses and ports, signed words (what is greater is boxed in a call), and protocol. */
export interface ConntrackTable {
  /** Row × 2 + direction of a confirmed connection with this tuple, or 0. Ends what has expired on the way. */
  find(cpu: number, saddr: number, daddr: number, ports: number, protocol: number): number
  /** A new unconfirmed connection, or 0 if the table is full and nothing can be evicted. */
  alloc(cpu: number, saddr: number, daddr: number, ports: number, protocol: number): number
  /** Takes an unconfirmed connection into the hash table; false if its packet must be dropped. */
  confirm(cpu: number, conn: number): number
  /** Frees a connection that is not in the hash table. */
  free(cpu: number, conn: number): void
  /** Takes a connection out of the hash table and frees it. */
  kill(cpu: number, conn: number): void
  /** Whether a tuple is the reply tuple or original tuple of any other connection. */
  taken(cpu: number, saddr: number, daddr: number, ports: number, protocol: number, but: number): boolean
  /** Notes that a connection's source is translated, or kept, for good. Kernel: nf_nat_core.c, nf_nat_setup_info */
  linkSource(cpu: number, conn: number): void
  /** First connection with this source behind `after` (0: of all), or 0. Kernel: nf_nat_core.c, same_src */
  sameSource(cpu: number, saddr: number, port: number, protocol: number, after: number): number
  /** A random word of the CPU's own stream. */
  random(cpu: number): number
  /** Time in whole jiffies. */
  jiffies(cpu: number): number
}

/** Answers of `confirm`: the connection is in the table, or the row × 2 of another with the same tuples, or neither. */
export const CONFIRMED = -1
export const CLASH_DROP = -2
/** A chain is too long for one more. */
export const CHAIN_TOO_LONG = -3

/** Kernel: net/netfilter/nf_conntrack_core.c, NF_CT_EVICTION_RANGE, MIN_CHAINLEN, MAX_CHAINLEN */
const EVICTION_RANGE = 8
const MIN_CHAIN = 50
const CHAIN_SPREAD = 30
const GC_FIRST_SEC = 60
const GC_MIN_SEC = 1
const WORD = 4294967296

/** The hash table with both tuples of every connection. Kernel: net/netfilter/nf_conntrack_core.c, nf_conntrack_hash */
export const conntrackTable = defineSystem<ConntrackTable>(
  'nf_conntrack_hash',
  'netfilter',
  'net/netfilter/nf_conntrack_core.c, __nf_conntrack_find_get',
  (context) => {
    const { CONN, IPPROTO_TCP, IPS, TCP_CT } = NUMBERS

    const c = context.write(NfConn)
    const { first } = context.write(NfConnBucket)
    const { first: firstSource } = context.write(NfNatBucket)
    const translates = firstSource.length > 1
    const table = context.write(NfConnTable)
    const stat = context.write(NfConnStat)
    const statRow = bindNetRow(context)
    const { net, clockPs } = context.read(Cpu)
    const { plan, jiffyPs, hz } = context.resource(PLAN_CONSTANTS)
    // Each table has a secret of its own. Kernel: nf_conntrack_core.c, hash_conntrack_raw
    const secret = Uint32Array.from(table.count, (_, t) => plan.seed ^ Math.imul(t - 1, 0x9e3779b1))

    function jiffies(cpu: number): number {
      return Math.floor(clockPs[cpu] / jiffyPs[cpu])
    }

    function random(cpu: number): number {
      const n = stat.drawn[cpu]++
      return mix32((stat.keyLow[cpu] ^ n) >>> 0, stat.keyHigh[cpu])
    }

    function bucketOf(t: number, saddr: number, daddr: number, ports: number, protocol: number): number {
      const hash = mixSigned32(mixSigned32(saddr ^ secret[t], daddr), mixSigned32(ports, protocol + 0x9e37)) >>> 0
      return table.firstBucket[t] + Math.floor((hash * table.buckets[t]) / WORD)
    }

    function originalBucket(t: number, conn: number): number {
      return bucketOf(t, c.saddr[conn] | 0, c.daddr[conn] | 0, c.ports[conn] | 0, c.protocol[conn])
    }

    function replyBucket(t: number, conn: number): number {
      return bucketOf(t, c.replySaddr[conn] | 0, c.replyDaddr[conn] | 0, c.replyPorts[conn] | 0, c.protocol[conn])
    }

    function next(link: number): number {
      return (link & 1) === 0 ? c.nextOriginal[link >> 1] : c.nextReply[link >> 1]
    }

    function unlink(bucket: number, link: number): void {
      const after = next(link)
      let at = first[bucket]
      if (at === link) {
        first[bucket] = after
        return
      }
      while (at !== 0) {
        const following = next(at)
        if (following === link) {
          if ((at & 1) === 0) c.nextOriginal[at >> 1] = after
          else c.nextReply[at >> 1] = after
          return
        }
        at = following
      }
    }

    function sourceBucket(t: number, conn: number): number {
      return bucketOf(t, c.saddr[conn] | 0, 0, c.ports[conn] >>> 16, c.protocol[conn])
    }

    /** Kernel: nf_nat_core.c, nf_nat_cleanup_conntrack */
    function unlinkSource(t: number, conn: number): void {
      const bucket = sourceBucket(t, conn)
      if (firstSource[bucket] === conn) {
        firstSource[bucket] = c.nextSource[conn]
        return
      }
      let before = firstSource[bucket]
      while (c.nextSource[before] !== conn) before = c.nextSource[before]
      c.nextSource[before] = c.nextSource[conn]
    }

    function free(cpu: number, conn: number): void {
      const t = net[cpu] + 1
      if ((c.status[conn] & IPS.srcNatDone) !== 0) unlinkSource(t, conn)
      c.live[conn] = CONN.free
      c.nextOriginal[conn] = table.firstFree[t]
      table.firstFree[t] = conn
      table.count[t]--
    }

    function kill(cpu: number, conn: number): void {
      const t = net[cpu] + 1
      unlink(originalBucket(t, conn), conn * 2)
      unlink(replyBucket(t, conn), conn * 2 + 1)
      free(cpu, conn)
    }

    function holds(link: number, saddr: number, daddr: number, ports: number, protocol: number): boolean {
      const conn = link >> 1
      if (c.protocol[conn] !== protocol) return false
      return (link & 1) === 0
        ? (c.saddr[conn] | 0) === saddr && (c.daddr[conn] | 0) === daddr && (c.ports[conn] | 0) === ports
        : (c.replySaddr[conn] | 0) === saddr && (c.replyDaddr[conn] | 0) === daddr && (c.replyPorts[conn] | 0) === ports
    }

    /** First link of a chain with this tuple, or 0; expired connections of the chain end. */
    function search(
      cpu: number,
      bucket: number,
      saddr: number,
      daddr: number,
      ports: number,
      protocol: number,
      but: number,
    ): number {
      const now = jiffies(cpu)
      for (let link = first[bucket]; link !== 0; ) {
        const following = next(link)
        const conn = link >> 1
        if (c.timeoutJiffies[conn] <= now) {
          // The same connection's other tuple may be what follows.
          const skip = following >> 1 === conn ? next(following) : following
          kill(cpu, conn)
          link = skip
          continue
        }
        if (conn !== but && holds(link, saddr, daddr, ports, protocol)) return link
        link = following
      }
      return 0
    }

    /** Kernel: nf_conntrack_core.c, early_drop_list */
    function evict(cpu: number, bucket: number): number {
      const now = jiffies(cpu)
      let evicted = 0
      for (let link = first[bucket]; link !== 0; ) {
        const following = next(link)
        const conn = link >> 1
        const expired = c.timeoutJiffies[conn] <= now
        if (expired || (c.status[conn] & IPS.assured) === 0) {
          const skip = following >> 1 === conn ? next(following) : following
          kill(cpu, conn)
          if (!expired) evicted++
          link = skip
        } else link = following
      }
      return evicted
    }

    /** Kernel: nf_conntrack_core.c, early_drop */
    function earlyDrop(cpu: number, t: number, bucket: number): boolean {
      for (let i = 0; i < EVICTION_RANGE; i++) {
        const at = table.firstBucket[t] + ((bucket - table.firstBucket[t] + i) % table.buckets[t])
        const evicted = evict(cpu, at)
        if (evicted > 0) {
          stat.earlyDrop[statRow(cpu)] += evicted
          return true
        }
      }
      return false
    }

    /** Whether a connection goes when the table is nearly full. Kernel: nf_conntrack_core.c, gc_worker_can_early_drop */
    function mayGoEarly(conn: number): boolean {
      if ((c.status[conn] & IPS.assured) === 0) return true
      const state = c.tcpState[conn]
      return c.protocol[conn] === IPPROTO_TCP && state >= TCP_CT.finWait && state <= TCP_CT.close
    }

    /**
     * Ends expired connections as the background worker would have done by now, and finds when it comes next: after the
     * mean of what is left to the others, 1 to 60 s. Kernel: nf_conntrack_core.c, gc_worker
     */
    function collect(cpu: number, t: number, now: number): void {
      const end = table.firstConn[t] + table.conns[t]
      const nearlyFull = Math.floor(table.max[t] / 100) * 95
      while (table.gcJiffies[t] <= now) {
        const at = table.gcJiffies[t]
        let mean = GC_FIRST_SEC * hz[cpu]
        let seen = 1
        for (let conn = table.firstConn[t]; conn < end; conn++) {
          if (c.live[conn] !== CONN.confirmed) continue
          const left = c.timeoutJiffies[conn] - at
          if (left <= 0) {
            kill(cpu, conn)
            continue
          }
          const clamped = Math.min(Math.max(left, GC_MIN_SEC * hz[cpu]), GC_FIRST_SEC * hz[cpu])
          seen++
          mean += Math.trunc((clamped - mean) / seen)
          if (nearlyFull > 0 && table.count[t] >= nearlyFull && mayGoEarly(conn)) kill(cpu, conn)
        }
        table.gcJiffies[t] = at + Math.min(Math.max(mean, GC_MIN_SEC * hz[cpu]), GC_FIRST_SEC * hz[cpu])
      }
    }

    /** Longest chain that takes one more; drawn anew each time. */
    function chainIsTooLong(bucket: number, limit: number): boolean {
      let length = 0
      for (let link = first[bucket]; link !== 0; link = next(link)) if (length++ > limit) return true
      return false
    }

    function clashWith(conn: number, link: number): number {
      const other = link >> 1
      const same =
        c.saddr[other] === c.saddr[conn] &&
        c.daddr[other] === c.daddr[conn] &&
        c.ports[other] === c.ports[conn] &&
        c.replySaddr[other] === c.replySaddr[conn] &&
        c.replyDaddr[other] === c.replyDaddr[conn] &&
        c.replyPorts[other] === c.replyPorts[conn]
      return same ? other * 2 : CLASH_DROP
    }

    return {
      find(cpu, saddr, daddr, ports, protocol) {
        const bucket = bucketOf(net[cpu] + 1, saddr, daddr, ports, protocol)
        return first[bucket] === 0 ? 0 : search(cpu, bucket, saddr, daddr, ports, protocol, 0)
      },
      alloc(cpu, saddr, daddr, ports, protocol) {
        const t = net[cpu] + 1
        const now = jiffies(cpu)
        if (table.gcJiffies[t] <= now) collect(cpu, t, now)
        if (table.count[t] + 1 > table.max[t]) {
          const bucket = bucketOf(t, saddr, daddr, ports, protocol)
          if (!earlyDrop(cpu, t, bucket)) return 0
        }
        const conn = table.firstFree[t]
        if (conn === 0) return 0
        table.firstFree[t] = c.nextOriginal[conn]
        table.count[t]++
        c.live[conn] = CONN.unconfirmed
        c.protocol[conn] = protocol
        c.status[conn] = 0
        c.tcpState[conn] = TCP_CT.none
        c.tcpLast[conn] = 0
        c.saddr[conn] = saddr
        c.daddr[conn] = daddr
        c.ports[conn] = ports
        c.mark[conn] = 0
        c.timeoutJiffies[conn] = 0
        c.streamJiffies[conn] = 0
        return conn
      },
      confirm(cpu, conn) {
        const t = net[cpu] + 1
        const bucket = originalBucket(t, conn)
        const reply = replyBucket(t, conn)
        const limit = MIN_CHAIN + Math.floor((random(cpu) * CHAIN_SPREAD) / WORD)
        const { saddr, daddr, ports, replySaddr, replyDaddr, replyPorts } = c
        const protocol = c.protocol[conn]
        let clash = search(cpu, bucket, saddr[conn] | 0, daddr[conn] | 0, ports[conn] | 0, protocol, conn)
        if (clash === 0)
          clash = search(cpu, reply, replySaddr[conn] | 0, replyDaddr[conn] | 0, replyPorts[conn] | 0, protocol, conn)
        if (clash !== 0) return clashWith(conn, clash)
        if (chainIsTooLong(bucket, limit) || chainIsTooLong(reply, limit)) {
          stat.chainTooLong[statRow(cpu)]++
          return CHAIN_TOO_LONG
        }
        c.timeoutJiffies[conn] += jiffies(cpu)
        c.live[conn] = CONN.confirmed
        c.nextOriginal[conn] = first[bucket]
        first[bucket] = conn * 2
        c.nextReply[conn] = first[reply]
        first[reply] = conn * 2 + 1
        return CONFIRMED
      },
      free,
      kill,
      taken(cpu, saddr, daddr, ports, protocol, but) {
        const bucket = bucketOf(net[cpu] + 1, saddr, daddr, ports, protocol)
        const found = search(cpu, bucket, saddr, daddr, ports, protocol, but)
        if (found === 0) return false
        const other = found >> 1
        // The same flow seen twice before it was confirmed: left to the clash when it is.
        if (c.saddr[other] === c.saddr[but] && c.daddr[other] === c.daddr[but] && c.ports[other] === c.ports[but]) {
          return false
        }
        stat.found[statRow(cpu)]++
        return true
      },
      linkSource(cpu, conn) {
        if (!translates) return
        const bucket = sourceBucket(net[cpu] + 1, conn)
        c.nextSource[conn] = firstSource[bucket]
        firstSource[bucket] = conn
      },
      sameSource(cpu, saddr, port, protocol, after) {
        if (!translates) return 0
        const bucket = bucketOf(net[cpu] + 1, saddr, 0, port, protocol)
        let conn = after === 0 ? firstSource[bucket] : c.nextSource[after]
        while (conn !== 0) {
          const isSame = (c.saddr[conn] | 0) === saddr && c.ports[conn] >>> 16 === port && c.protocol[conn] === protocol
          if (isSame) return conn
          conn = c.nextSource[conn]
        }
        return 0
      },
      random,
      jiffies,
    }
  },
)
