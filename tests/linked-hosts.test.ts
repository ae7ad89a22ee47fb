import { compileScenario, type LinkPortRow, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario } from './support/check-scenario.js'
import { FOUND_NETWORK_SEEDS } from './support/found-seeds.js'
import { randomNetwork } from './support/random-network.js'
import type { Report } from './support/run-model.js'
import { runScenario } from './support/run-scenario.js'

const linked = suite('linked hosts')

type Host = ScenarioInput['hosts'][string]
type Link = NonNullable<ScenarioInput['links']>[string]
type Switch = NonNullable<ScenarioInput['switches']>[string]

function server(address: string, mtu = 1500): Host {
  return {
    cpus: 1,
    cstates: 'none',
    routes: ['default via 10.0.0.254'],
    devices: { eth0: { address: `${address}/24`, channels: { combined: 1 }, mtu } },
    apps: { echo: { kind: 'udp_echo', cpus: [0], sockets: { bind: '0.0.0.0:9000' } } },
  }
}

const router: Host = {
  cpus: 1,
  cstates: 'none',
  sysctl: { 'net.ipv4.ip_forward': 1 },
  devices: {
    in0: { address: '192.168.0.1/24', channels: { combined: 1 } },
    out: { address: '10.0.0.254/24', channels: { combined: 1 } },
  },
}

/** Clients on the router's network ask servers behind it. */
function behindRouter(
  servers: Record<string, Host>,
  join: { link?: Partial<Link>; lan?: Partial<Switch> },
  frame = 200,
): ScenarioInput {
  const ports = ['r/out', ...Object.keys(servers).map((name) => `${name}/eth0`)]
  const traffic = Object.entries(servers).map(([name, host]) => {
    const [dst] = (host.devices.eth0 as { address: string }).address.split('/')
    return [
      name,
      {
        kind: 'closed',
        to: 'r/in0',
        clients: 2,
        timeout: '1s',
        frame,
        flows: { src: '192.168.0.9', dst, dport: 9000 },
      },
    ]
  })
  return {
    duration: '20ms',
    hosts: { r: router, ...servers },
    ...(join.lan === undefined
      ? { links: { cable: { between: ports as [string, string], ...join.link } } }
      : { switches: { lan: { ports, ...join.lan } } }),
    traffic: Object.fromEntries(traffic),
  }
}

function runOf(scenario: ScenarioInput): Report {
  return runScenario(scenario).report
}

function snmp(report: Report, host: string): Record<string, Record<string, number>> {
  const [space] = Object.values(report.hosts[host]?.netns ?? {})
  return space?.snmp as never
}

function port(report: Report, to: string): LinkPortRow {
  const found = Object.values(report.links ?? {}).flatMap(({ ports }) => ports.filter((row) => row.to === to))
  assert.is(found.length, 1, to)
  return found[0] as LinkPortRow
}

linked('a server behind a router answers every request, and finds its way by ARP', () => {
  const report = runOf(behindRouter({ s: server('10.0.0.1') }, {}))
  const udp = snmp(report, 's').Udp!
  assert.ok(udp.InDatagrams! > 300, `${udp.InDatagrams} requests`)
  assert.ok(udp.InDatagrams! - udp.OutDatagrams! <= 1)
  assert.is(report.packets.dropped, 0)
  // One ARP request of the router, one of the server, unless it learnt the router's address from that.
  assert.is(port(report, 's/eth0').frames - snmp(report, 's').Ip!.InReceives!, 1)
  assert.ok(snmp(report, 'r').Ip!.ForwDatagrams! >= 2 * udp.OutDatagrams! - 2)
})

linked('delay is paid on both ways', () => {
  const near = runOf(behindRouter({ s: server('10.0.0.1') }, { link: { delay: '1us' } }))
  const far = runOf(behindRouter({ s: server('10.0.0.1') }, { link: { delay: '501us' } }))
  const requests = (report: Report) => snmp(report, 's').Udp!.OutDatagrams!
  const roundNs = (report: Report) => (2 * report.simulated_ns) / requests(report)
  const more = roundNs(far) - roundNs(near)
  assert.ok(Math.abs(more - 1e6) < 0.1e6, `a round takes ${more} ns longer`)
})

linked('frames are lost, doubled and late as often as the link says', () => {
  const link = { loss: 0.1, duplicate: 0.2, reorder: 0.05, 'reorder-by': '30us' }
  const scenario = behindRouter({ s: server('10.0.0.1') }, { link })
  const open = {
    ...scenario,
    traffic: { load: { to: 'r/in0', rate: '200kpps', flows: { dst: '10.0.0.1', dport: 9000 } } },
  }
  const report = runOf(open as ScenarioInput)
  const row = port(report, 's/eth0')
  const sent = row.frames + row.lost - row.duplicated
  assert.ok(sent > 3000, `${sent} frames`)
  for (const [count, share] of [
    [row.lost, 0.1],
    [row.duplicated, 0.2],
    [row.reordered, 0.05 * 1.1],
  ] as const) {
    assert.ok(Math.abs(count / sent - share) < 0.025, `${count} of ${sent} are not ${share}`)
  }
  assert.is(report.drops.find((drop) => drop.host === 's' && drop.reason === 'LINK_LOSS')?.count, row.lost)
})

