import type { ScenarioInput } from '@softnet/scenario'
import { given } from './draw.js'
import { type Devices, randomCpuSet } from './random-devices.js'
import type { Surroundings } from './random-scenario.js'

/** Programs of a drawn host as a user writes them. */
export type Apps = NonNullable<ScenarioInput['hosts'][string]['apps']>
type AppDocument = Apps[string]

/** First port of program number `index`: programs do not compete for ports. */
export const firstPortOf = (index: number): number => 9000 + 16 * index

/** Draws up to three programs. */
export function randomApps(around: Surroundings, devices: Devices): Apps {
  const { draw } = around
  const count = draw.pick([0, 1, 1, 1, 2, 2, 3])
  const apps: Record<string, AppDocument> = {}
  for (let index = 0; index < count; index++) {
    apps[`app${index}`] = index > 0 && draw.chance(0.25) ? randomSpin(around) : randomReader(around, devices, index)
  }
  return apps
}

/** Programs that send by themselves, to somebody on the wire or to a program of the host. */
export function randomSenders(around: Surroundings, apps: Apps): Apps {
  const { draw } = around
  const ports = Object.keys(apps).map((_, index) => firstPortOf(index))
  const added: Record<string, AppDocument> = {}
  if (draw.chance(0.6)) added.sender = randomSender(around, ports)
  if (draw.chance(0.5)) added.client = randomClient(around, ports)
  return added
}

function randomReceiver({ draw }: Surroundings, ports: readonly number[]): string {
  const port = ports.length > 0 && draw.chance(0.7) ? draw.pick(ports) : 7
  return `${draw.pick(['198.51.100.1', '198.51.100.1', '127.0.0.1', '127.0.0.1', '10.0.0.1', '255.255.255.255', '10.0.0.255'])}:${port}`
}

function randomSendSockets({ draw }: Surroundings) {
  return given({
    count: draw.maybe(0.3, () => draw.pick([1, 2, 3])),
    shared: draw.maybe(0.15, () => true),
    SO_SNDBUF: draw.maybe(0.4, () => draw.pick([0, 3000, 20_000, 1_000_000])),
    SO_BROADCAST: draw.maybe(0.5, () => true),
    SO_NO_CHECK: draw.maybe(0.1, () => true),
    SO_MAX_PACING_RATE: draw.maybe(0.2, () => draw.pick([20_000, 1_000_000, 100_000_000])),
    IP_TTL: draw.maybe(0.1, () => draw.pick([1, 2])),
    IP_TOS: draw.maybe(0.2, () => draw.pick([0x10, 0x02, 0xb8])),
    UDP_SEGMENT: draw.maybe(0.3, () => draw.pick([1, 500, 1400, 1472, 1473])),
    IP_MTU_DISCOVER: draw.maybe(0.3, () => draw.pick(['dont', 'want', 'do', 'probe', 'interface', 'omit'] as const)),
  })
}

const randomTasks = (around: Surroundings) =>
  Array.from({ length: around.draw.pick([1, 1, 2]) }, () => randomCpuSet(around))

function randomSender(around: Surroundings, ports: readonly number[]): AppDocument {
  const { draw } = around
  const pattern = draw.pick(['flood', 'flood', 'constant', 'poisson', 'burst'] as const)
  const isPaced = pattern === 'constant' || pattern === 'poisson'
  const call = draw.pick(['sendto', 'sendmmsg'] as const)
  const to = randomReceiver(around, ports)
  return given({
    kind: 'udp_sender' as const,
    cpus: randomTasks(around),
    to,
    'to-address-count': to.startsWith('255') ? undefined : draw.maybe(0.2, () => 3),
    'to-port-count': draw.maybe(0.3, () => 4),
    payload: draw.pick<number | { bytes: number; weight: number }[]>([
      0,
      18,
      1400,
      3000,
      9000,
      65_507,
      65_508,
      [
        { bytes: 18, weight: 7 },
        { bytes: 1472, weight: 1 },
      ],
    ]),
    pattern,
    rate: isPaced ? draw.pick([5_000, 100_000]) : undefined,
    count: pattern === 'burst' ? draw.pick([1, 10]) : undefined,
    every: pattern === 'burst' ? draw.pick(['50us', '1ms']) : undefined,
    call,
    batch: call === 'sendmmsg' ? draw.maybe(0.7, () => draw.pick([1, 4, 100])) : undefined,
    nonblocking: draw.maybe(0.3, () => true),
    work: draw.maybe(0.3, () => draw.pick(['100ns', '5us'])),
    start: draw.maybe(0.2, () => '200us'),
    stop: draw.maybe(0.2, () => '900us'),
    messages: draw.maybe(0.2, () => 20),
    'timer-slack': draw.maybe(0.4, () => draw.pick(['0ns', '10us'])),
    sockets: randomSendSockets(around),
  }) as AppDocument
}

