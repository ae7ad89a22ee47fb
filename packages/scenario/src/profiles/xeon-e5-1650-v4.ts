import type { CostProfile, StageCost, StageName } from '../stages.js'
import { scaledNetfilter } from './netfilter-scaled.js'
import { nsCost, scaledCost } from './stage-cost.js'
import { VM_LINUX_6_18 } from './vm-linux-6.18.js'

const GHZ = 3.8

const GENERIC_XDP = 'Brouer 2017, generic XDP evaluation (i7-6700K, mlx5, self ns of 122.5 per packet)'
const XDP_PAPER = 'Høiland-Jørgensen et al., CoNEXT 2018 (E5-1650 v4, 4.18, mlx5)'
const XDP_PROJECT = 'xdp-project test notes (E5-1650 v4, i40e, 5.1)'
const NETDEV_2023 = 'Brouer, mail to netdev, August 2023 (E5-1650 v4, 6.5)'
const CPUMAP = 'xdp-project cpumap02 (E5-1650 v4, 5.1-rc2)'
const MILLION = 'Majkowski 2015, How to receive a million packets per second'

/**
 * Part of the raw drop that the stages clean_rx, refill, netif_receive_skb, ip_rcv and kfree_skb share: 197.9 - GRO
 * 25.7 - one iptables table with its rule 26.8 = 145.4, less (softirq + net_rx_action + napi_poll) / 64 = 2.056.
 */
const SPLIT = `${XDP_PAPER} raw drop 1e9 / 5,051,787 = 197.9 - GRO 25.7 - iptables table 26.8 - 2.056 per packet of poll and softirq at 64 per poll = 143.344, split in proportion 74.9 : 6.75 : 11.2 : 5.2 : 19.1 of ${GENERIC_XDP}`

const BEYOND = `${XDP_PROJECT} drop at UdpNoPorts 1e9 / 3,380,531 = 295.811 - 147.700 up to ip_rcv - kfree_skb 23.4 = 124.711, of which no_socket 22; the other 102.711 split 48.9 : 4.7 : 28.7 as measured on Linux 6.18`

const FORWARD = `${XDP_PROJECT} IPv4 forward 574.8 - 147.700 up to ip_rcv - route 61 = 366.1, split 24.1 : 17.2 : 31.3 : 31.5 : 37 (passing on, output, queue, driver, freeing) as measured on Linux 6.18`

function published(ns: number, how: string): StageCost {
  return nsCost(ns, GHZ, how)
}

function estimate(ns: number, how: string): StageCost {
  return nsCost(ns, GHZ, `estimate: ${how}`)
}

/**
 * Cycles here per cycle of the virtual machine's profile, over stages both have figures for: netif_receive_skb, ip_rcv,
 * ip_route_input, ip_local_deliver and udp_rcv take 122.811 ns × 3.8 = 466.7 cycles here, 108.9 × 2.6 = 283.1 there.
 */
const CYCLE_RATIO = 1.65

const NO_FIGURE = `estimate: vm-linux-6.18 × ${CYCLE_RATIO} cycles (netif_receive_skb to udp_rcv: 466.7 cycles here, 283.1 there), no figure for this machine`

function fromLinux618(name: StageName): StageCost {
  return scaledCost(VM_LINUX_6_18.stages, name, CYCLE_RATIO, NO_FIGURE)
}

