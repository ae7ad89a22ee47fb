import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Flow, ReplayFrame, Source } from '../traffic/components.js'
import { fragmentSource } from '../traffic/fragment-source.js'
import { Draft, Wire, WireState } from './components.js'

/** How much longer the header of a truncated packet says it is. */
export const TRUNCATED_BYTES = 16
/** `doff << 12 | window << 16` of synthetic segments: no options, window 502. */
const TCP_WORD = 0x01f65000
const TTL = 64
const IPV4_BYTES = 20
const IP_WORD_BASE = ((TTL << 16) | (5 << 24)) >>> 0

/**
 * Writes the frame of a wire's draft into a row; times and serial are the caller's. What is the same for every frame, or
 * known only to the driver, is set when the frame is taken off its lane.
 */
export interface LaneWrite {
  /** A synthetic frame of flow `flow`. */
  flow(wire: number, row: number): void
  /** A frame of a capture. */
  replay(wire: number, row: number): void
}

/** Fields of a frame as parsing would find them. Kernel: net/ethernet/eth.c, eth_type_trans; the card's descriptor */
export const laneWrite = defineSystem<LaneWrite>('lane_write', 'wire', 'net/ethernet/eth.c', (context) => {
  const {
    ETH_P_IP,
    FAULT_IP_TOT_LEN_LONG,
    FAULT_IP_VERSION,
    ICMP_TYPE,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IP_DF,
    IP_MF,
    MALFORM,
    MIN_FRAME_BYTES,
    PACKET_TYPE,
    SKB,
    STEER,
    TCP_ACK,
    TCP_PSH,
  } = NUMBERS

  const {
    daddr: kDaddr,
    faults: kFaults,
    fragSum: kFragSum,
    flags: kFlags,
    hash: kHash,
    idFrag: kIdFrag,
    ipWord: kIpWord,
    len: kLen,
    macHash: kMacHash,
    packetType: kPacketType,
    page: kPage,
    payload: kPayload,
    ports: kPorts,
    protocol: kProtocol,
    request: kRequest,
    saddr: kSaddr,
    tcpAck: kTcpAck,
    tcpOptions: kTcpOptions,
    tcpSeq: kTcpSeq,
    tcpWord: kTcpWord,
    totLen: kTotLen,
    udpLen: kUdpLen,
    users: kUsers,
    vlanTci: kVlanTci,
    wireBytes: kWireBytes,
  } = context.write(Skb)
  const {
    bytes: dBytes,
    flow: dFlow,
    frame: dFrame,
    malform: dMalform,
    push: dPush,
    request: dRequest,
    source: dSource,
  } = context.read(Draft)
  const {
    protocol: sourceProtocol,
    linkBytes,
    vlan,
    zeroChecksum,
    macHash,
    otherMacHash,
    packetType,
    fragUnitBytes,
    fragL4Bytes,
  } = context.read(Source)
  const { saddr, daddr, ports, hash, steer: flowSteer, ipId, tcpSeq } = context.read(Flow)
  const {
    daddr: fDaddr,
    faults: fFaults,
    fragSum: fFragSum,
    flags: fFlags,
    hash: fHash,
    idFrag: fIdFrag,
    ipWord: fIpWord,
    len: fLen,
    macHash: fMacHash,
    packetType: fPacketType,
    payload: fPayload,
    ports: fPorts,
    protocol: fProtocol,
    saddr: fSaddr,
    tcpAck: fTcpAck,
    tcpOptions: fTcpOptions,
    tcpSeq: fTcpSeq,
    tcpWord: fTcpWord,
    totLen: fTotLen,
    udpLen: fUdpLen,
    vlanTci: fVlanTci,
    wireBytes: fWireBytes,
  } = context.read(ReplayFrame)
  const { rxChecksum } = context.read(Wire)
  const { multicast } = context.write(WireState)
  const fragments = context.system(fragmentSource)

  function spoil(row: number, bits: number, otherHash: number): void {
    if ((bits & MALFORM.ipChecksum) !== 0) kFlags[row] |= SKB.ipCsumBad
    if ((bits & MALFORM.l4Checksum) !== 0) kFlags[row] = (kFlags[row] & ~SKB.csumZero) | SKB.csumBad
    if ((bits & MALFORM.truncated) !== 0) {
      kTotLen[row] = Math.min(0xffff, kTotLen[row] + TRUNCATED_BYTES)
      if (kUdpLen[row] !== 0) kUdpLen[row] = Math.min(0xffff, kUdpLen[row] + TRUNCATED_BYTES)
      kFaults[row] |= FAULT_IP_TOT_LEN_LONG
    }
    if ((bits & MALFORM.badVersion) !== 0) {
      kIpWord[row] = ((kIpWord[row] & 0x0fffffff) | 0x60000000) >>> 0
      kFaults[row] |= FAULT_IP_VERSION
      kHash[row] = 0
      kFlags[row] &= ~SKB.l4Hash
    }
    if ((bits & MALFORM.otherHost) !== 0) {
      kPacketType[row] = PACKET_TYPE.otherhost
      kMacHash[row] = otherHash
    }
    // A card that sees any of these but a foreign address leaves the checksum to the kernel.
    if ((bits & ~MALFORM.otherHost) !== 0) kFlags[row] &= ~SKB.csumUnnecessary
  }

  /** Makes a fragment of a whole packet; no card verifies a part of a checksum. */
  function setFragment(row: number, s: number, bytes: number): void {
    const offset = fragments.index(s) * fragUnitBytes[s]
    const more = offset + bytes < fragL4Bytes[s] ? IP_MF : 0
    kIdFrag[row] = ((kIdFrag[row] & 0xffff0000) | more | (offset >>> 3)) >>> 0
    kFragSum[row] = 0
    kFlags[row] &= ~SKB.csumUnnecessary
    if (offset === 0) {
      kUdpLen[row] = fragL4Bytes[s]
      return
    }
    kFlags[row] &= ~SKB.csumZero
    kUdpLen[row] = 0
    kPorts[row] = 0
    kPayload[row] = bytes
  }

  /** An echo request: the identifier is the flow's, the sequence number counts with that of IP. */
  function echo(row: number, flow: number, ipBytes: number): void {
    kFlags[row] &= ~SKB.csumUnnecessary
    kPorts[row] = 0
    kUdpLen[row] = 0
    kPayload[row] = ipBytes - 28
    kTcpSeq[row] = (ports[flow] | ipId[flow]) >>> 0
    kTcpAck[row] = 0
    kTcpWord[row] = ICMP_TYPE.echo
    kTcpOptions[row] = 0
  }

  return {
    flow(wire, row) {
      kUsers[row] = 1
      const s = dSource[wire]
      const flow = dFlow[wire]
      const bytes = dBytes[wire]
      const wireBytes = Math.max(MIN_FRAME_BYTES, bytes)
      const tagBytes = linkBytes[s] - 14
      const ipBytes = bytes - linkBytes[s]
      const protocol = sourceProtocol[s]
      let flags = (flowSteer[flow] & STEER.l4Hash) !== 0 ? SKB.l4Hash : 0
      if (bytes < MIN_FRAME_BYTES) flags |= SKB.padded
      if (tagBytes !== 0) flags |= SKB.vlan
      if (zeroChecksum[s] !== 0) flags |= SKB.csumZero
      else if (rxChecksum[wire] !== 0) flags |= SKB.csumUnnecessary
      if (kMacHash[row] !== macHash[s]) kMacHash[row] = macHash[s]
      if (kWireBytes[row] !== wireBytes) kWireBytes[row] = wireBytes
      const len = wireBytes - tagBytes
      if (kLen[row] !== len) kLen[row] = len
      kSaddr[row] = saddr[flow]
      if (kDaddr[row] !== daddr[flow]) kDaddr[row] = daddr[flow]
      kPorts[row] = ports[flow]
      // The version nibble is set apart: 4 << 28 in an expression is a negative number.
      const ipWord = (IP_WORD_BASE | protocol | 0x40000000) >>> 0
      if (kIpWord[row] !== ipWord) kIpWord[row] = ipWord
      kIdFrag[row] = ((ipId[flow] << 16) | IP_DF) >>> 0
      if (kTotLen[row] !== ipBytes) kTotLen[row] = ipBytes
      if (kProtocol[row] !== ETH_P_IP) kProtocol[row] = ETH_P_IP
      if (kPacketType[row] !== packetType[s]) kPacketType[row] = packetType[s]
      if (packetType[s] === PACKET_TYPE.multicast) multicast[wire]++
      if (kVlanTci[row] !== vlan[s]) kVlanTci[row] = vlan[s]
      if (kFlags[row] !== flags) kFlags[row] = flags
      if (kFaults[row] !== 0) kFaults[row] = 0
      kHash[row] = hash[flow]
      if (protocol === IPPROTO_TCP) {
        if (kUdpLen[row] !== 0) kUdpLen[row] = 0
        const payload = ipBytes - 40
        if (kPayload[row] !== payload) kPayload[row] = payload
        kTcpSeq[row] = tcpSeq[flow]
        if (kTcpAck[row] !== 1) kTcpAck[row] = 1
        if (kTcpOptions[row] !== 0) kTcpOptions[row] = 0
        const tcpWord = TCP_WORD | TCP_ACK | (dPush[wire] !== 0 ? TCP_PSH : 0)
        if (kTcpWord[row] !== tcpWord) kTcpWord[row] = tcpWord
      } else if (protocol === IPPROTO_ICMP) {
        echo(row, flow, ipBytes)
      } else {
        const udpLen = ipBytes - 20
        if (kUdpLen[row] !== udpLen) kUdpLen[row] = udpLen
        const payload = ipBytes - 28
        if (kPayload[row] !== payload) kPayload[row] = payload
      }
      if (fragUnitBytes[s] !== 0) setFragment(row, s, ipBytes - IPV4_BYTES)
      if (kRequest[row] !== dRequest[wire]) kRequest[row] = dRequest[wire]
      if (kPage[row] !== 0) kPage[row] = 0
      if (dMalform[wire] !== 0) spoil(row, dMalform[wire], otherMacHash[s])
    },
    replay(wire, row) {
      kUsers[row] = 1
      const frame = dFrame[wire]
      kMacHash[row] = fMacHash[frame]
      kWireBytes[row] = fWireBytes[frame]
      kLen[row] = fLen[frame]
      kSaddr[row] = fSaddr[frame]
      kDaddr[row] = fDaddr[frame]
      kPorts[row] = fPorts[frame]
      kIpWord[row] = fIpWord[frame]
      kIdFrag[row] = fIdFrag[frame]
      kFragSum[row] = fFragSum[frame]
      kTotLen[row] = fTotLen[frame]
      kUdpLen[row] = fUdpLen[frame]
      kProtocol[row] = fProtocol[frame]
      kPacketType[row] = fPacketType[frame]
      if (fPacketType[frame] === PACKET_TYPE.multicast) multicast[wire]++
      kVlanTci[row] = fVlanTci[frame]
      kFlags[row] = fFlags[frame]
      kFaults[row] = fFaults[frame]
      kHash[row] = fHash[frame]
      kTcpSeq[row] = fTcpSeq[frame]
      kTcpAck[row] = fTcpAck[frame]
      kTcpWord[row] = fTcpWord[frame]
      kTcpOptions[row] = fTcpOptions[frame]
      kPayload[row] = fPayload[frame]
      kRequest[row] = 0
      kPage[row] = frame
    },
  }
})
