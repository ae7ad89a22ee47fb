import { defineSystem } from '@softnet/ecs'
import { FAULT_IP_IHL, FAULT_IP_VERSION } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { SNMP } from '../count/snmp.js'
import { charge } from '../cpu/charge.js'
import { hasPairs } from '../link/has-pairs.js'
import type { Stage } from '../netif/stage.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { SKB, Skb } from '../skb/components.js'
import { SKB_DESTRUCTOR } from '../skb/skb-destructor.js'
import { kfreeSkb } from '../skb/skb-pool.js'

const IPV4_HEADER_BYTES = 20
const HEADER_BAD = FAULT_IP_IHL | FAULT_IP_VERSION
const SEGMENTED = SKB.gso | SKB.fragList
/** Counter of each value of the ECN field. */
const ECN_COUNTERS = [SNMP.IpExtInNoECTPkts, SNMP.IpExtInECT1Pkts, SNMP.IpExtInECT0Pkts, SNMP.IpExtInCEPkts]

/**
 * Checks the IPv4 header in Linux's order, counts what arrived, and cuts link-layer padding off: behind it
 * `Skb.len` is the total length. Kernel: net/ipv4/ip_input.c, ip_rcv_core
 */
export const ipRcv = defineSystem<Stage>('ip_rcv', 'ip', 'net/ipv4/ip_input.c, ip_rcv_core', (context) => {
  const {
    DEVICE,
    DROP,
    FAULT_IP_OPTIONS_SHORT,
    FAULT_IP_SHORT,
    FAULT_IP_TOT_LEN_LONG,
    FAULT_IP_TOT_LEN_SHORT,
    PACKET_TYPE,
    SKB,
    SNMP,
    STAGE,
  } = NUMBERS

  const { flags, ipcb, len, sock } = context.write(Skb)
  const { packetType, faults, ipWord, totLen, frames, dev } = context.read(Skb)
  const { index: deviceIndex } = context.read(NetDev)
  const spend = context.system(charge)
  const count = context.system(counters)
  const kfree = context.system(kfreeSkb)
  const owner = hasPairs(context.resource(PLAN_CONSTANTS).plan.hosts) ? context.resource(SKB_DESTRUCTOR) : null
  const ecn = Uint16Array.from(ECN_COUNTERS)
  // Counters that nearly every packet moves are added up over a batch.
  let received = 0
  let octets = 0
  let notEct = 0

  /** Drop place of the first check that fails, or −1; moves the counters of all checks passed on the way. */
  function check(row: number, cpu: number): number {
    if (packetType[row] === PACKET_TYPE.otherhost) {
      count.device(deviceIndex[dev[row]], cpu, DEVICE.rxOtherhost, 1)
      return DROP.otherhost
    }
    const bytes = len[row]
    const fault = faults[row]
    received++
    octets += bytes
    const word = ipWord[row]
    const headerBytes = ((word >>> 24) & 15) * 4
    const short = bytes < IPV4_HEADER_BYTES || (fault & FAULT_IP_SHORT) !== 0
    if (short || (fault & HEADER_BAD) !== 0 || word >>> 28 !== 4 || headerBytes < IPV4_HEADER_BYTES) {
      count.snmp(cpu, SNMP.IpInHdrErrors, 1)
      return DROP.ipHeader
    }
    const segments = Math.max(frames[row], 1)
    const codepoint = (word >>> 8) & 3
    if (codepoint === 0) notEct += segments
    else count.snmp(cpu, ecn[codepoint], segments)
    if ((fault & FAULT_IP_OPTIONS_SHORT) !== 0 || bytes < headerBytes) {
      count.snmp(cpu, SNMP.IpInHdrErrors, 1)
      return DROP.ipHeader
    }
    if ((flags[row] & SKB.ipCsumBad) !== 0) {
      count.snmp(cpu, SNMP.IpExtInCsumErrors, 1)
      count.snmp(cpu, SNMP.IpInHdrErrors, 1)
      return DROP.ipCsum
    }
    // GRO has written the total length of a merged packet anew, where 16 bits hold it.
    const total = (flags[row] & SEGMENTED) !== 0 ? bytes : totLen[row]
    if ((fault & FAULT_IP_TOT_LEN_LONG) !== 0 || bytes < total) {
      count.snmp(cpu, SNMP.IpExtInTruncatedPkts, 1)
      return DROP.ipTooSmall
    }
    if ((fault & FAULT_IP_TOT_LEN_SHORT) !== 0 || total < headerBytes) {
      count.snmp(cpu, SNMP.IpInHdrErrors, 1)
      return DROP.ipHeader
    }
    len[row] = total
    return -1
  }

  return (ids, packets, cpu) => {
    spend(cpu, STAGE.ip_rcv, packets)
    received = 0
    octets = 0
    notEct = 0
    let kept = 0
    for (let i = 0; i < packets; i++) {
      const row = ids[i]
      // skb_orphan: what came through a veth pair is still its sender's, and no socket of an earlier use may show through.
      if (owner !== null && (flags[row] & SKB.charged) !== 0) owner.orphan(cpu, row)
      sock[row] = 0
      ipcb[row] = 0
      flags[row] &= ~SKB.pulled
      const drop = check(row, cpu)
      if (drop >= 0) kfree(cpu, row, drop)
      else ids[kept++] = row
    }
    count.snmp(cpu, SNMP.IpInReceives, received)
    count.snmp(cpu, SNMP.IpExtInOctets, octets)
    count.snmp(cpu, SNMP.IpExtInNoECTPkts, notEct)
    return kept
  }
})
