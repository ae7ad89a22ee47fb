/** Screens as they were reviewed, by the name of the result and the width. */

export const EXPECTED_SCREENS: Readonly<Record<string, { readonly columns: number; readonly text: string }>> = {
  'singleQueue 100': {
    columns: 100,
    text: `single-queue · Linux 6.18 · xeon-e5-1650-v4 · seed 1 · 100 ms simulated in 412 ms · digest 9f3a21c0

  offered    400,000  4.00 Mpps  100.0 %
  delivered  118,230  1.18 Mpps   29.6 %
  dropped    281,514  2.82 Mpps   70.4 %
  400,000 offered = 118,230 delivered + 281,514 dropped + 256 in flight

PATH                passed       rate                                lost
  wire          │  400,000  4.00 Mpps  ████████████████████████
  NIC buffer    ├  118,486  1.18 Mpps  ███████▏░░░░░░░░░░░░░░░░  -281,514  70.4 %  NIC_RX_MISSED nic
  RX ring       │  118,486  1.18 Mpps  ███████▏
  NAPI softirq  │  118,486  1.18 Mpps  ███████▏
  IP            │  118,486  1.18 Mpps  ███████▏
  UDP, socket   │  118,230  1.18 Mpps  ███████▏
  application   ▼  118,230  1.18 Mpps  ███████▏

CPU     % of its time                              █ hardirq  ▓ softirq  ▒ ksoftirqd  ░ task  · idle
  cpu0  ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▒        0.4       98.8          0.8
  cpu1  ·········································                                              100.0
  cpu2  ░░░░░░░░░░░░░░░░░░░░░░░░░················        0.2                            61.5    38.3
  cpu3  ·········································                                              100.0

QUEUE        irq  cpu   frames       rate   irqs  pkts/poll  ring max     lost
  eth0-rx-0   24    0  118,358  1.18 Mpps  70 /s       63.9   511/512  281,514
  time_squeeze 412 (400 by packets, 12 by time)
  fullest socket sink 0.0.0.0:9000 used 132,480 of 212,992 B

LATENCY  last bit at the port to recvmsg, 2,000 packets
     min     p50     p90      p99    p99.9      max    mean
  246 µs  371 µs  469 µs  3.13 ms  3.69 ms  3.74 ms  477 µs
           ███▆█████▆██▅
  246 µs ███████████████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ 3.74 ms  log

VERDICT  one_queue
  281,514 frames found no descriptor: the ring of eth0 queue 0 reached 511 of 512 because all
  traffic of eth0 has one queue, and so one CPU. cpu0 spends 99.6 % of its time in softirq, at 845
  ns a frame it takes at most 1.18 Mpps, clean_rx is its largest stage (40.3 %), while 2 of 3 other
  CPUs are mostly idle. Give the card more queues, or steer packets with RPS.
  --set eth0.channels.combined=4  RSS spreads flows over 4 queues
  --set eth0.queues.rps_cpus=e    RPS moves IP and UDP off cpu0
`,
  },
  'rss 80': {
    columns: 80,
    text: `rss-4-queues · Linux 6.18 · xeon-e5-1650-v4 · seed 1
  100 ms simulated in 412 ms · digest 9f3a21c0

  offered    100,000  1.00 Mpps  100.0 %
  delivered  100,000  1.00 Mpps  100.0 %
  dropped          0               0.0 %
  100,000 offered = 100,000 delivered

PATH                passed       rate                              lost
  wire          │  100,000  1.00 Mpps  ██████████████████████████
  NIC buffer    │  100,000  1.00 Mpps  ██████████████████████████
  RX rings ×4   │  100,000  1.00 Mpps  ██████████████████████████
  NAPI softirq  │  100,000  1.00 Mpps  ██████████████████████████
  IP            │  100,000  1.00 Mpps  ██████████████████████████
  UDP, socket   │  100,000  1.00 Mpps  ██████████████████████████
  application   ▼  100,000  1.00 Mpps  ██████████████████████████

CPU     % of its time          █ hardirq  ▓ softirq  ▒ ksoftirqd  ░ task  · idle
  cpu0  █▓▓▓▓▓▓▓░░░░░········        2.1       38.4                 22.0    37.5
  cpu1  █▓▓▓▓▓▓▓░░░░░········        2.1       39.4                 22.0    36.5
  cpu2  █▓▓▓▓▓▓▓▓░░░░░·······        2.1       40.4                 22.0    35.5
  cpu3  █▓▓▓▓▓▓▓▓░░░░░·······        2.1       41.4                 22.0    34.5

QUEUE        irq  cpu      rate      irqs  pkts/poll  ring max  lost
  eth0-rx-0   24    0  250 kpps  41.0 k/s        5.8    61/512
  eth0-rx-1   25    1  250 kpps  41.0 k/s        5.8    61/512
  eth0-rx-2   26    2  250 kpps  41.0 k/s        5.8    61/512
  eth0-rx-3   27    3  250 kpps  41.0 k/s        5.8    61/512

LATENCY  last bit at the port to recvmsg, 2,000 packets
      min      p50      p90      p99    p99.9      max     mean
  5.40 µs  8.13 µs  10.3 µs  68.6 µs  80.9 µs  82.1 µs  10.5 µs
                   ▄▆█▄
  5.40 µs ▇▇█▇▇█▇▇█████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ 82.1 µs  log

VERDICT  none
  No packet was lost: 100,000 offered, 100,000 delivered. The busiest CPU, cpu3,
  is 65.5 % busy (softirq 41.4 %, hard interrupts 2.1 %, tasks 22.0 %); its
  largest stage is app (55.0 % of the busy time). Half of the packets were read
  within 8.13 µs and 99 % within 68.6 µs; nothing needs to change.
`,
  },
  'large 100': {
    columns: 100,
    text: `sixty-four CPUs with a name that goes on for much… · Linux 6.18 · xeon-e5-1650-v4 · seed 1
  100 ms simulated in 412 ms by 8 workers · digest 9f3a21c0
  interrupted: everything below is the run up to 100 ms

  offered    48,000,000   480 Mpps  100.0 %
  delivered  46,985,075   470 Mpps   97.9 %
  dropped     1,004,925  10.0 Mpps    2.1 %
  48,000,000 offered = 46,985,075 delivered + 1,004,925 dropped + 10,000 in flight

PATH                    passed                  lost
  wire           ├  47,999,700  ██████████      -300  <0.1 %  NIC_WIRE_ERROR wire
  NIC buffer     ├  47,199,700  █████████▉  -800,000   1.7 %  NIC_RX_MISSED nic
  RX rings ×16   ├  47,159,700  █████████▉   -40,000   0.1 %  NIC_RX_NO_BUFFER nic
  NAPI softirq   ├  47,158,700  █████████▉    -1,000  <0.1 %  XDP_NATIVE_DROP napi_poll
  backlog        ├  47,088,700  █████████▊   -70,000   0.1 %  CPU_BACKLOG enqueue_to_backlog
  netif_receive  ├  47,088,688  █████████▊       -12  <0.1 %  UNHANDLED_PROTO __netif_receive_skb…
  IP             ├  47,086,578  █████████▊      -900  <0.1 %  IP_CSUM +3 ip_rcv_core
  UDP, socket    ├  46,985,078  █████████▊   -90,000   0.2 %  SOCKET_RCVBUFF +2 __udp_enqueue_sched…
  application    ▼  46,985,075  █████████▊        -3  <0.1 %  UDP_CSUM udp_recvmsg

CPU  █ hardirq  ▓ softirq  ▒ ksoftirqd  ░ task  · idle
  cpu0  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu4  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  cpu1  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu5  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  cpu2  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu6  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  cpu3  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu7  ███▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  all 64 CPUs busy: min 50.3 %   median 66.3 %   max 99.3 %

QUEUE         irq  cpu     frames       rate      irqs  pkts/poll  ring max    lost
  eth0-rx-15   39   15  3,015,000  30.1 Mpps  1.20 M/s       22.4   511/512  50,000
  eth0-rx-14   38   14  3,014,000  30.1 Mpps  1.20 M/s       22.4   511/512  50,000
  all 16 queues, frames: min 3,000,000   median 3,007,500   max 3,015,000
  time_squeeze 1,984 (1,984 by time)   RPS IPIs 76,800   longest backlog 1,001   GRO merged 12
  fullest socket sink 0.0.0.0:9000 used 213,500 of 212,992 B

LATENCY  last bit at the port to recvmsg, 2,000 packets
      min      p50      p90      p99    p99.9      max     mean
  1.20 ms  1.80 ms  2.29 ms  15.2 ms  18.0 ms  18.2 ms  2.33 ms
  1.20 ms ▄▄▄▄▄▄▄▄▄▄▄▄▄▄█▃▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ 18.2 ms  log

VERDICT  cpu_saturated
  840,000 frames found no descriptor: the ring of eth0 queue 15 reached 511 of 512 because the 16
  CPUs that poll eth0 can take no more. cpu15 spends 89.9 % of its time in softirq and 9.0 % in hard
  interrupts, at 32.8 ns a frame it takes at most 30.5 Mpps. Bring in the CPUs that are idle.
  --set eth0.channels.combined=64  a queue for each CPU
`,
  },
  'large 72': {
    columns: 72,
    text: `sixty-four CPUs with a name that go… · Linux 6.18 · xeon-e5-1650-v4
  seed 1 · 100 ms simulated in 412 ms by 8 workers · digest 9f3a21c0
  interrupted: everything below is the run up to 100 ms
  offered    48,000,000   480 Mpps  100.0 %
  delivered  46,985,075   470 Mpps   97.9 %
  dropped     1,004,925  10.0 Mpps    2.1 %
  48,000,000 offered = 46,985,075 delivered + 1,004,925 dropped + 10,000
  in flight
PATH                    passed                   lost
  wire           ├  47,999,700  ███████████      -300  NIC_WIRE_ERROR
  NIC buffer     ├  47,199,700  ██████████▉  -800,000  NIC_RX_MISSED
  RX rings ×16   ├  47,159,700  ██████████▊   -40,000  NIC_RX_NO_BUFFER
  NAPI softirq   ├  47,158,700  ██████████▊    -1,000  XDP_NATIVE_DROP
  backlog        ├  47,088,700  ██████████▊   -70,000  CPU_BACKLOG
  netif_receive  ├  47,088,688  ██████████▊       -12  UNHANDLED_PROTO
  IP             ├  47,086,578  ██████████▊      -900  IP_CSUM +3
  UDP, socket    ├  46,985,078  ██████████▊   -90,000  SOCKET_RCVBUFF +2
  application    ▼  46,985,075  ██████████▊        -3  UDP_CSUM
CPU  █ hardirq  ▓ softirq  ▒ ksoftirqd  ░ task  · idle
  cpu0  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu4  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  cpu1  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu5  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  cpu2  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu6  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  cpu3  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %  cpu7  ██▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓·  99.3 %
  all 64 CPUs busy: min 50.3 %   median 66.3 %   max 99.3 %
QUEUE         irq  cpu       rate      irqs  pkts/poll  ring max    lost
  eth0-rx-15   39   15  30.1 Mpps  1.20 M/s       22.4   511/512  50,000
  all 16 queues, frames: min 3,000,000   median 3,007,500   max 3,015,0…
  time_squeeze 1,984 (1,984 by time)   RPS IPIs 76,800
LATENCY  last bit at the port to recvmsg, 2,000 packets
      min      p50      p90      p99    p99.9      max     mean
  1.20 ms  1.80 ms  2.29 ms  15.2 ms  18.0 ms  18.2 ms  2.33 ms
  1.20 ms ▄▄▄▄▄▄▄▄▄▄█▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ 18.2 ms  log
VERDICT  cpu_saturated
  840,000 frames found no descriptor: the ring of eth0 queue 15 reached
  511 of 512 because the 16 CPUs that poll eth0 can take no more. cpu15
  spends 89.9 % of its time in softirq and 9.0 % in hard interrupts, at
  32.8 ns a frame it takes at most 30.5 Mpps. Bring in the CPUs that are
  idle.
  --set eth0.channels.combined=64  a queue for each CPU
`,
  },
}
