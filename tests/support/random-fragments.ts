import type { ScenarioInput } from '@softnet/scenario'
import { Draw, given } from './draw.js'

type Source = NonNullable<ScenarioInput['traffic']>[string]

function inFragments(source: Source, draw: Draw): Source {
  if (source.kind === 'closed' || source.kind === 'replay' || source.protocol === 'tcp') return source
  const { frame: _frame, train: _train, ...rest } = source
  return given({
    ...rest,
    datagram: draw.pick([0, 1472, 1473, 4000, 20_000, 65_507]),
    fragment: given({
      mtu: draw.maybe(0.3, () => draw.pick([68, 576, 1000])),
      order: draw.maybe(0.4, () => 'reverse' as const),
      send: draw.maybe(0.3, () => draw.pick(['first', 'rest'] as const)),
      lose: draw.maybe(0.4, () => draw.pick([0.01, 0.3, 0.9])),
    }),
  }) as Source
}

/** The scenario with datagrams above the MTU in place of its UDP frames, and other limits of reassembly. */
export function withFragments(scenario: ScenarioInput, seed: number): ScenarioInput {
  const draw = new Draw(seed, 7)
  const hosts = Object.entries(scenario.hosts).map(([name, host]) => {
    const high = draw.pick([0, 1, 20_000, 200_000, 4_194_304])
    const sysctl = given({
      'net.ipv4.ipfrag_high_thresh': high,
      'net.ipv4.ipfrag_low_thresh': Math.min(high, 1000),
      'net.ipv4.ipfrag_time': draw.pick([0, 0, 1, 30]),
      'net.ipv4.ipfrag_max_dist': draw.pick([0, 1, 8, 64]),
    })
    return [name, { ...host, sysctl: { ...host.sysctl, ...sysctl } }] as const
  })
  const traffic = Object.entries(scenario.traffic ?? {}).map(
    ([name, source]) => [name, inFragments(source, draw)] as const,
  )
  return { ...scenario, hosts: Object.fromEntries(hosts), traffic: Object.fromEntries(traffic) }
}
