import { app, cpu, drop, hostPlan, hostResult, plan, result } from './fixtures.js'
import { type Case, calm, full } from './verdict-cases.js'

const S = 1e9

/** Verdicts about links, devices and transmit queues. */
export const LINK_CASES: readonly Case[] = [
  {
    rule: 'carrier_lost',
    document: result(
      hostResult({
        link_log: [
          { t_ns: 0.5 * S, dev: 'eth0', what: 'netif_carrier_off' },
          { t_ns: 0.5 * S, dev: 'eth0', what: 'dev_deactivate' },
          { t_ns: 0.6 * S, dev: 'eth0', what: 'netif_carrier_on' },
          { t_ns: 0.6 * S, dev: 'eth0', what: 'dev_activate' },
          { t_ns: 0.9 * S, dev: 'eth0', what: 'netif_carrier_off' },
          { t_ns: 1.5 * S, dev: 'eth0', what: 'dev_deactivate' },
        ],
      }),
      [drop('wire_tx', 'NIC_NO_CARRIER', 600), drop('__dev_xmit_skb', 'QDISC_DROP', 50)],
    ),
    plan: plan(hostPlan(4), [calm]),
    says: /went away 2 times: 650 frames.*600 were sent before linkwatch.*50 met its noop.*600 ms, from 900 ms on/,
    sets: [],
  },
  {
    rule: 'device_down',
    document: result(
      hostResult({
        link_log: [
          { t_ns: 0.5 * S, dev: 'eth0', what: 'NETDEV_GOING_DOWN' },
          { t_ns: 0.5 * S, dev: 'eth0', what: 'dev_deactivate' },
          { t_ns: 0.5 * S, dev: 'eth0', what: 'netif_carrier_off' },
          { t_ns: 0.5 * S, dev: 'eth0', what: 'NETDEV_DOWN' },
          { t_ns: 0.7 * S, dev: 'eth0', what: 'NETDEV_UP' },
        ],
      }),
      [drop('ndo_stop', 'NIC_DEV_CLOSED', 300)],
    ),
    plan: plan(hostPlan(4), [calm]),
    says: /eth0 was closed for 200 ms, from 500 ms on: 300 frames.*do not come back/,
    sets: [],
  },
  {
    rule: 'tx_timeout',
    document: result(
      hostResult({
        tx_queues: [
          {
            dev: 'eth0',
            queue: 2,
            cpu: 0,
            packets: 1000,
            bytes: 60_000,
            stops: 1,
            restarts: 1,
            tx_timeout: 1,
            ring_max: 3,
            ring_size: 512,
            bql_limit: 0,
          },
        ],
      }),
      [drop('ndo_tx_timeout', 'NIC_TX_TIMEOUT', 12), drop('__dev_xmit_skb', 'QDISC_OVERLIMIT', 400)],
    ),
    plan: plan(hostPlan(4), [calm]),
    says: /queue 2 of eth0 hung: 12 frames.*tx_timeout is 1; 400 frames/,
    sets: [],
  },
  {
    rule: 'other_cpus_queue',
    document: result(
      hostResult({
        cpus: [cpu(0, full), cpu(1, full), cpu(2, full), cpu(3, full)],
        tx_queues: [0, 1, 2, 3].map((queue) => ({
          dev: 'eth0',
          queue,
          cpu: queue,
          packets: 1000,
          bytes: 60_000,
          stops: 0,
          restarts: 0,
          remote_packets: 750,
          ring_max: 3,
          ring_size: 512,
          bql_limit: 0,
        })),
      }),
      [drop('udp_queue_rcv_one_skb', 'SOCKET_RCVBUFF', 5000)],
    ),
    plan: plan(hostPlan(4, { apps: [app([0, 1, 2, 3])] }), [calm]),
    says: /75\.0 % of what eth0 sends goes by the transmit queue of another CPU.*XPS/,
    sets: ['eth0.tx-queues=[{"xps_cpus":"1"},{"xps_cpus":"2"},{"xps_cpus":"4"},{"xps_cpus":"8"}]'],
  },
]
