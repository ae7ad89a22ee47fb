/** Whole results for the text screen. */
import type { Plan, ResultDocument } from '@softnet/scenario'
import { diagnose } from '../src/verdict/diagnose.js'
import {
  app,
  cpu,
  device,
  drop,
  flows,
  hostPlan,
  hostResult,
  latency,
  openTraffic,
  plan,
  queue,
  result,
  SIMULATED_NS,
  socket,
  task,
} from './fixtures.js'

function judged(document: ResultDocument, from: Plan): ResultDocument {
  return { ...document, verdict: diagnose(document, from) }
}

/** One queue, one CPU, 4 Mpps. */
function singleQueue(): ResultDocument {
  const stages = { clean_rx: 31e6, napi_poll: 4e6, udp_rcv: 21e6, ip_rcv: 12e6, udp_enqueue: 9e6 }
  const host = hostResult({
    cpus: [
      cpu(
        0,
        { hardirq: 0.4, softirq: 98.8, ksoftirqd: 0.8 },
        { processed: 118_358, time_squeeze: 412, squeeze_budget: 400, squeeze_time: 12 },
        stages,
      ),
      cpu(1),
      cpu(2, { hardirq: 0.2, task: 61.5 }),
      cpu(3),
    ],
    queues: [
      queue(0, 0, {
        frames: 118_358,
        dropped: 281_514,
        irqs: 7,
        polls: 1851,
        polls_done: 3,
        packets_per_poll: 63.9,
        ring_max: 511,
      }),
    ],
    tasks: [task('sink', 2, 61_500_000, { messages: 118_230, syscalls: 118_230 })],
    sockets: [socket({ received: 118_230, rmem_max_used: 132_480 })],
  })
  const document = result(host, [drop('nic', 'NIC_RX_MISSED', 281_514)], {
    scenario: 'single-queue',
    offered: 400_000,
    inFlight: 256,
    ...latency(410_000),
  })
  return judged(document, plan(hostPlan(4, { apps: [app([2])] })))
}

/** Four queues that cope. */
function rss(): ResultDocument {
  const cpus = [0, 1, 2, 3].map((n) =>
    cpu(n, { hardirq: 2.1, softirq: 38.4 + n, task: 22 }, { processed: 25_000 }, { clean_rx: 9e6, app: 11e6 }),
  )
  const queues = [0, 1, 2, 3].map((n) =>
    queue(n, n, { frames: 25_000, irqs: 4100 + n, polls: 4300, polls_done: 4100, packets_per_poll: 5.8, ring_max: 61 }),
  )
  const host = hostResult({
    cpus,
    queues,
    tasks: [0, 1, 2, 3].map((n) => task(`sink/${n}`, n, 22e6, { messages: 25_000 })),
  })
  const document = result(host, [], { scenario: 'rss-4-queues', ...latency(9_000) })
  return judged(
    document,
    plan(hostPlan(4, { devices: [device([0, 1, 2, 3])], apps: [app([0, 1, 2, 3])] }), [
      openTraffic({ arrival: { kind: 'constant', packetsPerSec: 1e6 } }),
    ]),
  )
}

/** 64 CPUs with RPS, losses of many kinds at once, two hosts' worth of names. */
function large(): ResultDocument {
  const cpus = Array.from({ length: 64 }, (_, n) =>
    cpu(
      n,
      { hardirq: n < 16 ? 9 : 0.3, softirq: n < 16 ? 89.9 : 20 + (n % 7) * 4, task: n < 16 ? 0.4 : 30 },
      { received_rps: 1200, input_qlen_max: 1001, dropped: n === 17 ? 70_000 : 0, time_squeeze: 31, squeeze_time: 31 },
    ),
  )
  const queues = Array.from({ length: 16 }, (_, n) =>
    queue(n, n, {
      frames: 3_000_000 + n * 1000,
      dropped: 50_000,
      irqs: 120_000,
      ring_max: 511,
      packets_per_poll: 22.4,
    }),
  )
  const host = hostResult({
    cpus,
    queues,
    sockets: [socket({ drops: 90_000, rmem_max_used: 213_500 })],
    rcvbufErrors: 90_000,
    gro: { MERGED: 12 },
  })
  const drops = [
    drop('wire', 'NIC_WIRE_ERROR', 300),
    drop('nic', 'NIC_RX_MISSED', 800_000),
    drop('nic', 'NIC_RX_NO_BUFFER', 40_000),
    drop('napi_poll', 'XDP_NATIVE_DROP', 1000),
    drop('enqueue_to_backlog', 'CPU_BACKLOG', 70_000),
    drop('__netif_receive_skb_core', 'UNHANDLED_PROTO', 12),
    drop('ip_rcv_core', 'IP_CSUM', 900),
    drop('ip_rcv_core', 'IP_INHDR', 700),
    drop('ip_rcv_core', 'OTHERHOST', 500),
    drop('ip_rcv_finish_core', 'IP_LOCAL_SOURCE', 10),
    drop('__udp_enqueue_schedule_skb', 'SOCKET_RCVBUFF', 90_000),
    drop('__udp4_lib_rcv', 'NO_SOCKET', 800),
    drop('__udp4_lib_rcv', 'UDP_CSUM', 700),
    drop('udp_recvmsg', 'UDP_CSUM', 3),
  ]
  const document = result(host, drops, {
    scenario: 'sixty-four CPUs with a name that goes on for much longer than anybody would like to read',
    status: 'interrupted',
    offered: 48_000_000,
    inFlight: 10_000,
    workers: 8,
    ...latency(2_000_000),
  })
  const from = plan(
    hostPlan(64, {
      devices: [
        device(
          Array.from({ length: 16 }, (_, i) => i),
          {
            queues: Array.from({ length: 16 }, (_, i) => ({
              vectorIndex: i,
              rpsCpus: [16, 17, 18, 19],
              rpsFlowCnt: 0,
            })),
          },
        ),
      ],
      apps: [app([20])],
    }),
    [openTraffic({ flows: { ...flows, count: 100_000 } })],
  )
  return judged(document, from)
}

/** Screens by name. */
export function screens(): Record<string, ResultDocument> {
  return { singleQueue: singleQueue(), rss: rss(), large: large() }
}

/** Seconds of the fixtures, for rates in tests. */
export const SECONDS = SIMULATED_NS / 1e9
