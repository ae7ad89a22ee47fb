import { defineSystem } from '@softnet/ecs'
import { FAULT_L4_SHORT, FAULT_TCP_DOFF_LONG, FAULT_TCP_DOFF_SHORT } from '@softnet/wire'
import { counters } from '../count/counters.js'
import { DROP } from '../count/drops.js'
import { SNMP } from '../count/snmp.js'
import { charge } from '../cpu/charge.js'
import { STAGE } from '../cpu/stage-ids.js'
import { PACKET_TYPE, SKB, Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { tcpSendReset } from './tcp-send-reset.js'

const TCP_HEADER_BYTES = 20

/**
 * Takes one TCP skb (a segment, or several merged by GRO) through the checks of its header and checksum, and ends it
 * with a reset to its sender: no socket of the model takes TCP. Kernel: net/ipv4/tcp_ipv4.c, tcp_v4_rcv
 */
export const tcpRcv = defineSystem<(cpu: number, row: number) => void>(
  'tcp_v4_rcv',
  'tcp',
  'net/ipv4/tcp_ipv4.c, tcp_v4_rcv',
  (context) => {
    const { faults, flags, len, packetType, tcpWord } = context.read(Skb)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const reset = context.system(tcpSendReset)

    function check(cpu: number, row: number): number {
      if (packetType[row] !== PACKET_TYPE.host) return DROP.tcpDiscard
      count.snmp(cpu, SNMP.TcpInSegs, 1)
      const fault = faults[row]
      if ((fault & FAULT_L4_SHORT) !== 0 || len[row] < TCP_HEADER_BYTES) return DROP.tcpDiscard
      const headerBytes = ((tcpWord[row] >>> 12) & 15) * 4
      if ((fault & FAULT_TCP_DOFF_SHORT) !== 0 || headerBytes < TCP_HEADER_BYTES) {
        count.snmp(cpu, SNMP.TcpInErrs, 1)
        return DROP.tcpSmall
      }
      if ((fault & FAULT_TCP_DOFF_LONG) !== 0 || headerBytes > len[row]) return DROP.tcpDiscard
      if ((flags[row] & (SKB.csumBad | SKB.csumUnnecessary)) === SKB.csumBad) {
        count.snmp(cpu, SNMP.TcpInCsumErrors, 1)
        count.snmp(cpu, SNMP.TcpInErrs, 1)
        return DROP.tcpCsum
      }
      return DROP.tcpNoSocket
    }

    return (cpu, row) => {
      spend(cpu, STAGE.tcp_rcv, 1)
      const drop = check(cpu, row)
      if (drop === DROP.tcpNoSocket) reset(cpu, row)
      kfree(cpu, row, drop)
    }
  },
)
