import { defineSystem } from '@softnet/ecs'
import { costProfile } from '@softnet/scenario/plan'
import { jhash4words } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { NUMBERS } from '../numbers.js'
import { chargeCycles } from './charge-cycles.js'
import { NatRange, NfConn } from './conntrack-components.js'
import { conntrackTable } from './conntrack-table.js'
import { NfConnSeen } from './tcp-window-components.js'

/** Decides how a new connection is translated. */
export interface NatSetup {
  /** By row of `NatRange`; `deviceAddress` stands in where the range takes the device's. Kernel: nf_nat_setup_info */
  range(cpu: number, conn: number, range: number, deviceAddress: number): void
  /** Keeps the addresses, and changes ports only if the tuple is taken. Kernel: nf_nat_alloc_null_binding */
  nothing(cpu: number, conn: number, manip: number): void
}

/** Kernel: net/netfilter/nf_nat_core.c, NF_NAT_MAX_ATTEMPTS */
const MAX_ATTEMPTS = 128
const LEAST_ATTEMPTS = 16
/** Kernel: NF_NAT_HARDER_THRESH */
const HARDER_ATTEMPTS = 32
const PORTS = 65_536
const PRIVILEGED = 1024
const CREDENTIALS = 512
const FIRST_CREDENTIAL_FREE = 600
const WORD = 4294967296

/** The kernel hashes addresses as they lie in memory. */
function swab32(value: number): number {
  const turned = ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)
  return turned >>> 0
}

