import type { LinkPortRow, LinkResult, Plan } from '@softnet/scenario'
import { drop, hostPlan, hostResult, plan, result } from './fixtures.js'
import { type Case, calm } from './verdict-cases.js'

function port(change: Partial<LinkPortRow>): LinkPortRow {
  const none = { lost: 0, duplicated: 0, reordered: 0, overflow: 0, flooded: 0, foreign: 0 }
  return { to: 'server/eth0', frames: 90_000, bytes: 90_000_000, load: 0.5, ...none, ...change }
}

const way = (kind: LinkResult['kind'], change: Partial<LinkPortRow>): Record<string, LinkResult> => ({
  lan: { kind, ports: [port({ to: 'client/eth0' }), port(change)] },
})

function onLink(kind: LinkResult['kind']): Plan {
  const ports = [
    { host: 'client', dev: 'eth0' },
    { host: 'server', dev: 'eth0' },
  ]
  const chances = { lossRate: 0, duplicateRate: 0, reorderRate: 0, reorderPs: 0 }
  const rest = { delayPs: 0, bufferBytes: 65_536, tableSize: 1024, ageingPs: 3e14 }
  return { ...plan(hostPlan(4), [calm]), links: [{ name: 'lan', kind, ports, ...chances, ...rest }] }
}

/** Findings about links, cables and switches. */
export const NETWORK_CASES: readonly Case[] = [
  {
    rule: 'switch_full',
    document: result(hostResult(), [drop('switch', 'SWITCH_FULL', 10_000)], {
      links: way('switch', { overflow: 10_000, load: 0.99 }),
    }),
    plan: onLink('switch'),
    says: /10,000 frames for server\/eth0 found no room.*the bottleneck.*1\.00 Mpps came.*busy 99\.0 %/,
    sets: ['hosts.server.devices.eth0.link=100Gbit'],
  },
  {
    rule: 'switch_full',
    document: result(hostResult(), [drop('switch', 'SWITCH_FULL', 10_000)], {
      links: way('switch', { overflow: 10_000, load: 0.3 }),
    }),
    plan: onLink('switch'),
    says: /found no room in front of its port of lan, in bursts.*65\.5 kB may wait/,
    sets: ['switches.lan.buffer=262144'],
  },
  {
    rule: 'link_loss',
    document: result(hostResult(), [drop('link', 'LINK_LOSS', 10_000)], { links: way('link', { lost: 10_000 }) }),
    plan: onLink('link'),
    says: /10,000 frames for server\/eth0 were lost on lan.*10\.0 %/,
    sets: [],
  },
  {
    rule: 'carrier_lost',
    document: result(
      hostResult({
        link_log: [
          { t_ns: 10_000_000, dev: 'eth0', what: 'netif_carrier_off' },
          { t_ns: 12_000_000, dev: 'eth0', what: 'dev_deactivate' },
          { t_ns: 50_000_000, dev: 'eth0', what: 'netif_carrier_on' },
        ],
      }),
      [drop('wire_rx', 'NO_CARRIER', 4000), drop('wire_tx', 'NO_CARRIER', 1000)],
    ),
    plan: plan(hostPlan(4), [calm]),
    says: /went away once: 5,000 frames.*4,000 came while.*1,000 were sent before.*2\.00 ms, from 10\.0 ms on/,
    sets: [],
  },
  {
    rule: 'device_down',
    document: result(
      hostResult({
        link_log: [
          { t_ns: 20_000_000, dev: 'eth0', what: 'NETDEV_DOWN' },
          { t_ns: 40_000_000, dev: 'eth0', what: 'NETDEV_UP' },
        ],
      }),
      [drop('ndo_stop', 'NIC_DEV_CLOSED', 20_000)],
    ),
    plan: plan(hostPlan(4), [calm]),
    says: /eth0 was closed for 20\.0 ms, from 20\.0 ms on: 20,000 frames/,
    sets: [],
  },
]
