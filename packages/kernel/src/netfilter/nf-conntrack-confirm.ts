import { defineSystem } from '@softnet/ecs'
import { IPPROTO_UDP } from '@softnet/wire'
import { CONN, CTINFO, NfConn, NfConnStat, SkbConn } from './conntrack-components.js'
import { CONFIRMED, conntrackTable } from './conntrack-table.js'

/** Takes new connections into the table, and ends those whose packets did not get so far. */
export interface NfConntrackConfirm {
  /** A list of packets enters the stack: none has a connection. */
  begin(ids: Int32Array, count: number, cpu: number): void
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
    const { conn: connOf, info } = context.write(SkbConn)
    const { live, protocol } = context.read(NfConn)
    const stat = context.write(NfConnStat)
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
        stat.clashResolve[cpu]++
        return true
      }
      stat.insertFailed[cpu]++
      stat.drop[cpu]++
      return false
    }

    return {
      begin(ids, count) {
        if (!tracks) return
        listed = count
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          rows[i] = row
          connOf[row] = 0
          info[row] = CTINFO.established
        }
      },
      packet(cpu, row) {
        const conn = connOf[row]
        if (conn === 0 || live[conn] !== CONN.unconfirmed) return true
        const answer = table.confirm(cpu, conn)
        return answer === CONFIRMED || clash(cpu, row, answer)
      },
      end(cpu) {
        for (let i = 0; i < listed; i++) {
          const conn = connOf[rows[i]]
          if (conn !== 0 && live[conn] === CONN.unconfirmed) table.free(cpu, conn)
          connOf[rows[i]] = 0
        }
        listed = 0
      },
    }
  },
)
