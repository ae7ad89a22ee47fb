import type { CostProfile, StageCost } from '../stages.js'
import { NETFILTER_VM } from './netfilter-vm.js'
import { nsCost } from './stage-cost.js'

const GHZ = 2.6

/**
 * Ratio of the two guests behind this profile: a pipe ping-pong between two processes on one CPU takes 2630 ns on the
 * measured machine and 5057 ns on the second one, so times of the second are multiplied by 2630/5057 = 0.52.
 */
const SECOND_GUEST = 0.52

function measured(ns: number, how: string): StageCost {
  return nsCost(ns, GHZ, `measured: ${how}`)
}

function estimate(ns: number, how: string): StageCost {
  return nsCost(ns, GHZ, `estimate: ${how}`)
}

/** A time of the second guest, ns, brought to the measured machine. */
function secondGuest(ns: number, how: string): StageCost {
  return {
    cycles: ns * SECOND_GUEST * GHZ,
    source: `${ns} ns on a second guest of the same kernel (2 CPUs, EPYC 9004, nested) × ${SECOND_GUEST} × ${GHZ} GHz: ${how}`,
  }
}

const STAGES_VM: CostProfile['stages'] = {
  cstate_exit: estimate(
    100,
    'software part of leaving idle (cpuidle, tick restart); the hardware part is in the C-states',
  ),
  hardirq: secondGuest(
    5268,
    'estimate: a device vector taken as long as an inter-processor interrupt (median of 20,008 gaps it leaves in a running task)',
  ),
  ipi: secondGuest(5268, 'membarrier(2) every 20 µs to a running CPU, median gap in a loop that reads the clock there'),
  hrtimer: secondGuest(5268, 'estimate: taken as long as an inter-processor interrupt'),
  tick: estimate(3240, 'interrupt as for ipi (2740 ns) + 500 ns of scheduler and timer work'),
  nonnapi_rx: estimate(
    107.1,
    'clean_rx 82.5 + refill 24.6: the old handler takes the frame and gives the ring a new buffer',
  ),

  softirq: measured(28.4, 'udp64_veth, "softirq entry/exit", one pass per packet'),
  net_rx_action: measured(
    19.4,
    'udp64_veth, "skb free" in softirq: taken as fixed work of the run because udp64_tun, where no net_rx_action runs, has none',
  ),
  napi_poll: measured(11.5, 'udp64_tun_napi, "napi poll/backlog", one poll per packet'),
  clean_rx: measured(
    82.5,
    'skb alloc 47.4 (udp64_tun) + driver 35.1 (udp64_veth_gro, veth_poll): the two rows together stand for a virtual NIC without DMA sync',
  ),
  clean_rx_byte: measured(0.0181, 'as copy_to_user'),
  cold_packet: measured(25.4, 'one cache line of another CPU, see latency'),
  refill: measured(24.6, 'udp64_veth_xdpnative_drop, "skb alloc" in softirq: one page_pool buffer per packet'),
  xdp: measured(17, 'udp64_veth_xdpgeneric_pass core 28.0 - udp64_veth core 11.0'),
  gro_receive: measured(
    57.5,
    'udp64_veth_gro against udp64_veth: GRO 26.5 + ip_rcv 29.2 - 15.6 (inet_gro_receive) + core 28.4 - 11.0 (list delivery)',
  ),
  gro_merge: measured(6.7, 'tcp_veth_notso_gro GRO 33.2 per segment - udp64_veth_gro GRO 26.5'),
  gro_flush: estimate(26.5, 'completing one held packet taken as long as receiving one (udp64_veth_gro GRO 26.5)'),
  napi_complete: measured(
    23.5,
    'udp64_tun_napi locks 43.4 per one-packet poll - 19.9 of the UDP enqueue; the rest is taken as leaving the poll',
  ),

  netif_receive_skb: measured(11, 'udp64_veth, "netif_receive core"'),
  net_timestamp: secondGuest(
    22.2,
    'clock_gettime(CLOCK_REALTIME) in the vDSO, which reads the same clock (tsc) as ktime_get_real',
  ),
  tap: secondGuest(
    417,
    'sendto of 18 B on a veth device with a packet socket that queues 2874.2 - without one 2457.3 (processor time of the thread, lower quartile of 25 runs of 3000): clone, filter, queue',
  ),
  vlan: estimate(16.5, 'untag 5.5 and a second turn through the core 11.0 (udp64_veth)'),
  get_rps_cpu: measured(
    14.9,
    'udp64_veth_rps_self 14.4 - udp64_veth 10.5 = 3.9 for the maps, + 11.0 software flow hash (udp64_tun), as virtio_net gives none',
  ),
  enqueue_to_backlog: measured(10.5, 'udp64_veth, "rps/backlog enqueue" in the sender'),
  send_ipi: secondGuest(
    1475,
    'membarrier(2) to a running CPU 8566 - alone 347 = 8219, - 5268 at the receiver = 2951, half of it for the sender',
  ),
  process_backlog: measured(
    22.1,
    'udp64_veth "napi poll/backlog" 11.3 + locks 54.2 - 19.9 (UDP enqueue) - 23.5 (napi_complete) = 10.8',
  ),
  ip_rcv: measured(15.6, 'udp64_veth, "ip_rcv"'),
  tcp_early_demux: secondGuest(
    51.2,
    'TCP segments with a bad checksum written to a tun device, tcp_early_demux 1 (1446.2) against 0 (1400.1): median difference of 301 pairs of bursts of 4000',
  ),
  ip_route_input: measured(48.9, 'udp64_veth, routing/fib (in) 40.3 + early demux 8.6'),
  ip_local_deliver: measured(4.7, 'udp64_veth, "ip_local_deliver"'),
  ip_defrag: secondGuest(
    133,
    'duplicate fragments written to a TUN, 1459 ns each: perf cpu-clock shares of ip_defrag itself 3.8 %, inet_frag_find 4.4 %, inet_frag_queue_insert 0.9 %',
  ),
  inet_frag_create: secondGuest(
    538,
    'datagrams of two fragments written to a TUN, 5278 ns each: inet_frag_find 8.5 % = 447 - two look-ups 128, + inet_frag_kill 2.3 % + inet_frag_destroy 1.9 % = 219',
  ),
  ip_frag_reasm: secondGuest(
    473,
    'the same: inet_frag_reasm_prepare 5.3 % + inet_frag_reasm_finish 3.7 %; eight fragments take 527, so nearly all of it is per datagram',
  ),
  ip_expire: secondGuest(
    81,
    'estimate: the callback taken as long as __mod_timer in the same recording, 1.5 % of 5278',
  ),
  raw_deliver: estimate(89.5, 'as tap: a clone queued to one more socket'),
  icmp_rcv: estimate(41.5, 'half of "icmp" 83.0 in udp64_tun_closed'),
  udp_rcv: measured(28.7, 'udp64_veth, "udp rcv + lookup"'),
  tcp_rcv: estimate(50.8, 'half of "tcp rcv" 101.5 in tcp_veth_notso: checks and lookup without the connection'),
  no_socket: measured(
    290.7,
    'udp64_tun_closed 658.5 - udp64_tun_fullsock 397.1 + udp_drop 64.6 - skb free 35.3; ICMP rate limited, route of the reply looked up before',
  ),
  udp_enqueue: measured(
    73.2,
    'udp64_veth "udp/socket enqueue" 45.9 + sock_def_readable without sleeper 7.4 + locks 19.9 (udp64_tun 27.6 - udp64_tun_badsum 7.7)',
  ),
  udp_drop: measured(
    64.6,
    'udp64_tun_fullsock "udp/socket enqueue" 20.6 + skb free 33.4 + locks 10.6 (18.3 - udp64_tun_badsum 7.7)',
  ),
  wakeup: measured(
    371.5,
    'udp64_pingpong_lo_samecpu locks in softirq 836.6 - 2 × 46.8 (udp64_lo), / 2 wake-ups: try_to_wake_up runs with interrupts off and is sampled where they come back on',
  ),
  ep_poll_callback: secondGuest(
    217,
    'loopback send + recv of 18 B with the socket in an epoll set 3273 - without 3056',
  ),
  kfree_skb: measured(30.4, 'udp64_tun_badsum, "skb free"'),

  schedule: measured(614.9, 'udp64_pingpong_lo_samecpu "schedule" 1229.7 / 2 switches (pipe_pingpong_samecpu: 479.4)'),
  syscall: measured(
    95.7,
    'udp64_veth_batch1 entry/exit of recvmmsg 76.9 + half of 37.6, less the share at 64 messages (ping-pong: 261.9 / 4 = 65.5)',
  ),
  recvmsg: measured(
    154.3,
    'udp64_veth recv 192.5 at 64 messages per call - skb free 35.7 - syscall 1.3 - 64 B × 0.0181 = 1.2; a call for one message costs 190 more than the stages charge, 75 of it in the C library',
  ),
  recv_timestamp: secondGuest(
    93.3,
    'recvmsg of 22 B with SO_TIMESTAMP 795.9 against 702.7 without, packets stamped in both: median difference of 301 pairs of 200 calls',
  ),
  copy_to_user: measured(0.0181, '"copy user" of recv: udp1400_veth 60.1 - udp64_veth 35.9 over 1336 B'),
  consume_skb: measured(35.7, 'udp64_veth, "skb free" in recv'),
  remote_skb: estimate(76.2, 'three lines (two of the sk_buff, one of data) × 25.4, see latency'),
  epoll_wait: secondGuest(168.8, 'one ready socket 492.8 - empty call 158.5 - epoll_event 165.5'),
  epoll_event: secondGuest(165.5, '(64 ready sockets 10,918 - one 492.8) / 63, level triggered'),
  poll_fd: secondGuest(51, '(poll of 512 sockets 26,346 - of one 299) / 511'),
  busy_poll: estimate(50, 'napi_poll 11.5 + napi_complete 23.5 + 15 for the loop and bottom-half locks'),
  app: measured(6.5, 'udp64_veth, "user code" per packet of a loop that only sends and receives'),
  sendmsg: measured(
    385.7,
    'udp64_veth send 476.9 - 10.5 of the backlog enqueue at the peer - ip_output 17.2 - dev_queue_xmit 31.3 - ndo_start_xmit 31.5 - 64 B × 0.0116 = 0.7',
  ),
  dim_work: { cycles: 17_000 * 3.8, source: 'estimate: cycles of xeon-e5-1650-v4, whose card is given a command too' },
  spin: { cycles: 1, source: 'unit: one cycle of computing' },

  nf_hook_slow: secondGuest(
    85,
    'UDP written to a TUN device with one empty base chain against none: 92 ns at hook prerouting, 123 at input, - nft_do_chain 21.7',
  ),
  nf_conntrack_in: secondGuest(
    251,
    'ct state in a chain at hook input 2001.9 ns - meta mark there 1665.2 = 336.7, - nf_hook_slow 85 at hook prerouting; tracking, confirmation and defragmentation together',
  ),
  nf_nat_inet_fn: secondGuest(33, 'a chain of type nat without rules, one flow: 2054.5 - 1987.1 = 67.4 ns / 2 hooks'),
  nft_do_chain: secondGuest(21.7, 'the same with 32 more empty base chains: 695.7 ns / 32'),

  ip_forward: measured(24.1, 'udp64_fwd, "ip forward"'),
  ip_output: measured(17.2, 'udp64_veth, "neigh/ip_finish_output" in send'),
  dev_queue_xmit: measured(31.3, 'udp64_veth, "dev_queue_xmit/qdisc" in send'),
  qdisc: estimate(20.8, 'two spin lock pairs of 10.4 (time_bench, E5-1650 v4)'),
  ndo_start_xmit: measured(31.5, 'udp64_veth, "driver veth/tun" in send, taken for a virtual NIC'),
  net_tx_action: estimate(19.4, 'as net_rx_action'),
  clean_tx: measured(37, 'udp64_veth in softirq, "skb free" 19.4 + "skb orphan/wfree" 17.6'),
  copy_from_user: measured(0.0116, '"copy user" of send: udp1400_veth 72.1 - udp64_veth 56.6 over 1336 B'),
  csum_and_copy: secondGuest(
    0.0097,
    'send of 1400 B - 64 B over 1336 B into a full tun device, tx-checksumming off 68 (1805.5 - 1737.2) against on 55 (median of two runs)',
  ),
  skb_segment: secondGuest(
    237.7,
    'UDP_SEGMENT 1400 of 61,600 B into a full tun device, tx-udp-segmentation off 16,928 - on 3805 = 13,123 ns / 44, - ndo_start_xmit 31.5 / 0.52 per segment',
  ),
  csum_partial: secondGuest(
    0.064,
    'the same with 28,000 B in software, tx-checksumming off 10,831 - on 9077 over 28,000 B (means of two runs)',
  ),
  skb_linearize: secondGuest(
    0.061,
    'the same with the card’s segmentation, scatter-gather off 4240 - on 2524 over 28,000 B',
  ),
  skb_clone: secondGuest(
    283,
    'sendto of 18 B on a veth device with a packet socket whose filter refuses all 2740.5 - without one 2457.3: clone, filter and freeing',
  ),
  tpacket_rcv: secondGuest(
    285,
    'the same with a TPACKET_V3 ring 3025.9 - with the filter that refuses all 2740.5; TPACKET_V2 takes 411',
  ),
  tpacket_copy: secondGuest(
    0.06,
    'what the TPACKET_V3 ring adds to a sendto of 1400 B 651.5 - of 18 B 568.6, over 1382 B',
  ),
}