const STAGES_E5: CostProfile['stages'] = {
  cstate_exit: estimate(
    50,
    'software part of leaving idle (cpuidle, tick restart); the hardware part is in the C-states',
  ),
  hardirq: estimate(
    558.4,
    `750 for an interrupt with its poll, - softirq 19.6 - net_rx_action 19.2 - napi_poll 92.8 - napi_complete 60. ${XDP_PAPER} CPU use at 10 Mpps, XDP, where no moderation work is left: (62.4 - 41.0) ns × 32 per burst of the generator = 685 as a lower bound, since bursts run into each other`,
  ),
  ipi: estimate(400, 'interrupt entry and exit without a device handler, below hardirq 558'),
  hrtimer: estimate(500, 'between ipi and hardirq'),
  tick: estimate(1000, 'timer interrupt with scheduler accounting'),
  nonnapi_rx: estimate(
    99.844,
    'clean_rx 91.544 + refill 8.3: the old handler takes the frame and gives the ring a new buffer',
  ),

  softirq: published(
    19.6,
    `${GENERIC_XDP} __do_softirq 0.1 × 64 packets per pass = 6.4, + local_bh pair 7.4, + two irq pairs 2.9 (time_bench, E5-2695)`,
  ),
  net_rx_action: published(19.2, `${GENERIC_XDP} net_rx_action 0.3 × 64 packets per run`),
  napi_poll: published(
    92.8,
    `${GENERIC_XDP} mlx5e_napi_poll 0.2 × 64 = 12.8, + half of mlx5e_poll_rx_cq 1.0 and mlx5e_post_rx_wqes 1.5 × 64 = 80`,
  ),
  clean_rx: published(
    91.544,
    `${SPLIT}; share: handle_rx_cqe 42.0 with the first touch of the packet, __build_skb 12.7, build_skb 6.7, kmem_cache_alloc 4.9, get_cqe 3.6, swiotlb_sync 2.0, eth_type_trans 1.5, skb_put 1.0, half of poll_rx_cq 0.5`,
  ),
  clean_rx_byte: published(0.0257, 'as copy_to_user'),
  cold_packet: published(
    32,
    'Brouer 2017: XDP_DROP read 83.3 - no touch 50.5 = 32 for the first touch out of L3 (Skylake)',
  ),
  refill: published(8.3, `${SPLIT}; share: alloc_rx_wqe 4.5, page_release 1.5, half of post_rx_wqes 0.75`),
  xdp: published(13.3, 'xdp-project (E5-1650 v4): an XDP_PASS program'),
  gro_receive: published(25.7, `${XDP_PROJECT} raw drop with GRO 1e9 / 5,775,937 - without 1e9 / 6,783,904`),
  gro_merge: fromLinux618('gro_merge'),
  gro_flush: fromLinux618('gro_flush'),
  napi_complete: estimate(60, 'irq pair and locks 16, and 44 for the posted write that arms the completion queue'),

  netif_receive_skb: published(
    13.7,
    `${SPLIT}; share: netif_receive_skb_internal 4.7, rcu 3.4, __netif_receive_skb_core 3.1 (1.22 % where the skb memset of 9.6 ns has 3.81 %, veth + XDP sink on 5.12)`,
  ),
  net_timestamp: fromLinux618('net_timestamp'),
  tap: fromLinux618('tap'),
  vlan: fromLinux618('vlan'),
  get_rps_cpu: fromLinux618('get_rps_cpu'),
  enqueue_to_backlog: fromLinux618('enqueue_to_backlog'),
  send_ipi: estimate(200, 'write of the x2APIC command register and its serialisation'),
  process_backlog: fromLinux618('process_backlog'),
  ip_rcv: published(
    6.4,
    `${SPLIT}; share: ip_rcv_core 2.6 (1.04 % where the skb memset of 9.6 ns has 3.81 %) twice, for ip_rcv and ip_rcv_finish around it`,
  ),
  tcp_early_demux: fromLinux618('tcp_early_demux'),
  ip_route_input: published(61, BEYOND),
  ip_local_deliver: published(5.9, BEYOND),
  ip_defrag: fromLinux618('ip_defrag'),
  inet_frag_create: fromLinux618('inet_frag_create'),
  ip_frag_reasm: fromLinux618('ip_frag_reasm'),
  ip_expire: fromLinux618('ip_expire'),
  raw_deliver: fromLinux618('raw_deliver'),
  icmp_rcv: fromLinux618('icmp_rcv'),
  udp_rcv: published(35.811, BEYOND),
  tcp_rcv: fromLinux618('tcp_rcv'),
  no_socket: estimate(22, `checksum of the datagram and a refusal by the global ICMP rate limit, within ${BEYOND}`),
  udp_enqueue: published(
    180.589,
    `${NETDEV_2023} receiver on another CPU: 1e9 / 2,318,560 = 431 taken for an accepted packet - 147.700 up to ip_rcv - route, deliver, lookup 102.711; contains the cache lines of the socket that the reader holds`,
  ),
  udp_drop: published(
    102.589,
    `${NETDEV_2023} receiver on the same CPU, nearly all dropped: 1e9 / 2,831,056 = 353 - 147.700 up to ip_rcv - route, deliver, lookup 102.711; with freeing`,
  ),
  wakeup: fromLinux618('wakeup'),
  ep_poll_callback: fromLinux618('ep_poll_callback'),
  kfree_skb: published(
    23.4,
    `${SPLIT}; share: page_frag_free 6.2, kmem_cache_free 4.6, skb_release_data 2.0, skb_release_head_state 1.8, kfree_skb 1.5, and 3.0 of smaller ones`,
  ),

  schedule: fromLinux618('schedule'),
  syscall: published(
    88.446,
    `20.45 % (exit_to_user_mode 10.96, entry 5.14, sysret 4.35; UDP sink on 5.12) of 432.5 per message of ${CPUMAP}`,
  ),
  recvmsg: published(
    427.096,
    `562.202 per datagram of 18 bytes and 8 of the reader's own loop = 570, - syscall 88.446 - consume_skb 30.2 - remote_skb 16 - 18 × 0.0257; chosen between 1e9 / 1,722,307 = 580.6 (${NETDEV_2023}, reader on another CPU, one recvmsg each) and 1e9 / 2,311,585 = 432.6 (${CPUMAP}, the same program four years earlier), close to the first because that kernel is the nearer one, and because with 432.6 a reader on the same CPU under 5.1 would read 1.17 M per second where 718,135 were measured`,
  ),
  recv_timestamp: fromLinux618('recv_timestamp'),
  copy_to_user: published(
    0.0257,
    'csum_partial_copy_generic 7.76 % (UDP sink on 5.12) of 432.5 + 54.3 for a checksum of 1472 B in the copy, / 1472',
  ),
  consume_skb: published(30.2, `kfree_skb 23.4 + free_pcppages_bulk 1.57 % (UDP sink on 5.12) of 432.5 of ${CPUMAP}`),
  remote_skb: estimate(
    16,
    'a line of the sk_buff and one of the data × 7.9 for a hit in the shared L3 (LWN 629155); the misses of one datagram overlap; settled together with recvmsg',
  ),
  epoll_wait: fromLinux618('epoll_wait'),
  epoll_event: fromLinux618('epoll_event'),
  poll_fd: fromLinux618('poll_fd'),
  busy_poll: estimate(160.2, 'napi_poll 92.8 + 60 for a look at the completion queue + a bottom-half pair 7.4'),
  dim_work: published(
    17_000,
    `${XDP_PAPER} CPU use, XDP, 4.18, T-Rex in bursts of 32: busy - 41.0 per packet - 750 per burst = 8.48 % at 0.5, 13.16 % at 1 and 16.0 % at 2 Mpps. DIM of 4.18 takes ten steps in (10 (ceil(D / P) + 1) + 11) P, P the time between bursts, D this work and the command: with D = 64,000, 16,800, 17,300 and 15,600 to 18,200 per step`,
  ),
  app: fromLinux618('app'),
  sendmsg: fromLinux618('sendmsg'),
  spin: { cycles: 1, source: 'unit: one cycle of computing' },

  nf_hook_slow: fromLinux618('nf_hook_slow'),
  nf_conntrack_in: fromLinux618('nf_conntrack_in'),
  nf_nat_inet_fn: fromLinux618('nf_nat_inet_fn'),
  nft_do_chain: fromLinux618('nft_do_chain'),

  ip_forward: published(62.5, FORWARD),
  ip_output: published(44.6, FORWARD),
  dev_queue_xmit: published(81.2, FORWARD),
  qdisc: published(20.8, 'two spin lock pairs of 10.4 (time_bench on this machine)'),
  ndo_start_xmit: published(81.7, FORWARD),
  net_tx_action: estimate(19.2, 'as net_rx_action'),
  clean_tx: published(96, FORWARD),
  copy_from_user: published(0.0257, 'as copy_to_user'),
  csum_and_copy: fromLinux618('csum_and_copy'),
  skb_segment: fromLinux618('skb_segment'),
  csum_partial: fromLinux618('csum_partial'),
  skb_linearize: fromLinux618('skb_linearize'),
  skb_clone: fromLinux618('skb_clone'),
  tpacket_rcv: fromLinux618('tpacket_rcv'),
  tpacket_copy: fromLinux618('tpacket_copy'),
}