linked('a router says what would fit a narrow link to sources that set DF', () => {
  const narrow = { ...router, devices: { ...router.devices, out: { ...router.devices.out, mtu: 600 } } }
  const load = { to: 'r/in0', rate: '5kpps', frame: 1400, flows: { dst: '10.0.0.1', dport: 9000 } }
  const scenario = behindRouter({ s: server('10.0.0.1', 600) }, {})
  const report = runOf({ ...scenario, hosts: { ...scenario.hosts, r: narrow }, traffic: { load } } as ScenarioInput)
  assert.is(snmp(report, 's').Udp!.InDatagrams, 0)
  assert.ok(snmp(report, 'r').Ip!.FragFails! > 50)
  assert.ok(report.drops.some(({ host, reason }) => host === 'r' && reason === 'PKT_TOO_BIG'))
})

linked('a datagram that is longer than its device crosses a link in pieces', () => {
  const wide = { ...server('10.0.0.1', 600) }
  const scenario = behindRouter({ s: wide }, {}, 500)
  const echo = { ...wide.apps?.echo, reply: 1200 }
  const far = { ...scenario.hosts.r, devices: { ...router.devices, out: { ...router.devices.out, mtu: 600 } } }
  const report = runOf({ ...scenario, hosts: { r: far, s: { ...wide, apps: { echo } } } } as ScenarioInput)
  const { FragOKs, FragCreates } = snmp(report, 's').Ip!
  assert.ok(FragOKs! > 100)
  assert.is(FragCreates, 3 * FragOKs!)
  assert.ok(snmp(report, 'r').Ip!.ForwDatagrams! > 3 * FragOKs! - 6)
})

linked('a switch floods what it does not know, learns, and keeps frames from those they are not for', () => {
  const servers = { s: server('10.0.0.1'), t: server('10.0.0.2') }
  const report = runOf(behindRouter(servers, { lan: {} }))
  for (const name of ['s', 't']) {
    const udp = snmp(report, name).Udp!
    assert.ok(udp.OutDatagrams! > 200, `${name} answered ${udp.OutDatagrams}`)
    // ARP requests go to everybody.
    assert.ok(port(report, `${name}/eth0`).flooded >= 2 && port(report, `${name}/eth0`).flooded < 10)
    assert.is(port(report, `${name}/eth0`).foreign, 0)
  }
  assert.is(report.links?.lan?.learnt, 3)
})

linked('a switch that remembers one address floods the rest, and cards leave it', () => {
  const servers = { s: server('10.0.0.1'), t: server('10.0.0.2') }
  const report = runOf(behindRouter(servers, { lan: { addresses: 1 } }))
  assert.is(report.links?.lan?.learnt, 1)
  assert.ok(port(report, 't/eth0').foreign > 100)
  assert.ok(snmp(report, 's').Udp!.OutDatagrams! > 200)
})

linked('a switch loses what its buffer has no room for', () => {
  const slow = {
    ...server('10.0.0.1'),
    devices: { eth0: { address: '10.0.0.1/24', channels: { combined: 1 }, link: '100Mbit' } },
  }
  const scenario = behindRouter({ s: slow as Host }, { lan: { buffer: 3000 } })
  const load = { to: 'r/in0', rate: '100kpps', frame: 1000, flows: { dst: '10.0.0.1', dport: 9000 } }
  const report = runOf({ ...scenario, traffic: { load } } as ScenarioInput)
  const row = port(report, 's/eth0')
  assert.ok(row.overflow > 1000, `${row.overflow} frames`)
  assert.ok(row.load > 0.95, `the port is busy ${row.load}`)
  assert.is(report.drops.find(({ reason }) => reason === 'SWITCH_FULL')?.count, row.overflow)
})

function faultsOf(scenario: object): string[] {
  const compiled = compileScenario(scenario as ScenarioInput, { source: 'test' })
  return compiled.ok ? [] : compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`)
}

linked('links that cannot be are refused', () => {
  const good = behindRouter({ s: server('10.0.0.1') }, {})
  const fault = (link: object, pattern: RegExp) =>
    assert.match(faultsOf({ ...good, links: { cable: link } }).join('\n'), pattern)
  assert.equal(faultsOf(good), [])
  fault({ between: ['r/out', 's/eth9'] }, /links\.cable\.between\[1\]: host\/device: one of r\/in0, r\/out, s\/eth0/)
  fault({ between: ['r/out', 'r/out'] }, /on no other link/)
  fault({ between: ['r/out', 's/eth0'], loss: 2 }, /links\.cable\.loss: a number from 0 to 1/)
  fault({ between: ['r/out', 's/eth0'], speed: 1 }, /one of the keys between, delay/)
  fault({ between: ['r/out'] }, /two devices/)
  fault({ between: ['r/in0', 's/eth0'] }, /traffic\.s\.to: a device at whose other end is no host \(one of r\/out\)/)
  const slow = { ...good, hosts: { ...good.hosts, s: { ...server('10.0.0.1'), devices: { eth0: { link: '1Gbit' } } } } }
  assert.match(faultsOf(slow).join('\n'), /a device of the same speed: 10 and 1 Gbit\/s/)
  assert.match(faultsOf({ ...good, links: undefined, traffic: {} }).join('\n'), /traffic: at least one source/)
})

const repeat = (seed: number): string => `repeat with SEED=${seed} node tests/dist/linked-hosts.test.js`
const given = Number(process.env.SEED)
for (const [seed, fault] of given > 0 ? [] : FOUND_NETWORK_SEEDS) {
  linked(`network, seed ${seed}: ${fault}`, () =>
    assert.is(checkScenario(randomNetwork(seed, 0.3), seed, 1, 0).join('\n'), '', repeat(seed)),
  )
}
for (const seed of given > 0 ? [given] : [3, 5]) {
  linked(`network, seed ${seed}`, () =>
    assert.is(checkScenario(randomNetwork(seed, 0.5), seed, 1).join('\n'), '', repeat(seed)),
  )
}

linked.run()
