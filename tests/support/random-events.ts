import type { ScenarioInput } from '@softnet/scenario'
import { Draw } from './draw.js'

type Events = NonNullable<ScenarioInput['events']>

/** Something that can happen to a device. */
function randomAction(draw: Draw, dev: string): string {
  const cable = draw.pick([`unplug ${dev}`, `plug ${dev}`])
  if (draw.chance(0.15)) return `stall ${dev} tx 0`
  return draw.chance(0.5) ? cable : `ip link set ${dev} ${draw.pick(['down', 'up'])}`
}

/** The scenario with things that happen to its devices, drawn from a seed. */
export function withEvents(scenario: ScenarioInput, seed: number): ScenarioInput {
  const draw = new Draw(seed, 11)
  const [host] = Object.values(scenario.hosts)
  const names = Object.entries(host?.devices ?? {}).filter(([, device]) => device.driver !== 'veth')
  const endUs = Number.parseInt(String(scenario.duration), 10)
  const events: Events = Array.from({ length: draw.between(2, 10) }, () => ({
    at: `${draw.between(0, endUs)}us`,
    do: randomAction(draw, draw.pick(names)[0]),
  }))
  return { ...scenario, events }
}

/** A host to whose device everything happens that can. */
export function eventful(): ScenarioInput {
  const devices = { eth0: { driver: 'ixgbe' as const, address: '192.0.2.1/24', channels: { combined: 2 }, arp: true } }
  return {
    duration: '4ms',
    hosts: { h: { cpus: 2, devices, apps: { e: { kind: 'udp_echo', cpus: [0, 1] } } } },
    traffic: { t: { rate: '200kpps', flows: { count: 8 } } },
    events: [
      { at: '500us', do: 'unplug eth0' },
      { at: '800us', do: 'plug eth0' },
      { at: '2ms', do: 'ethtool -C eth0 rx-usecs 20' },
      { at: '1200us', do: 'ip link set eth0 down' },
      { at: '1300us', do: 'ip link set eth0 up' },
      { at: '1310us', do: 'ip link set eth0 down' },
      { at: '1311us', do: 'ip link set eth0 up' },
      { at: '2200us', do: 'stall eth0 tx 1' },
      { at: '2500us', do: 'ip link set eth0 down' },
      { at: '2600us', do: 'ip link set eth0 up' },
      { at: '2700us', do: 'stall eth0 tx 0' },
      { at: '3ms', do: 'unplug eth0' },
    ],
  }
}
