import type { ScenarioInput } from '@softnet/scenario'
import { Draw, given } from './draw.js'
import { randomApps, randomSenders } from './random-apps.js'
import { randomDevices } from './random-devices.js'
import { randomTraffic } from './random-traffic.js'

/** What the parts of a drawn host have to agree on. */
export interface Surroundings {
  readonly draw: Draw
  readonly kernel: string
  readonly cpuCount: number
  readonly nodes: number
}

type Host = ScenarioInput['hosts'][string]
type App = NonNullable<Host['apps']>[string]

/** Stream of what was added later: the seeds that once found a fault go on drawing what they drew. */
const LATER = 20
/** Programs that send came after that. */
const SENDERS = 21

/**
 * A whole scenario as a user could write it, drawn from a seed: it compiles, and it may ask for anything the model can do.
 * `scale` stretches its duration, 1 is about two simulated milliseconds.
 */
export function randomScenario(seed: number, scale = 1): ScenarioInput {
  const draw = new Draw(seed)
  const kernel = draw.pick(['6.18', '6.18', '6.18', '6.5', '6.5', '5.1', '4.18', '4.14'])
  const threads = draw.chance(0.3) ? 2 : 1
  const cores = draw.pick([1, 1, 2, 2, 3, 4, 4, 8])
  const cpuCount = cores * threads
  const nodes = cores % 2 === 0 && draw.chance(0.3) ? 2 : 1
  const around: Surroundings = { draw, kernel, cpuCount, nodes }
  const durationUs = Math.round(draw.between(500, 3500) * scale)
  const devices = randomDevices(around)
  const apps = randomApps(around, devices)
  const later = new Draw(seed, LATER)
  const senders = new Draw(seed, SENDERS)
  const sending = senders.chance(0.4) ? randomSenders({ ...around, draw: senders }, apps) : {}
  const stamps = later.chance(0.2) ? later.pick(Object.keys(apps)) : undefined
  return given({
    name: `random-${seed}`,
    seed: draw.word(),
    kernel,
    profile: draw.maybe(0.6, () => draw.pick(['xeon-e5-1650-v4', 'modern-server', 'vm-linux-6.18'])),
    duration: `${durationUs}us`,
    warmup: draw.maybe(0.3, () => `${Math.floor(durationUs / 4)}us`),
    hosts: {
      h: given({
        cpus: given({
          count: cpuCount,
          'threads-per-core': threads,
          'numa-nodes': nodes,
          frequency: draw.maybe(0.3, () => draw.pick(['1.2GHz', '2.1GHz', '3.6GHz'])),
        }),
        hz: draw.maybe(0.5, () => draw.pick([100, 250, 300, 1000] as const)),
        sysctl: { ...randomSysctl(around), ...laterSysctl(later) },
        cstates: draw.maybe(0.4, () => draw.pick(['none', 'default'] as const)),
        'skb-limit': draw.maybe(0.15, () => draw.between(2, 400)),
        taps: draw.maybe(0.2, () => draw.pick([['any'], ['eth0'], ['any', 'eth0']])),
        'raw-protocols': draw.maybe(0.15, () => draw.pick([[17], [6], [17, 6], [1]])),
        devices,
        apps: { ...apps, ...sending, ...(stamps === undefined ? {} : { [stamps]: withStamps(apps[stamps] as App) }) },
      }) as Host,
    },
    traffic: randomTraffic(around, devices, apps, durationUs),
    limits: draw.maybe(0.1, () => ({ 'packet-rows-per-cpu': draw.between(2000, 6000) })),
  }) as ScenarioInput
}

function mask({ draw, cpuCount }: Surroundings): string {
  return draw.between(0, 2 ** cpuCount - 1).toString(16)
}