/** Linux 6.18 on a 2-CPU virtual machine, measured stage by stage. */
export const VM_LINUX_6_18: CostProfile = {
  name: 'vm-linux-6.18',
  description:
    'Linux 6.18.44 in a 2-CPU virtual machine with Sapphire Rapids features, perf cpu-clock samples per stage; interrupts and epoll from a second guest of the same kernel',
  frequencyHz: 2_600_000_000,
  stages: STAGES_VM,
  netfilter: NETFILTER_VM,
  latency: {
    irqDeliveryPs: 770_000,
    nicCommandPs: 47_000_000,
    ipiPs: 770_000,
    lineSmtPs: 4_300,
    lineLlcPs: 25_400,
    lineNodePs: 60_000,
    lineRemotePs: 101_800,
    source:
      'nicCommand: that of xeon-e5-1650-v4; irqDelivery and ipi: the other half of 2951 ns (see send_ipi) × 0.52; lineLlc: measured on the second guest, two threads handing a line to and fro 50.9 ns / 2, in time and not scaled; lineSmt: L2 of LWN 629155; lineRemote: Majkowski 2015, see xeon-e5-1650-v4; lineNode: estimate between lineLlc and lineRemote',
  },
  coldPacket: {
    sameNodeCycles: 25.4 * GHZ,
    otherNodeCycles: 2 * 101.8 * GHZ,
    source: 'sameNode: one line at lineLlc; otherNode: estimate, descriptor and header line at lineRemote',
  },
  smtSlowdown: {
    factor: 1.776,
    source:
      'estimate: 355.2k / 200k packets per second of Majkowski 2015, see xeon-e5-1650-v4; the guest shows no siblings',
  },
  coldPoll: {
    cycles: 1241 * 3.8,
    source: 'estimate: cycles of xeon-e5-1650-v4; the measured scenarios run one hot thread and cannot show it',
  },
  cstates: [
    {
      name: 'HLT',
      exitLatencyNs: 4_500,
      targetResidencyNs: 1_000,
      source:
        'second guest: pipe ping-pong between two CPUs 42,906 ns halting, 25,595 ns with idle-class spinners that keep both from halting; 17,311 / 2 × 0.52; residency as its cpuidle driver (haltpoll) states',
    },
  ],
  calibratedOn: [
    'stage measurements: udp64_veth, udp1400_veth, udp64_veth_batch1, udp64_veth_gro, udp64_veth_rps_self, udp64_veth_xdpgeneric_pass, udp64_veth_xdpnative_drop',
    'stage measurements: udp64_tun, udp64_tun_napi, udp64_tun_fullsock, udp64_tun_closed, udp64_tun_badsum',
    'stage measurements: udp64_lo, udp64_pingpong_lo_samecpu, pipe_pingpong_samecpu, tcp_veth_notso, tcp_veth_notso_gro',
    'second guest: rules of netfilter one by one (netfilter-vm.ts)',
    'second guest: IPI, epoll, poll and cache line loops',
  ],
}
