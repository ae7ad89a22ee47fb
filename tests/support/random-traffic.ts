import type { ScenarioInput } from '@softnet/scenario'
import { type Draw, given } from './draw.js'
import { type Apps, firstPortOf } from './random-apps.js'
import type { Devices } from './random-devices.js'
import type { Surroundings } from './random-scenario.js'

type Traffic = NonNullable<ScenarioInput['traffic']>
type Source = Traffic[string]

/** Draws one to four sources for the devices that have a wire. */
export function randomTraffic(around: Surroundings, devices: Devices, apps: Apps, durationUs: number): Traffic {
  const { draw } = around
  const names = Object.keys(devices).filter((name) => devices[name]?.driver !== 'veth')
  const ports = Math.max(1, Object.keys(apps).length)
  const count = draw.pick([1, 1, 2, 2, 3, 4])
  const traffic: Record<string, Source> = {}
  for (let index = 0; index < count; index++) {
    const dev = index < names.length ? (names[index] as string) : draw.pick(names)
    const target = { dev, vlans: Object.keys(devices[dev]?.vlans ?? {}).length > 0, ports, durationUs }
    traffic[`t${index}`] = draw.chance(0.2) ? randomClosed(around, target) : randomOpen(around, target)
  }
  return traffic
}

interface Target {
  readonly dev: string
  readonly vlans: boolean
  readonly ports: number
  readonly durationUs: number
}

function randomFlows({ draw }: Surroundings, target: Target) {
  const count = draw.pick([1, 4, 16, 100, 1000])
  const pick = draw.pick(['roundrobin', 'uniform', 'zipf', 'churn'] as const)
  return given({
    count,
    pick,
    'zipf-exponent': pick === 'zipf' ? draw.pick([0.5, 1, 2]) : undefined,
    'packets-per-flow': pick === 'churn' ? draw.pick([1, 5, 100]) : undefined,
    ...randomSources(draw),
    dst: draw.maybe(0.1, () =>
      draw.pick(['10.0.0.255', '255.255.255.255', '10.0.0.77', '192.0.2.9', '10.0.0.2', '127.0.0.1']),
    ),
    sport: 10_000,
    dport: firstPortOf(draw.below(target.ports)),
    'dport-count': draw.maybe(0.5, () => draw.pick([2, 4, 5])),
  })
}

/** One address or several, and now and then one that routing refuses. */
function randomSources(draw: Draw): { src?: string; 'src-count'?: number } {
  const count = draw.maybe(0.3, () => draw.pick([2, 7]))
  const odd = draw.maybe(0.05, () => draw.pick(['0.0.0.1', '255.255.255.255', '127.0.0.1', '10.0.0.1', '224.0.0.1']))
  return given({ src: count === undefined ? odd : undefined, 'src-count': count })
}

function randomFrame({ draw }: Surroundings): number | 'imix' | { bytes: number; weight: number }[] {
  if (draw.chance(0.3)) return 64
  if (draw.chance(0.2)) return 'imix'
  if (draw.chance(0.3)) {
    return [
      { bytes: 64, weight: 3 },
      { bytes: draw.between(65, 1518), weight: 1 },
    ]
  }
  return draw.between(64, 1518)
}

function randomClosed(around: Surroundings, target: Target): Source {
  const { draw } = around
  const { count, ...flows } = randomFlows(around, target)
  return given({
    kind: 'closed' as const,
    to: `h/${target.dev}`,
    clients: Math.min(64, count),
    depth: draw.maybe(0.4, () => draw.between(1, 8)),
    think: draw.maybe(0.5, () => draw.pick(['0ns', '1us', '50us'])),
    'think-random': draw.maybe(0.4, () => true),
    timeout: draw.maybe(0.5, () => draw.pick(['50us', '500us', '10ms'])),
    start: draw.maybe(0.2, () => '100us'),
    frame: randomFrame(around),
    flows,
  }) as Source
}

function randomPattern({ draw }: Surroundings, durationUs: number) {
  const rate = draw.pick(['10kpps', '100kpps', '300kpps', '1Mpps', '3Mpps', '200Mbit'])
  switch (draw.pick(['constant', 'poisson', 'onoff', 'ramp', 'burst'] as const)) {
    case 'constant':
      return { rate }
    case 'poisson':
      return { pattern: 'poisson' as const, rate }
    case 'onoff':
      return {
        pattern: 'onoff' as const,
        rate,
        on: '80us',
        off: '150us',
        ...(draw.chance(0.5) ? { random: true } : {}),
      }
    case 'ramp':
      return { pattern: 'ramp' as const, 'rate-from': draw.pick(['0pps', '1Mpps']), 'rate-to': '2Mpps' }
    default:
      return {
        pattern: 'burst' as const,
        count: draw.pick([1, 30, 300, 1500]),
        every: `${Math.ceil(durationUs / 4)}us`,
      }
  }
}

function randomOpen(around: Surroundings, target: Target): Source {
  const { draw } = around
  const protocol = draw.chance(0.2) ? ('tcp' as const) : ('udp' as const)
  const share = () => draw.maybe(0.6, () => draw.pick([0.01, 0.2, 1]))
  return given({
    to: `h/${target.dev}`,
    protocol,
    ...randomPattern(around, target.durationUs),
    frame: randomFrame(around),
    flows: randomFlows(around, target),
    start: draw.maybe(0.2, () => `${Math.min(150, Math.floor(target.durationUs * 0.3))}us`),
    stop: draw.maybe(0.3, () => `${Math.ceil(target.durationUs * 0.7)}us`),
    packets: draw.maybe(0.15, () => draw.pick([1, 50, 500])),
    vlan: target.vlans ? draw.maybe(0.6, () => draw.pick([7, 7, 9])) : undefined,
    'zero-checksum': protocol === 'udp' ? draw.maybe(0.15, () => true) : undefined,
    train: protocol === 'tcp' ? draw.maybe(0.7, () => draw.pick([2, 16, 64])) : undefined,
    malform: draw.maybe(0.15, () =>
      given({
        'ip-checksum': share(),
        'udp-checksum': share(),
        truncated: share(),
        'bad-version': share(),
        'other-host': share(),
      }),
    ),
  }) as Source
}
