/** Names of /proc counters in the order each kernel version prints them. */
import type { KernelVersion } from '@softnet/scenario/plan'

const ORDER: readonly KernelVersion[] = ['4.14', '4.18', '5.1', '6.5', '6.18']

/** Whether a version is at least another. */
export function kernelSince(kernel: string, since: KernelVersion): boolean {
  const index = ORDER.indexOf(kernel as KernelVersion)
  // A version this table does not know is taken as the newest.
  return index < 0 || index >= ORDER.indexOf(since)
}

/** Names with the first version that prints each: `name` for all, `name@6.18` from there on, `name@-4.18` before it. */
function columns(text: string): (kernel: string) => string[] {
  const entries = text
    .trim()
    .split(/\s+/)
    .map((entry) => entry.split('@') as [string, string | undefined])
  return (kernel) =>
    entries
      .filter(([, rule]) => {
        if (rule === undefined) return true
        return rule.startsWith('-')
          ? !kernelSince(kernel, rule.slice(1) as KernelVersion)
          : kernelSince(kernel, rule as KernelVersion)
      })
      .map(([name]) => name)
}

/** Columns of /proc/net/snmp by protocol, in order. Kernel: net/ipv4/proc.c, snmp4_ipstats_list and the lists after it. */
export const SNMP_COLUMNS: readonly (readonly [string, (kernel: string) => string[]])[] = [
  [
    'Ip',
    columns(`Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards
      InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails
      FragCreates OutTransmits@6.18`),
  ],
  [
    'Icmp',
    columns(`InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos
      InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal@6.5
      OutRateLimitHost@6.5 OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps
      OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps`),
  ],
  [
    'Tcp',
    columns(`RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs
      OutSegs RetransSegs InErrs OutRsts InCsumErrors`),
  ],
  [
    'Udp',
    columns(`InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti
      MemErrors@6.5`),
  ],
  [
    'UdpLite',
    columns(`InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti
      MemErrors@6.5`),
  ],
]

/** Values that Linux prints where nothing was counted. */
export const SNMP_CONSTANTS: Readonly<Record<string, number>> = {
  'Ip.Forwarding': 2,
  'Ip.DefaultTTL': 64,
  'Tcp.RtoAlgorithm': 1,
  'Tcp.RtoMin': 200,
  'Tcp.RtoMax': 120_000,
  'Tcp.MaxConn': -1,
}

/** Columns of /proc/net/netstat by group, in order. Kernel: net/ipv4/proc.c, snmp4_net_list and snmp4_ipextstats_list. */
export const NETSTAT_COLUMNS: readonly (readonly [string, (kernel: string) => string[]])[] = [
  [
    'TcpExt',
    columns(`SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned
      OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive PAWSEstab BeyondWindow@6.18
      TSEcrRejected@6.18 PAWSOldAck@6.18 PAWSTimewait@6.18 DelayedACKs DelayedACKLocked DelayedACKLost ListenOverflows
      ListenDrops TCPHPHits TCPPureAcks TCPHPAcks TCPRenoRecovery TCPSackRecovery TCPSACKReneging TCPFACKReorder@-4.18
      TCPSACKReorder TCPRenoReorder TCPTSReorder TCPFullUndo TCPPartialUndo TCPDSACKUndo TCPLossUndo TCPLostRetransmit
      TCPRenoFailures TCPSackFailures TCPLossFailures TCPFastRetrans TCPSlowStartRetrans TCPTimeouts TCPLossProbes
      TCPLossProbeRecovery TCPRenoRecoveryFail TCPSackRecoveryFail TCPRcvCollapsed TCPBacklogCoalesce@5.1
      TCPDSACKOldSent TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory
      TCPAbortOnTimeout TCPAbortOnLinger TCPAbortFailed TCPMemoryPressures TCPMemoryPressuresChrono TCPSACKDiscard
      TCPDSACKIgnoredOld TCPDSACKIgnoredNoUndo TCPSpuriousRTOs TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure
      TCPSackShifted TCPSackMerged TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop TCPMinTTLDrop TCPDeferAcceptDrop
      IPReversePathFilter TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop TCPRetransFail TCPRcvCoalesce
      TCPOFOQueue TCPOFODrop TCPOFOMerge TCPChallengeACK TCPSYNChallenge TCPFastOpenActive TCPFastOpenActiveFail
      TCPFastOpenPassive TCPFastOpenPassiveFail TCPFastOpenListenOverflow TCPFastOpenCookieReqd TCPFastOpenBlackhole
      TCPSpuriousRtxHostQueues BusyPollRxPackets TCPAutoCorking TCPFromZeroWindowAdv TCPToZeroWindowAdv
      TCPWantZeroWindowAdv TCPSynRetrans TCPOrigDataSent TCPHystartTrainDetect TCPHystartTrainCwnd
      TCPHystartDelayDetect TCPHystartDelayCwnd TCPACKSkippedSynRecv TCPACKSkippedPAWS TCPACKSkippedSeq
      TCPACKSkippedFinWait2 TCPACKSkippedTimeWait TCPACKSkippedChallenge TCPWinProbe TCPKeepAlive TCPMTUPFail
      TCPMTUPSuccess TCPDelivered@4.18 TCPDeliveredCE@4.18 TCPAckCompressed@4.18 TCPZeroWindowDrop@5.1 TCPRcvQDrop@5.1
      TCPWqueueTooBig@6.5 TCPFastOpenPassiveAltKey@6.5 TcpTimeoutRehash@6.5 TcpDuplicateDataRehash@6.5
      TCPDSACKRecvSegs@6.5 TCPDSACKIgnoredDubious@6.5 TCPMigrateReqSuccess@6.5 TCPMigrateReqFailure@6.5 TCPPLBRehash@6.5
      TCPAORequired@6.18 TCPAOBad@6.18 TCPAOKeyNotFound@6.18 TCPAOGood@6.18 TCPAODroppedIcmps@6.18`),
  ],
  [
    'IpExt',
    columns(`InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets
      InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts
      ReasmOverlaps@5.1`),
  ],
]