function randomClient(around: Surroundings, ports: readonly number[]): AppDocument {
  const { draw } = around
  const to = randomReceiver(around, ports)
  const isConnected = draw.chance(0.3)
  return given({
    kind: 'udp_client' as const,
    cpus: randomTasks(around),
    to: isConnected ? undefined : to,
    payload: draw.pick([0, 64, 2000]),
    think: draw.maybe(0.5, () => draw.pick(['1us', '100us'])),
    'think-random': draw.maybe(0.3, () => true),
    timeout: draw.pick(['100us', '5ms', '1s']),
    'timer-slack': draw.maybe(0.5, () => '0ns'),
    sockets: { ...randomSendSockets(around), ...(isConnected ? { connect: to } : {}) },
  }) as AppDocument
}

function randomSpin(around: Surroundings): AppDocument {
  return given({ kind: 'spin' as const, cpus: [randomCpuSet(around)], nice: around.draw.maybe(0.5, () => 10) })
}

function randomReader(around: Surroundings, devices: Devices, index: number): AppDocument {
  const { draw } = around
  const kind = draw.pick(['udp_sink', 'udp_sink', 'udp_echo'] as const)
  const wait = draw.pick(['recvfrom', 'recvmmsg', 'epoll_wait', 'epoll_wait', 'select', 'poll'] as const)
  const tasks = draw.pick([1, 1, 2, 4])
  return given({
    kind,
    cpus: draw.maybe(0.9, () => Array.from({ length: tasks }, () => randomCpuSet(around))),
    nice: draw.maybe(0.2, () => draw.between(-20, 19)),
    wait,
    batch: wait === 'recvfrom' ? undefined : draw.maybe(0.6, () => draw.pick([1, 4, 32, 100])),
    'max-events': wait === 'epoll_wait' ? draw.maybe(0.4, () => draw.pick([1, 2, 64])) : undefined,
    epoll: wait === 'epoll_wait' ? draw.maybe(0.7, () => randomEpoll(around)) : undefined,
    nonblocking: draw.maybe(0.15, () => true),
    work: draw.maybe(0.4, () => draw.pick(['100ns', '2us', '30us'])),
    'work-per-byte': draw.maybe(0.1, () => '1ns'),
    buffer: draw.maybe(0.2, () => draw.pick([16, 512, 65_536])),
    sockets: draw.chance(0.2)
      ? [randomGroup(around, devices, firstPortOf(index)), randomGroup(around, devices, firstPortOf(index) + 8)]
      : randomGroup(around, devices, firstPortOf(index)),
    reply: kind === 'udp_echo' ? draw.maybe(0.3, () => 100) : undefined,
  }) as AppDocument
}

function randomEpoll({ draw }: Surroundings) {
  return given({
    trigger: draw.maybe(0.6, () => draw.pick(['level', 'edge'] as const)),
    exclusive: draw.maybe(0.4, () => draw.chance(0.5)),
    shared: draw.maybe(0.4, () => draw.chance(0.5)),
    busy_poll_usecs: draw.maybe(0.15, () => draw.pick([5, 50])),
    prefer_busy_poll: draw.maybe(0.15, () => true),
    busy_poll_budget: draw.maybe(0.1, () => draw.pick([1, 8, 64])),
  })
}

function randomGroup({ draw }: Surroundings, devices: Devices, port: number) {
  const count = draw.pick([1, 1, 2, 4])
  const names = Object.keys(devices).filter((name) => devices[name]?.driver !== 'veth')
  const samePort = draw.chance(0.4)
  const shared = draw.chance(0.2)
  const local = draw.chance(0.2)
  return given({
    count,
    bind: `${local ? '10.0.0.1' : '0.0.0.0'}:${port}`,
    ...(samePort ? { reuseport: true } : { 'port-step': 1 }),
    shared: shared ? true : undefined,
    connect: draw.maybe(0.15, () => `198.51.100.1:${draw.between(10_000, 10_003)}`),
    SO_RCVBUF: draw.maybe(0.4, () => draw.pick([0, 1000, 5000, 50_000, 1_000_000])),
    SO_BUSY_POLL: draw.maybe(0.1, () => draw.pick([5, 50])),
    SO_PREFER_BUSY_POLL: draw.maybe(0.1, () => true),
    SO_BUSY_POLL_BUDGET: draw.maybe(0.1, () => draw.pick([1, 64])),
    SO_INCOMING_CPU: draw.maybe(0.15, () => 0),
    UDP_GRO: draw.maybe(0.2, () => true),
    SO_BINDTODEVICE: draw.maybe(0.1, () => draw.pick(names)),
  })
}