/** Xeon E5-1650 v4 at 3.8 GHz, the machine of the XDP paper and of many published receive measurements. */
export const XEON_E5_1650_V4: CostProfile = {
  name: 'xeon-e5-1650-v4',
  description:
    'Intel Xeon E5-1650 v4 (Broadwell, 6 cores, 3.8 GHz under load), 100G mlx5 or 40G i40e, kernels 4.18 to 6.5',
  frequencyHz: 3_800_000_000,
  stages: STAGES_E5,
  netfilter: scaledNetfilter(VM_LINUX_6_18.netfilter, CYCLE_RATIO, NO_FIGURE),
  latency: {
    irqDeliveryPs: 300_000,
    ipiPs: 400_000,
    nicCommandPs: 47_000_000,
    lineSmtPs: 4_300,
    lineLlcPs: 32_000,
    lineNodePs: 60_000,
    lineRemotePs: 101_800,
    source: `irqDelivery and ipi: estimate; nicCommand: 64 µs from decision to effect less the work, see dim_work; lineSmt: L2 of LWN 629155; lineLlc: first touch out of L3, 32 ns (Brouer 2017); lineRemote: ${MILLION}, reader on the other node 330k against 367k per second = 305.5 ns / 3 lines; lineNode: estimate between the two, this machine has one last-level cache`,
  },
  coldPacket: {
    sameNodeCycles: 32 * GHZ,
    otherNodeCycles: 2 * 101.8 * GHZ,
    source:
      'sameNode: one more miss of 32 ns (LWN 629155) when DDIO did not leave the packet in this last-level cache; otherNode: estimate, descriptor and header line at lineRemote. The hit in the own cache is part of clean_rx',
  },
  smtSlowdown: {
    factor: 1.776,
    source: `${MILLION}: receiver on the sibling of the softirq CPU about 200k against 355.2k per second on a core of its own`,
  },
  coldPoll: {
    cycles: 1241 * GHZ,
    source: `estimate: 1241 ns. ${XDP_PAPER} CPU use, what Linux needs beyond its packets less what XDP needs beyond its own, per burst of 32: 12.7 µs at 0.25, 6.7 at 0.5, 2.2 at 1 and nothing at 2 Mpps. It grows with the idle time before the burst (100 µs to 6 µs): what deeper idle states lose, which no cost here depends on. Taken between the last two`,
  },
  cstates: [
    {
      name: 'C1',
      exitLatencyNs: 2_000,
      targetResidencyNs: 2_000,
      source: 'general knowledge: intel_idle table for Broadwell',
    },
    {
      name: 'C1E',
      exitLatencyNs: 10_000,
      targetResidencyNs: 20_000,
      source: 'general knowledge: intel_idle table for Broadwell',
    },
    {
      name: 'C3',
      exitLatencyNs: 40_000,
      targetResidencyNs: 100_000,
      source: 'general knowledge: intel_idle table for Broadwell',
    },
    {
      name: 'C6',
      exitLatencyNs: 133_000,
      targetResidencyNs: 166_000,
      source: 'general knowledge: intel_idle table for Broadwell',
    },
  ],
  calibratedOn: [
    'XDP paper, drop by layer: raw table, one core (5,051,787 per second)',
    'XDP paper, CPU use: the rows of XDP at 0.5, 1 and 2 Mpps',
    'xdp-project, i40e on 5.1: raw drop with and without GRO',
    'xdp-project, i40e on 5.1: drop at UdpNoPorts (3,380,531 per second)',
    'UDP sink on 6.5: 431 ns accepted, 353 ns when the socket is full',
    'UDP sink, reader on another CPU on 6.5 (1,722,307 per second) and 5.1 (2,311,585), and on the same CPU on 5.1 (718,135): one reader cost between the three',
    'A million packets (another machine): readers on the sibling and on the other node',
  ],
}
