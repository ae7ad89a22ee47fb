import type { ScenarioInput } from '@softnet/scenario'
import { Draw } from './draw.js'

type Events = NonNullable<ScenarioInput['events']>

/** Something that can happen to a device. */
function randomAction(draw: Draw, dev: string): string {
  return draw.pick([`unplug ${dev}`, `plug ${dev}`, `unplug ${dev}`, `plug ${dev}`])
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