function randomSysctl(around: Surroundings): Host['sysctl'] {
  const { draw } = around
  const hz = 1000
  return given({
    'net.core.netdev_budget': draw.maybe(0.3, () => draw.pick([1, 10, 64, 100, 600, 3000])),
    'net.core.netdev_budget_usecs': draw.maybe(0.2, () => draw.pick([20_000, 2_000_000 / hz + 20_000, 40_000])),
    'net.core.dev_weight': draw.maybe(0.3, () => draw.pick([1, 8, 16, 64, 200])),
    'net.core.dev_weight_rx_bias': draw.maybe(0.1, () => draw.between(1, 4)),
    'net.core.netdev_max_backlog': draw.maybe(0.4, () => draw.pick([0, 1, 10, 100, 1000, 3000])),
    'net.core.rmem_default': draw.maybe(0.2, () => draw.pick([2304, 20_000, 212_992, 1_000_000])),
    'net.core.rmem_max': draw.maybe(0.2, () => draw.pick([4000, 212_992, 4_194_304])),
    'net.core.rps_sock_flow_entries': draw.maybe(0.3, () => draw.pick([1, 64, 1000, 32_768])),
    'net.core.flow_limit_cpu_bitmap': draw.maybe(0.3, () => mask(around)),
    'net.core.flow_limit_table_len': draw.maybe(0.2, () => draw.pick([2, 64, 4096])),
    'net.core.busy_read': draw.maybe(0.1, () => draw.pick([10, 50])),
    'net.core.busy_poll': draw.maybe(0.1, () => draw.pick([10, 50])),
    'net.core.gro_normal_batch': draw.maybe(0.2, () => draw.pick([1, 2, 8, 64])),
    'net.core.skb_defer_max': draw.maybe(0.2, () => draw.pick([0, 1, 8, 64, 256])),
    'net.core.netdev_tstamp_prequeue': draw.maybe(0.1, () => 0),
    'net.ipv4.ip_early_demux': draw.maybe(0.1, () => 0),
    'net.ipv4.udp_early_demux': draw.maybe(0.1, () => 0),
    'net.ipv4.conf.all.rp_filter': draw.maybe(0.1, () => draw.between(0, 2)),
  })
}

function laterSysctl(draw: Draw): Host['sysctl'] {
  return given({
    'net.ipv4.udp_mem': draw.maybe(0.4, () =>
      draw.pick<[number, number, number]>([
        [1, 1, 1],
        [20, 20, 60],
        [300, 300, 900],
      ]),
    ),
    'net.ipv4.udp_rmem_min': draw.maybe(0.3, () => draw.pick([1, 20_000, 1_000_000])),
    'net.ipv4.tcp_early_demux': draw.maybe(0.2, () => 0),
  })
}

/** The program with SO_TIMESTAMP on its sockets. */
function withStamps(app: App): App {
  if (
    app.kind === 'spin' ||
    app.kind === 'ping' ||
    app.kind === 'packet_capture' ||
    app.kind === 'udp_sender' ||
    app.kind === 'udp_client'
  )
    return app
  const groups = app.sockets === undefined ? [{}] : Array.isArray(app.sockets) ? app.sockets : [app.sockets]
  return { ...app, sockets: groups.map((group) => ({ ...group, SO_TIMESTAMP: true })) }
}

/**
 * The hosts of two drawn scenarios side by side in one, `h` and `k`, each with its own settings and traffic; the second is the
 * next one drawn for the same kernel.
 */
export function twoRandomHosts(seed: number, scale = 1): ScenarioInput {
  const first = randomScenario(seed, scale)
  let other = seed + SECOND_HOST
  while (randomScenario(other).kernel !== first.kernel) other++
  const second = randomScenario(other, scale)
  const traffic = Object.entries(second.traffic ?? {}).map(([name, source]) => [
    `k-${name}`,
    { ...source, to: `k/${(source.to as string).slice(2)}` },
  ])
  return {
    ...first,
    name: `two-random-${seed}`,
    hosts: { ...first.hosts, k: second.hosts.h as Host },
    traffic: { ...first.traffic, ...Object.fromEntries(traffic) },
  }
}

const SECOND_HOST = 5000
