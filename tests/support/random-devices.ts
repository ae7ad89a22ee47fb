import { DRIVER_HARDWARE, DRIVER_PROFILES, type ScenarioInput } from '@softnet/scenario'
import { given } from './draw.js'
import type { Surroundings } from './random-scenario.js'

/** Devices of a drawn host as a user writes them. */
export type Devices = ScenarioInput['hosts'][string]['devices']
type DeviceDocument = Devices[string]

const drivers = DRIVER_PROFILES.filter((driver) => !driver.virtual)
const DRAWN_VLAN = 7

/** Draws one to three devices of any driver that has a wire, now and then a veth beside them. */
export function randomDevices(around: Surroundings): Devices {
  const { draw } = around
  const count = draw.pick([1, 1, 1, 2, 2, 3])
  const devices: Record<string, DeviceDocument> = {}
  for (let index = 0; index < count; index++) devices[`eth${index}`] = randomDevice(around, index)
  if (draw.chance(0.1)) devices.veth0 = { driver: 'veth', address: '10.99.0.1/24' }
  return devices
}

function randomDevice(around: Surroundings, index: number): DeviceDocument {
  const { draw, cpuCount, nodes } = around
  const driver = draw.pick(drivers)
  const queueCount = draw.chance(0.3) ? undefined : draw.between(1, Math.min(driver.maxQueues, cpuCount))
  const queues = queueCount ?? Math.min(driver.maxQueues, cpuCount, around.kernel < '6' ? 8 : 4096)
  const vectors = draw.maybe(0.4, () => draw.between(1, queues))
  const vectorCount = vectors ?? (driver.defaultVectors === 'single' ? 1 : queues)
  const isNapi = driver.rxMode === 'napi'
  const hasNtuple = DRIVER_HARDWARE[driver.name]?.ntuple === true
  const threaded = isNapi && draw.chance(0.2)
  return given({
    driver: driver.name,
    address: [`10.${index}.0.1/24`, `10.${index}.0.2/24`],
    channels: queueCount === undefined ? undefined : { combined: queueCount },
    ...randomLink(around),
    'numa-node': draw.maybe(0.2, () => draw.below(nodes)),
    rings: draw.maybe(0.5, () => ({ rx: randomRing(around, driver) })),
    coalesce: draw.maybe(0.6, () => randomCoalesce(around, driver)),
    'rx-flow-hash':
      driver.rssTableSize > 0 ? draw.maybe(0.4, () => ({ udp4: draw.pick(['sd', 'sdfn'] as const) })) : undefined,
    rxfh: driver.rssTableSize > 0 ? draw.maybe(0.3, () => randomSpread(around, queues)) : undefined,
    ntuple: hasNtuple ? draw.maybe(0.25, () => randomRules(around, queues, index)) : undefined,
    features: draw.maybe(0.5, () =>
      given({
        gro: draw.maybe(0.4, () => draw.chance(0.5)),
        'rx-gro-list': draw.maybe(0.3, () => true),
        'rx-udp-gro-forwarding': draw.maybe(0.3, () => true),
      }),
    ),
    irq: randomIrq(around, vectors, vectorCount),
    queues: draw.maybe(0.5, () => randomQueues(around, queues)),
    napi_defer_hard_irqs: draw.maybe(0.2, () => draw.between(1, 100)),
    gro_flush_timeout: draw.maybe(0.25, () => draw.pick([5000, 20_000, 200_000])),
    'irq-suspend-timeout': draw.maybe(0.1, () => 1_000_000),
    threaded: threaded ? true : undefined,
    'threaded-cpus': threaded
      ? draw.maybe(0.5, () => Array.from({ length: vectorCount }, () => randomCpuSet(around)))
      : undefined,
    'napi-weight': draw.maybe(0.2, () => draw.pick([1, 7, 16, 64, 256])),
    gro_max_size: draw.maybe(0.1, () => 8192),
    xdp: draw.maybe(0.2, () => randomXdp(around, driver.nativeXdp)),
    vlans: draw.maybe(0.2, () => [DRAWN_VLAN]),
    'rx-handler': draw.maybe(0.1, () => draw.pick(['pass', 'consume'] as const)),
  }) as DeviceDocument
}

