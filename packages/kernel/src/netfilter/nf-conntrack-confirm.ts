import { defineSystem } from '@softnet/ecs'
import { bindNetRow } from '../netns/net-row.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { NfConn, NfConnStat, SkbConn } from './conntrack-components.js'
import { CHAIN_TOO_LONG, CONFIRMED, conntrackTable } from './conntrack-table.js'

/** Takes new connections into the table, and ends those whose packets did not get so far. */
export interface NfConntrackConfirm {
  /** A list of packets enters the stack: none has a connection but those the host has sent to itself. */
  begin(ids: Int32Array, count: number, cpu: number): void
  /** A packet that the host has made: what an earlier packet left in its row ends. */
  start(cpu: number, row: number): void
  /** A clone belongs to the same connection. */
  clone(copy: number, row: number): void
  /** An answer to a packet belongs to its connection, in the other direction. Kernel: nf_conntrack_attach */
  attach(row: number, of: number): void
  /** A packet is dropped: the connection that it has begun ends. */
  drop(cpu: number, row: number): void
  /** A packet is through all hooks; false if it must be dropped. Kernel: __nf_conntrack_confirm */
  packet(cpu: number, row: number): boolean
  /** Frees what was not confirmed of the packets of `begin`. */
  end(cpu: number): void
}

const LIST_ROWS = 1024

/** Kernel: net/netfilter/nf_conntrack_core.c, __nf_conntrack_confirm */
export const nfConntrackConfirm = defineSystem<NfConntrackConfirm>(
  'nf_conntrack_confirm',
  'netfilter',
  'net/netfilter/nf_conntrack_core.c, __nf_conntrack_confirm',
  (context) => {
    const { CONN, CTINFO, IPPROTO_UDP, SKB } = NUMBERS

    const { conn: connOf, info } = context.write(SkbConn)
    const { flags } = context.read(Skb)
    const { live, protocol } = context.read(NfConn)
    const stat = context.write(NfConnStat)
    const statRow = bindNetRow(context)
    const table = context.system(conntrackTable)
    const tracks = connOf.length > 1
    const rows = new Int32Array(LIST_ROWS)
    let listed = 0

    /** Two packets of a new flow in one list each made a connection: the second takes that of the first. */
    function clash(cpu: number, row: number, link: number): boolean {
      const loser = connOf[row]
      if (protocol[loser] === IPPROTO_UDP && link > 0) {
        table.free(cpu, loser)
        connOf[row] = link >> 1
        stat.clashResolve[statRow(cpu)]++
        return true
      }
      stat.insertFailed[statRow(cpu)]++
      if (link !== CHAIN_TOO_LONG) stat.drop[statRow(cpu)]++
      return false
    }

    function drop(cpu: number, row: number): void {
      const conn = tracks ? connOf[row] : 0
      if (conn === 0 || live[conn] !== CONN.unconfirmed || info[row] !== CTINFO.new) return
      table.free(cpu, conn)
      connOf[row] = 0
    }

    function start(cpu: number, row: number): void {
      if (!tracks) return
      drop(cpu, row)
      connOf[row] = 0
      info[row] = CTINFO.established
    }

    return {
      start,
      drop,
      clone(copy, row) {
        if (!tracks) return
        connOf[copy] = connOf[row]
        info[copy] = info[row]
      },
      attach(row, of) {
        if (!tracks || connOf[of] === 0) return
        const isReply = info[of] === CTINFO.establishedReply || info[of] === CTINFO.relatedReply
        connOf[row] = connOf[of]
        info[row] = isReply ? CTINFO.related : CTINFO.relatedReply
      },
      begin(ids, count, cpu) {
        if (!tracks) return
        listed = count
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          rows[i] = row
          const isOurs = (flags[row] & SKB.looped) !== 0 && live[connOf[row]] === CONN.confirmed
          if (!isOurs) start(cpu, row)
        }
      },
      packet(cpu, row) {
        const conn = connOf[row]
        // Only a packet of the original direction takes its connection into the table.
        if (conn === 0 || live[conn] !== CONN.unconfirmed || info[row] !== CTINFO.new) return true
        const answer = table.confirm(cpu, conn)
        return answer === CONFIRMED || clash(cpu, row, answer)
      },
      end(cpu) {
        for (let i = 0; i < listed; i++) {
          drop(cpu, rows[i])
        }
        listed = 0
      },
    }
  },
)
