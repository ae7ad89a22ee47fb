/** A place where a packet's way ends, and the reason Linux gives. */
export interface DropPlace {
  /** Kernel function (or part of the NIC). */
  readonly where: string
  /** Name of `enum skb_drop_reason` without its prefix. */
  readonly reason: string
}

const PLACES = {
  wireError: { where: 'wire', reason: 'NIC_WIRE_ERROR' },
  nicMissed: { where: 'nic_packet_buffer', reason: 'NIC_RX_MISSED' },
  nicFilter: { where: 'nic_ntuple', reason: 'NIC_RX_MISSED' },
  noBuffer: { where: 'rx_ring', reason: 'NIC_RX_NO_BUFFER' },
  xdpNative: { where: 'bpf_prog_run_xdp', reason: 'XDP_NATIVE_DROP' },
  xdpGeneric: { where: 'do_xdp_generic', reason: 'NOT_SPECIFIED' },
  xdpRedirect: { where: 'xdp_do_redirect', reason: 'XDP' },
  devNotReady: { where: 'enqueue_to_backlog', reason: 'DEV_READY' },
  backlog: { where: 'enqueue_to_backlog', reason: 'CPU_BACKLOG' },
  flowLimit: { where: 'skb_flow_limit', reason: 'CPU_BACKLOG' },
  pfmemalloc: { where: '__netif_receive_skb_core', reason: 'PFMEMALLOC' },
  unhandledProto: { where: '__netif_receive_skb_core', reason: 'UNHANDLED_PROTO' },
  rxHandler: { where: '__netif_receive_skb_core', reason: 'NOT_SPECIFIED' },
  otherhost: { where: 'ip_rcv_core', reason: 'OTHERHOST' },
  ipHeader: { where: 'ip_rcv_core', reason: 'IP_INHDR' },
  ipCsum: { where: 'ip_rcv_core', reason: 'IP_CSUM' },
  ipTooSmall: { where: 'ip_rcv_core', reason: 'PKT_TOO_SMALL' },
  ipTrim: { where: 'ip_rcv_core', reason: 'NOT_SPECIFIED' },
  ipOptions: { where: 'ip_rcv_finish_core', reason: 'IP_INHDR' },
  ipOptionsSourceRoute: { where: 'ip_rcv_finish_core', reason: 'NOT_SPECIFIED' },
  invalidSource: { where: 'ip_rcv_finish_core', reason: 'IP_INVALID_SOURCE' },
  invalidDest: { where: 'ip_rcv_finish_core', reason: 'IP_INVALID_DEST' },
  localnet: { where: 'ip_rcv_finish_core', reason: 'IP_LOCALNET' },
  localSource: { where: 'ip_rcv_finish_core', reason: 'IP_LOCAL_SOURCE' },
  rpFilter: { where: 'ip_rcv_finish_core', reason: 'IP_RPFILTER' },
  notJoined: { where: 'ip_rcv_finish_core', reason: 'NOT_SPECIFIED' },
  addrErrors: { where: 'ip_error', reason: 'IP_INADDRERRORS' },
  noRoutes: { where: 'ip_error', reason: 'IP_INNOROUTES' },
  ipError: { where: 'ip_error', reason: 'NOT_SPECIFIED' },
  optionsNoMemory: { where: 'ip_rcv_finish_core', reason: 'NOMEM' },
  forwardTtl: { where: 'ip_forward', reason: 'IP_INHDR' },
  forwardTooBig: { where: 'ip_forward', reason: 'PKT_TOO_BIG' },
  forwardRefused: { where: 'ip_forward', reason: 'NOT_SPECIFIED' },
  fragmentTooBig: { where: 'ip_fragment', reason: 'NOT_SPECIFIED' },
  fragmentFailed: { where: 'ip_do_fragment', reason: 'NOT_SPECIFIED' },
  neighCreateFail: { where: 'ip_finish_output2', reason: 'NEIGH_CREATEFAIL' },
  icmpHeader: { where: 'icmp_rcv', reason: 'IP_INHDR' },
  neighFailed: { where: 'arp_error_report', reason: 'NEIGH_FAILED' },
  neighQueueFull: { where: '__neigh_event_send', reason: 'NEIGH_QUEUEFULL' },
  arpShort: { where: 'arp_rcv', reason: 'PKT_TOO_SMALL' },
  arpFormat: { where: 'arp_rcv', reason: 'NOT_SPECIFIED' },
  arpRefused: { where: 'arp_process', reason: 'NOT_SPECIFIED' },
  proxyQueueFull: { where: 'pneigh_enqueue', reason: 'NOT_SPECIFIED' },
  noopQdisc: { where: '__dev_xmit_skb', reason: 'QDISC_DROP' },
  qdiscReset: { where: 'qdisc_reset', reason: 'NOT_SPECIFIED' },
  noCarrier: { where: 'wire_rx', reason: 'NIC_NO_CARRIER' },
  noCarrierTx: { where: 'wire_tx', reason: 'NIC_NO_CARRIER' },
  txTimeout: { where: 'ndo_tx_timeout', reason: 'NIC_TX_TIMEOUT' },
  devClosed: { where: 'ndo_stop', reason: 'NIC_DEV_CLOSED' },
  neighPurged: { where: 'neigh_flush_dev', reason: 'QUEUE_PURGE' },
  devDown: { where: '__dev_queue_xmit', reason: 'NOT_SPECIFIED' },
  segmentFailed: { where: 'validate_xmit_skb', reason: 'NOMEM' },
  vethForward: { where: '____dev_forward_skb', reason: 'NOT_SPECIFIED' },
  vethRing: { where: 'veth_xmit', reason: 'NOT_SPECIFIED' },
  noqueueBusy: { where: '__dev_queue_xmit', reason: 'NOT_SPECIFIED' },
  qdiscOverlimit: { where: '__dev_xmit_skb', reason: 'QDISC_OVERLIMIT' },
  qdiscCongested: { where: 'codel_dequeue', reason: 'QDISC_CONGESTED' },
  fqFlowLimit: { where: 'fq_enqueue', reason: 'FQ_FLOW_LIMIT' },
  l2Multicast: { where: 'ip_rcv_finish_core', reason: 'UNICAST_IN_L2_MULTICAST' },
  fragment: { where: 'ip_defrag', reason: 'NOT_SPECIFIED' },
  noProto: { where: 'ip_local_deliver_finish', reason: 'IP_NOPROTO' },
  icmpCsum: { where: 'icmp_rcv', reason: 'ICMP_CSUM' },
  icmpInvalid: { where: 'icmp_rcv', reason: 'INVALID_PROTO' },
  icmpUnhandled: { where: 'icmp_rcv', reason: 'UNHANDLED_PROTO' },
  udpShort: { where: '__udp4_lib_rcv', reason: 'NOT_SPECIFIED' },
  udpTooSmall: { where: '__udp4_lib_rcv', reason: 'PKT_TOO_SMALL' },
  udpCsum: { where: '__udp4_lib_rcv', reason: 'UDP_CSUM' },
  udpCsumEnqueue: { where: 'udp_queue_rcv_one_skb', reason: 'UDP_CSUM' },
  udpCsumRecv: { where: 'udp_recvmsg', reason: 'UDP_CSUM' },
  udpIgnoredMulti: { where: '__udp4_lib_rcv', reason: 'NOT_SPECIFIED' },
  noSocket: { where: '__udp4_lib_rcv', reason: 'NO_SOCKET' },
  rcvbuf: { where: 'udp_queue_rcv_one_skb', reason: 'SOCKET_RCVBUFF' },
  protoMem: { where: '__udp_enqueue_schedule_skb', reason: 'PROTO_MEM' },
  socketClose: { where: 'udp_destroy_sock', reason: 'SOCKET_CLOSE' },
  tcpNoSocket: { where: 'tcp_v4_rcv', reason: 'NO_SOCKET' },
  tcpCsum: { where: 'tcp_v4_rcv', reason: 'TCP_CSUM' },
  tcpSmall: { where: 'tcp_v4_rcv', reason: 'PKT_TOO_SMALL' },
  tcpDiscard: { where: 'tcp_v4_rcv', reason: 'NOT_SPECIFIED' },
  icmpShort: { where: 'icmp_rcv', reason: 'NOT_SPECIFIED' },
  icmpTooSmall: { where: 'icmp_rcv', reason: 'PKT_TOO_SMALL' },
  pingNoSocket: { where: 'ping_rcv', reason: 'NO_SOCKET' },
  noMem: { where: '__alloc_skb', reason: 'NOMEM' },
  fragDup: { where: 'ip_defrag', reason: 'DUP_FRAG' },
  fragTooFar: { where: 'inet_frag_rbtree_purge', reason: 'FRAG_TOO_FAR' },
  fragTimeoutHead: { where: 'ip_expire', reason: 'FRAG_REASM_TIMEOUT' },
  fragTimeout: { where: 'inet_frag_rbtree_purge', reason: 'FRAG_REASM_TIMEOUT' },
  nftDrop: { where: 'nft_do_chain', reason: 'NETFILTER_DROP' },
  hookDrop: { where: 'nf_hook_slow', reason: 'NETFILTER_DROP' },
  tcIngress: { where: 'sch_handle_ingress', reason: 'TC_INGRESS' },
  nicFault: { where: 'nic_rx', reason: 'NIC_FAULT' },
  socketFilter: { where: 'udp_queue_rcv_one_skb', reason: 'SOCKET_FILTER' },
  igmpRcv: { where: 'igmp_rcv', reason: 'NOT_SPECIFIED' },
  vlanUntag: { where: 'skb_vlan_untag', reason: 'NOT_SPECIFIED' },
  pim: { where: 'pim_rcv', reason: 'NOT_SPECIFIED' },
  linkLoss: { where: 'link', reason: 'LINK_LOSS' },
  switchFull: { where: 'switch', reason: 'SWITCH_FULL' },
} as const satisfies Record<string, DropPlace>

/** Short names of the places. */
export type DropName = keyof typeof PLACES

const keys = Object.keys(PLACES) as DropName[]

/** Number of each place. */
export const DROP = Object.freeze(Object.fromEntries(keys.map((key, index) => [key, index]))) as Readonly<
  Record<DropName, number>
>

/** Places by number. */
export const DROP_PLACES: readonly DropPlace[] = keys.map((key) => PLACES[key])
