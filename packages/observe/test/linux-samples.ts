/** Texts that Linux 6.18 printed on a machine with two CPUs, to compare with. */

export const SOFTNET_STAT = [
  '09f90f0b 00000000 00000008 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000',
  '2230bfa6 000cdcdc 000570f7 00000000 00000000 00000000 00000000 00000000 00000000 00829b0b 00000000 00000000 00000001 00000000 00000000',
  '',
].join('\n')

export const SOFTIRQS = [
  '                    CPU0       CPU1       ',
  '          HI:          0          0',
  '       TIMER:     113523     139955',
  '      NET_TX:       4520       4557',
  '      NET_RX:  192711561  214994798',
  '       BLOCK:          0     532796',
  '    IRQ_POLL:          0          0',
  '     TASKLET:        123        432',
  '       SCHED:     200837     201781',
  '     HRTIMER:     122280     511076',
  '         RCU:     361169     344494',
  '',
].join('\n')

export const NET_DEV = [
  'Inter-|   Receive                                                |  Transmit',
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
  '    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0',
  '    vb:     889       8    0    0    0     0          0         0     3435       6    0    0    0     0       0          0',
  '',
].join('\n')

export const SNMP = [
  'Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits',
  'Ip: 2 64 8 0 0 0 0 0 8 6 0 0 0 0 0 0 0 0 0 6',
  'Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks OutAddrMaskReps',
  'Icmp: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 0 1 0 0 0 0 0 0 0 0 0 0',
  'IcmpMsg: OutType3',
  'IcmpMsg: 1',
  'Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors',
  'Tcp: 1 200 120000 -1 0 1 0 0 0 6 6 0 0 0 0',
  'Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors',
  'Udp: 1 1 0 1 0 0 0 0 0',
  'UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors',
  'UdpLite: 0 0 0 0 0 0 0 0 0',
  '',
].join('\n')

export const NETSTAT = [
  'TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned OutOfWindowIcmps LockDroppedIcmps ArpFilter TW TWRecycled TWKilled PAWSActive PAWSEstab BeyondWindow TSEcrRejected PAWSOldAck PAWSTimewait DelayedACKs DelayedACKLocked DelayedACKLost ListenOverflows ListenDrops TCPHPHits TCPPureAcks TCPHPAcks TCPRenoRecovery TCPSackRecovery TCPSACKReneging TCPSACKReorder TCPRenoReorder TCPTSReorder TCPFullUndo TCPPartialUndo TCPDSACKUndo TCPLossUndo TCPLostRetransmit TCPRenoFailures TCPSackFailures TCPLossFailures TCPFastRetrans TCPSlowStartRetrans TCPTimeouts TCPLossProbes TCPLossProbeRecovery TCPRenoRecoveryFail TCPSackRecoveryFail TCPRcvCollapsed TCPBacklogCoalesce TCPDSACKOldSent TCPDSACKOfoSent TCPDSACKRecv TCPDSACKOfoRecv TCPAbortOnData TCPAbortOnClose TCPAbortOnMemory TCPAbortOnTimeout TCPAbortOnLinger TCPAbortFailed TCPMemoryPressures TCPMemoryPressuresChrono TCPSACKDiscard TCPDSACKIgnoredOld TCPDSACKIgnoredNoUndo TCPSpuriousRTOs TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted TCPSackMerged TCPSackShiftFallback TCPBacklogDrop PFMemallocDrop TCPMinTTLDrop TCPDeferAcceptDrop IPReversePathFilter TCPTimeWaitOverflow TCPReqQFullDoCookies TCPReqQFullDrop TCPRetransFail TCPRcvCoalesce TCPOFOQueue TCPOFODrop TCPOFOMerge TCPChallengeACK TCPSYNChallenge TCPFastOpenActive TCPFastOpenActiveFail TCPFastOpenPassive TCPFastOpenPassiveFail TCPFastOpenListenOverflow TCPFastOpenCookieReqd TCPFastOpenBlackhole TCPSpuriousRtxHostQueues BusyPollRxPackets TCPAutoCorking TCPFromZeroWindowAdv TCPToZeroWindowAdv TCPWantZeroWindowAdv TCPSynRetrans TCPOrigDataSent TCPHystartTrainDetect TCPHystartTrainCwnd TCPHystartDelayDetect TCPHystartDelayCwnd TCPACKSkippedSynRecv TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2 TCPACKSkippedTimeWait TCPACKSkippedChallenge TCPWinProbe TCPKeepAlive TCPMTUPFail TCPMTUPSuccess TCPDelivered TCPDeliveredCE TCPAckCompressed TCPZeroWindowDrop TCPRcvQDrop TCPWqueueTooBig TCPFastOpenPassiveAltKey TcpTimeoutRehash TcpDuplicateDataRehash TCPDSACKRecvSegs TCPDSACKIgnoredDubious TCPMigrateReqSuccess TCPMigrateReqFailure TCPPLBRehash TCPAORequired TCPAOBad TCPAOKeyNotFound TCPAOGood TCPAODroppedIcmps',
  'TcpExt: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 4 0 0 0 0 0 0 0 0 0 0 0 0 0 0 4 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0',
  'IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps',
  'IpExt: 0 0 0 0 0 0 777 3351 0 0 0 0 0 8 0 0 0 0',
  '',
].join('\n')

export const INTERRUPTS = [
  '           CPU0       CPU1       ',
  ' 37:          0          0 PCI-MSIX-0000:00:03.0   0-edge      virtio2-config',
  ' 38:          0      12418 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0',
  ' 39:      10411          0 PCI-MSIX-0000:00:03.0   2-edge      virtio2-output.0',
  'NMI:          0          0   Non-maskable interrupts',
  'LOC:    1106907    2808638   Local timer interrupts',
  'SPU:          0          0   Spurious interrupts',
  'PMI:          0          0   Performance monitoring interrupts',
  'IWI:       3122       4425   IRQ work interrupts',
  'RTR:          0          0   APIC ICR read retries',
  'RES:    1135022    1627423   Rescheduling interrupts',
  'CAL:    1879536    9724843   Function call interrupts',
  'TLB:      39911      35114   TLB shootdowns',
  'TRM:          0          0   Thermal event interrupts',
  'HYP:         77         39   Hypervisor callback interrupts',
  'ERR:          0',
  'MIS:          0',
  'PIN:          0          0   Posted-interrupt notification event',
  'NPI:          0          0   Nested posted-interrupt event',
  'PIW:          0          0   Posted-interrupt wakeup event',
  '',
].join('\n')

export const ETHTOOL = [
  'NIC statistics:',
  '     peer_ifindex: 2',
  '     rx_queue_0_xdp_packets: 0',
  '     rx_queue_0_xdp_bytes: 0',
  '     rx_queue_0_drops: 0',
  '     rx_queue_0_xdp_redirect: 0',
  '     rx_queue_0_xdp_drops: 0',
  '     rx_queue_0_xdp_tx: 0',
  '     rx_queue_0_xdp_tx_errors: 0',
  '     tx_queue_0_xdp_xmit: 0',
  '     tx_queue_0_xdp_xmit_errors: 0',
  '',
].join('\n')
