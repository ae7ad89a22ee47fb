import { DRIVER_PROFILES, type ScenarioInput } from '@softnet/scenario'
import { Draw, given } from './draw.js'
import { randomScenario } from './random-scenario.js'

type Hosts = ScenarioInput['hosts']
type Host = Hosts[string]
type Device = Host['devices'][string]
type Traffic = NonNullable<ScenarioInput['traffic']>

const PURPOSE = 30
const SECOND_HOST = 7000
const drivers = DRIVER_PROFILES.filter(({ virtual }) => !virtual).map(({ name }) => name)

/** Chances of a link, most of them none. */
function onTheWay(draw: Draw) {
  return given({
    loss: draw.maybe(0.3, () => draw.pick([0.001, 0.05, 0.5])),
    duplicate: draw.maybe(0.3, () => draw.pick([0.001, 0.05, 1])),
    ...(draw.chance(0.3) ? { reorder: draw.pick([0.01, 0.5]), 'reorder-by': draw.pick(['1us', '80us', '2ms']) } : {}),
  })
}

function routerDevice(draw: Draw, cpuCount: number, address: string): Device {
  return given({
    driver: draw.pick(drivers),
    address,
    channels: { combined: 1 },
    mtu: draw.maybe(0.2, () => draw.pick([576, 1000, 1400])),
    arp: draw.maybe(0.1, () => true),
    irq: draw.maybe(0.5, () => ({ smp_affinity_list: [draw.below(cpuCount)] })),
    qdisc: draw.maybe(0.5, () => draw.pick(['noqueue', 'pfifo_fast', 'fq_codel', 'fq'] as const)),
  }) as Device
}

/** The device with another driver, and without what only its own one takes. */
function withoutRings({ rings: _rings, coalesce: _coalesce, 'packet-buffer': _buffer, ...rest }: Device): Device {
  return { ...rest, driver: 'e1000' }
}

/** A server of a drawn scenario on a link or a switch, alone or with another one of the same kernel. */
function serverOn(host: Host, addresses: readonly string[], draw: Draw): Host {
  const { eth0, ...others } = host.devices
  const { vlans: _vlans, ...drawn } = eth0 as Device
  const own = drivers.includes(drawn.driver as string) ? drawn : withoutRings(drawn)
  const mtu = draw.maybe(0.3, () => draw.pick([576, 1000, 1400]))
  return {
    ...host,
    devices: { eth0: given({ ...own, address: addresses.map((each) => `${each}/24`), mtu }) as Device, ...others },
    routes: ['default via 10.0.0.254'],
  }
}

/**
 * Hosts behind a router, drawn from a seed: traffic comes in at the router, servers of drawn scenarios answer over a link or a
 * switch that loses, doubles and delays frames.
 */
export function randomNetwork(seed: number, scale = 1): ScenarioInput {
  const draw = new Draw(seed, PURPOSE)
  const first = randomScenario(seed, scale)
  let other = seed + SECOND_HOST
  while (randomScenario(other).kernel !== first.kernel) other++
  const drawn = JSON.stringify(randomScenario(other, scale).hosts.h)
  const second = JSON.parse(
    drawn.replaceAll(/10\.0\.0\.([12])(?!\d)/g, (_, last) => `10.0.0.${Number(last) + 2}`),
  ) as Host
  const cpuCount = draw.pick([1, 2, 2, 4])
  const h = serverOn(first.hosts.h as Host, ['10.0.0.1', '10.0.0.2'], draw)
  const speed = h.devices.eth0?.link
  const router = {
    cpus: cpuCount,
    sysctl: { 'net.ipv4.ip_forward': 1 },
    devices: {
      in0: { ...routerDevice(draw, cpuCount, '192.168.0.1/24'), mtu: 1500, arp: false },
      out: given({
        ...routerDevice(draw, cpuCount, '10.0.0.254/24'),
        arp: undefined,
        link: speed ?? '10Gbit',
      }) as Device,
    },
  } as Host
  if (draw.chance(0.6)) {
    // With the addresses known nothing waits for ARP.
    Object.assign(router, {
      neighbours: ['10.0.0.1 lladdr 02:00:00:00:01:01 dev out', '10.0.0.2 lladdr 02:00:00:00:01:01 dev out'],
    })
    Object.assign(h, { neighbours: ['10.0.0.254 lladdr 02:00:00:00:00:02 dev eth0'] })
  }
  const ports = ['r/out', 'h/eth0']
  const hosts: Hosts = {
    r: router,
    h: { ...h, devices: { ...h.devices, eth0: { ...h.devices.eth0, link: speed ?? '10Gbit' } } },
  }
  const isSwitch = draw.chance(0.5)
  if (isSwitch && draw.chance(0.5)) {
    hosts.k = serverOn(second, ['10.0.0.3', '10.0.0.4'], draw)
    ports.push('k/eth0')
  }
  const delay = draw.maybe(0.6, () => draw.pick(['0ns', '200ns', '20us', '700us']))
  const lan = isSwitch
    ? {
        switches: {
          lan: given({
            ports,
            ...onTheWay(draw),
            buffer: draw.maybe(0.3, () => draw.pick([2000, 20_000])),
            delay: draw.maybe(0.3, () => '300ns'),
            addresses: draw.maybe(0.2, () => 1),
          }),
        },
      }
    : { links: { lan: given({ between: ports as [string, string], ...onTheWay(draw), delay }) } }
  return {
    ...first,
    name: `network-${seed}`,
    hosts,
    ...lan,
    traffic: throughRouter(first.traffic ?? {}, draw),
  } as ScenarioInput
}

/** Sources of a drawn host come in at the router. */
function throughRouter(traffic: Traffic, draw: Draw): Traffic {
  const list = Object.entries(traffic).map(([name, source]) => {
    if (source.to !== 'h/eth0' || source.kind === 'replay') return [name, source] as const
    const { vlan: _vlan, ...rest } = source as { vlan?: number; flows?: { dst?: string } }
    const dst = rest.flows?.dst ?? draw.pick(['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.3'])
    return [name, { ...rest, to: 'r/in0', flows: { ...rest.flows, dst } }] as const
  })
  return Object.fromEntries(list) as Traffic
}