function randomLink({ draw }: Surroundings): Partial<DeviceDocument> {
  return {
    link: draw.maybe(0.3, () => draw.pick(['100Mbit', '1Gbit', '2.5Gbit', '10Gbit', '100Gbit'])),
    'link-delay': draw.maybe(0.3, () => draw.pick(['0ns', '100ns', '5us'])),
    'wire-error-rate': draw.maybe(0.2, () => 0.02),
    'dma-latency': draw.maybe(0.3, () => draw.pick(['50ns', '900ns', '4us'])),
    pcie: draw.maybe(0.3, () => draw.pick(['none', '1Gbit', '8Gbit'])),
    'packet-buffer': draw.maybe(0.3, () => draw.pick(['2KiB', '8KiB', '64KiB'])),
  } as Partial<DeviceDocument>
}

function randomRing({ draw }: Surroundings, driver: (typeof drivers)[number]): number {
  const largest = Math.min(driver.rxRingMax, 4096)
  return draw.pick([driver.rxRingMin, driver.rxRingMin, largest, draw.between(driver.rxRingMin, largest)])
}

function randomCoalesce({ draw }: Surroundings, driver: (typeof drivers)[number]): DeviceDocument['coalesce'] {
  if (driver.moderation === 'none') return { 'rx-usecs': 0 }
  const adaptive = driver.adaptiveRule !== 'none' && draw.chance(0.4)
  return given({
    'rx-usecs': draw.maybe(0.7, () => draw.pick([adaptive ? 1 : 5, 1, 8, 50, 200])),
    'rx-frames': driver.rxFramesSupported ? draw.maybe(0.6, () => draw.pick([1, 8, 32, 128])) : undefined,
    'adaptive-rx': driver.adaptiveRule === 'none' ? undefined : adaptive,
    'cqe-mode-rx': driver.moderation === 'cqe' ? draw.maybe(0.4, () => draw.chance(0.5)) : undefined,
  })
}

function randomSpread({ draw }: Surroundings, queues: number): DeviceDocument['rxfh'] {
  if (draw.chance(0.5)) return { equal: draw.between(1, queues) }
  return { weight: Array.from({ length: queues }, (_, queue) => (queue === 0 ? 2 : draw.between(0, 2))) }
}

function randomMatch({ draw }: Surroundings, index: number) {
  return given({
    'dst-ip': draw.maybe(0.3, () => `10.${index}.0.${draw.between(1, 2)}`),
    'dst-port': draw.maybe(0.6, () => draw.between(9000, 9004)),
    'src-port': draw.maybe(0.3, () => draw.between(10_000, 10_007)),
  })
}

function randomRules(around: Surroundings, queues: number, index: number): DeviceDocument['ntuple'] {
  const { draw } = around
  return Array.from({ length: draw.between(1, 4) }, () => ({
    'flow-type': draw.pick(['udp4', 'tcp4'] as const),
    ...randomMatch(around, index),
    action: draw.between(-1, queues - 1),
  }))
}

function randomXdp(around: Surroundings, native: boolean): DeviceDocument['xdp'] {
  const { draw } = around
  const rules = Array.from({ length: draw.between(0, 3) }, () => ({
    ...randomMatch(around, 0),
    verdict: draw.pick(['pass', 'drop', 'aborted', 'tx', 'redirect'] as const),
  }))
  return given({ mode: native ? draw.pick(['native', 'generic', undefined] as const) : ('generic' as const), rules })
}

function randomIrq(around: Surroundings, vectors: number | undefined, count: number): DeviceDocument['irq'] {
  const { draw, cpuCount } = around
  const affinity = draw.maybe(0.5, () => Array.from({ length: count }, () => [draw.below(cpuCount)]))
  if (vectors === undefined && affinity === undefined) return undefined
  return given({ vectors, smp_affinity_list: affinity })
}

function randomQueues({ draw, cpuCount }: Surroundings, queues: number): DeviceDocument['queues'] {
  const one = () =>
    given({
      rps_cpus: draw.maybe(0.7, () => draw.between(0, 2 ** cpuCount - 1).toString(16)),
      rps_flow_cnt: draw.maybe(0.5, () => draw.pick([0, 1, 16, 2048])),
    })
  return draw.chance(0.5) ? one() : Array.from({ length: queues }, one)
}

/** One CPU, or now and then a few. */
export function randomCpuSet({ draw, cpuCount }: Surroundings): number[] {
  const first = draw.below(cpuCount)
  if (!draw.chance(0.25)) return [first]
  return [...new Set([first, draw.below(cpuCount), draw.below(cpuCount)])]
}