/** Chooses addresses and ports so that the reply's tuple is nobody else's. Kernel: net/netfilter/nf_nat_core.c, get_unique_tuple */
export const natSetup = defineSystem<NatSetup>(
  'nf_nat_setup_info',
  'netfilter',
  'net/netfilter/nf_nat_core.c, nf_nat_setup_info',
  (context) => {
    const { CONN, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPS, MANIP, STAGE, TCP_CT } = NUMBERS

    const c = context.write(NfConn)
    const ranges = context.read(NatRange)
    const { end } = context.read(NfConnSeen)
    const table = context.system(conntrackTable)
    const price = context.system(chargeCycles)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const cycles = costProfile(plan.profile).netfilter.nat_setup.cycles
    // The tuple under work: what the packet shall look like.
    let saddr = 0
    let daddr = 0
    let sport = 0
    let dport = 0
    // The range under work.
    let firstAddress = 0
    let lastAddress = 0
    let hasPorts = false
    let firstPort = 0
    let lastPort = 0
    let isRandom = false
    let isPersistent = false

    function replyPorts(protocol: number): number {
      // An ICMP id is the same both ways; `dport` then is type and code of the answer.
      return protocol === IPPROTO_ICMP ? ((sport << 16) | dport) >>> 0 : ((dport << 16) | sport) >>> 0
    }

    function isUsed(cpu: number, conn: number): boolean {
      return table.taken(cpu, daddr | 0, saddr | 0, replyPorts(c.protocol[conn]) | 0, c.protocol[conn], conn)
    }

    /** Starts from what the reply looks like now: an earlier translation stays. */
    function start(conn: number): void {
      const ports = c.replyPorts[conn]
      saddr = c.replyDaddr[conn]
      daddr = c.replySaddr[conn]
      const icmp = c.protocol[conn] === IPPROTO_ICMP
      sport = icmp ? ports >>> 16 : ports & 0xffff
      dport = icmp ? ports & 0xffff : ports >>> 16
    }

    function inRange(manip: number, protocol: number): boolean {
      const address = manip === MANIP.source ? saddr : daddr
      if (address < firstAddress || address > lastAddress) return false
      if (!hasPorts) return true
      const port = manip === MANIP.source || protocol === IPPROTO_ICMP ? sport : dport
      return port >= firstPort && port <= lastPort
    }

    /** Kernel: nf_nat_core.c, find_best_ips_proto */
    function chooseAddress(manip: number): void {
      let address = firstAddress
      if (firstAddress !== lastAddress) {
        const hash = jhash4words(swab32(saddr), 0, 0, 0, isPersistent ? 0 : swab32(daddr))
        address = firstAddress + Math.floor((hash * (lastAddress - firstAddress + 1)) / WORD)
      }
      if (manip === MANIP.source) saddr = address
      else daddr = address
    }

    function setPort(manip: number, protocol: number, port: number): void {
      if (manip === MANIP.source || protocol === IPPROTO_ICMP) sport = port
      else dport = port
    }

    /** Kernel: nf_nat_core.c, nf_nat_l4proto_unique_tuple */
    function choosePort(cpu: number, conn: number, manip: number): void {
      const protocol = c.protocol[conn]
      const icmp = protocol === IPPROTO_ICMP
      if (!icmp && protocol !== IPPROTO_UDP && protocol !== IPPROTO_TCP) return
      if (!icmp && !hasPorts && manip === MANIP.destination) return
      let least = hasPorts ? Math.min(firstPort, lastPort) : 0
      let size = hasPorts ? Math.abs(lastPort - firstPort) + 1 : PORTS
      if (!hasPorts && !icmp) {
        least = sport >= PRIVILEGED ? PRIVILEGED : sport >= CREDENTIALS ? FIRST_CREDENTIAL_FREE : 1
        const end = sport >= PRIVILEGED ? PORTS : sport >= CREDENTIALS ? PRIVILEGED : CREDENTIALS
        size = end - least
      }
      let offset = isRandom || manip === MANIP.source ? table.random(cpu) & 0xffff : 0
      let attempts = Math.min(size, MAX_ATTEMPTS)
      for (;;) {
        for (let i = 0; i < attempts; i++, offset = (offset + 1) & 0xffff) {
          setPort(manip, protocol, least + (offset % size))
          if (!isUsedHarder(cpu, conn, attempts - i)) return
        }
        if (attempts >= size || attempts < LEAST_ATTEMPTS) return
        attempts = Math.floor(attempts / 2)
        offset = table.random(cpu) & 0xffff
      }
    }

    /** True if the tuple took over what another connection of this sender's port has become. Kernel: nf_nat_core.c, find_appropriate_src */
    function takesSameSource(cpu: number, conn: number): boolean {
      const protocol = c.protocol[conn]
      const [address, port] = [saddr, sport]
      for (let other = 0; ; ) {
        other = table.sameSource(cpu, address | 0, port, protocol, other)
        if (other === 0) return false
        const ports = c.replyPorts[other]
        saddr = c.replyDaddr[other]
        sport = protocol === IPPROTO_ICMP ? ports >>> 16 : ports & 0xffff
        const fits = inRange(MANIP.source, protocol)
        if (fits && !isUsed(cpu, conn)) return true
        saddr = address
        sport = port
        if (fits) return false
      }
    }

    /** As `isUsed`; near the end of the attempts a connection that has closed makes way for a later one. Kernel: nf_nat_core.c, nf_nat_used_tuple_harder */
    function isUsedHarder(cpu: number, conn: number, attemptsLeft: number): boolean {
      const protocol = c.protocol[conn]
      const isOpening = protocol === IPPROTO_TCP && c.tcpState[conn] === TCP_CT.synSent
      if (attemptsLeft > HARDER_ATTEMPTS || !isOpening) return isUsed(cpu, conn)
      const link = table.find(cpu, daddr | 0, saddr | 0, replyPorts(protocol) | 0, protocol)
      if (link === 0) return false
      const other = link >> 1
      if ((link & 1) === 0 || c.tcpState[other] < TCP_CT.timeWait || (c.status[other] & IPS.srcNat) === 0) return true
      if (((end[conn * 2] - end[other * 2]) | 0) <= 0) return true
      table.kill(cpu, other)
      return false
    }

    /** Kernel: nf_nat_core.c, get_unique_tuple */
    function unique(cpu: number, conn: number, manip: number): void {
      const protocol = c.protocol[conn]
      if (manip === MANIP.source && !isRandom) {
        if (inRange(manip, protocol)) {
          if (!isUsed(cpu, conn)) return
        } else if (takesSameSource(cpu, conn)) return
      }
      chooseAddress(manip)
      if (!isRandom) {
        if (hasPorts) {
          if (inRange(manip, protocol) && (firstPort === lastPort || !isUsed(cpu, conn))) return
        } else if (!isUsed(cpu, conn)) return
      }
      choosePort(cpu, conn, manip)
    }

    function setUp(cpu: number, conn: number, manip: number): void {
      if (c.live[conn] === CONN.confirmed) return
      price.cycles[0] = cycles
      price.charge(cpu, STAGE.nf_nat_inet_fn)
      unique(cpu, conn, manip)
      const ports = replyPorts(c.protocol[conn])
      if (c.replySaddr[conn] !== daddr || c.replyDaddr[conn] !== saddr || c.replyPorts[conn] !== ports) {
        c.replySaddr[conn] = daddr
        c.replyDaddr[conn] = saddr
        c.replyPorts[conn] = ports
        c.status[conn] |= manip === MANIP.source ? IPS.srcNat : IPS.dstNat
      }
      if (manip === MANIP.source) table.linkSource(cpu, conn)
      c.status[conn] |= manip === MANIP.source ? IPS.srcNatDone : IPS.dstNatDone
    }

    return {
      range(cpu, conn, range, deviceAddress) {
        start(conn)
        const manip = ranges.destination[range] !== 0 ? MANIP.destination : MANIP.source
        const kept = manip === MANIP.source ? saddr : daddr
        const given = ranges.addresses[range]
        firstAddress = given === 0 ? kept : given === 1 ? ranges.firstAddress[range] : deviceAddress
        lastAddress = given === 1 ? ranges.lastAddress[range] : firstAddress
        hasPorts = ranges.hasPorts[range] !== 0
        firstPort = ranges.firstPort[range]
        lastPort = ranges.lastPort[range]
        isRandom = ranges.random[range] !== 0
        isPersistent = ranges.persistent[range] !== 0
        setUp(cpu, conn, manip)
      },
      nothing(cpu, conn, manip) {
        start(conn)
        firstAddress = manip === MANIP.source ? saddr : daddr
        lastAddress = firstAddress
        hasPorts = false
        isRandom = false
        setUp(cpu, conn, manip)
      },
    }
  },
)
