import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildModel,
  createTrace,
  modelPartitions,
  NO_TRACE,
  PluginError,
  reportModel,
  type TraceKind,
} from '@softnet/kernel'
import type { ResultDocument } from '@softnet/scenario'
import { type ScenarioError, type ScenarioInput, simulate } from 'softnet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { examplePath, fixtureUrl, pluginPlan, writePlugin } from './support/plugin-runs.js'
import { atOnce, inRounds, type Report, runModel } from './support/run-model.js'

/** The others, in more orders and longer, are in plugins.long.ts. */
const EXAMPLES = ['power-of-two-choices', 'token-bucket']

type Sets = Readonly<Record<string, unknown>>

async function run(scenario: string | ScenarioInput, set: Sets = {}, duration = '2ms'): Promise<Report> {
  const { plan, plugins } = await pluginPlan(scenario, { duration, set })
  return runModel(plan, undefined, undefined, plugins).report
}

const runExample = (name: string, set?: Sets, duration?: string) => run(examplePath(name), set, duration)

function counted(report: Pick<ResultDocument, 'plugins'>, plugin: string, counter: string): number {
  for (const counters of Object.values(report.plugins?.[plugin]?.counters ?? {})) {
    if (counters[counter] !== undefined) return counters[counter].total
  }
  throw new Error(`plugin ${plugin} has no counter ${counter}`)
}

const droppedAt = (report: Report, where: string): number =>
  report.drops.filter((row) => row.where === where).reduce((sum, { count }) => sum + count, 0)

const examples = suite('plugins: the examples')

for (const name of EXAMPLES) {
  examples(`${name} does not depend on the order of partitions`, async () => {
    const { plan, plugins } = await pluginPlan(examplePath(name), { duration: '1ms' })
    const first = runModel(plan, undefined, undefined, plugins).report
    const other = runModel(plan, inRounds, undefined, plugins).report
    assert.is(other.digest, first.digest)
    assert.equal(other.plugins, first.plugins)
  })
}

examples('the firewall drops denied networks in the driver, and senders above a limit', async () => {
  const report = await runExample('xdp-firewall')
  assert.ok(counted(report, 'firewall', 'denied') > 3000)
  assert.is(droppedAt(report, 'bpf_prog_run_xdp'), counted(report, 'firewall', 'denied'))
  const open = await runExample('xdp-firewall', { 'firewall.options.deny': [] })
  assert.is(counted(open, 'firewall', 'denied'), 0)
  const limited = await runExample('xdp-firewall', { 'firewall.options.deny': [], 'firewall.options.limit': 10 })
  // 72 senders, one CPU, two windows and a begun one; two addresses of one slot start it over.
  assert.ok(counted(limited, 'firewall', 'limited') > 1000)
  assert.is(droppedAt(limited, 'bpf_prog_run_xdp'), counted(limited, 'firewall', 'limited'))
})

examples('the price of the firewall is charged', async () => {
  const cheap = await runExample('xdp-firewall', { 'firewall.options.cycles': 0 })
  const dear = await runExample('xdp-firewall', { 'firewall.options.cycles': 1000 })
  const xdpNs = (report: Report): number => report.hosts.server?.cpus[0]?.stages_ns.xdp ?? 0
  assert.ok(xdpNs(dear) > 3 * xdpNs(cheap))
})

examples('two choices spread packets more evenly than the hash', async () => {
  const spread = (report: Report): number => {
    const received = report.hosts.server?.cpus.slice(1, 5).map((cpu) => cpu.softnet_stat.received_rps) ?? []
    const processed = report.hosts.server?.cpus.slice(1, 5).map((cpu) => cpu.softnet_stat.processed) ?? []
    assert.ok(received.length === 4)
    return Math.max(...processed) / (processed.reduce((sum, n) => sum + n, 0) / 4)
  }
  const chosen = await runExample('power-of-two-choices', {}, '5ms')
  assert.ok(counted(chosen, 'choices', 'moved') > 10)
  const { plan } = await pluginPlan(examplePath('power-of-two-choices'), { duration: '5ms' })
  const hashed = runModel({ ...plan, plugins: [] }).report
  assert.ok(spread(chosen) < spread(hashed) - 0.2, `${spread(chosen)} against ${spread(hashed)}`)
})

examples('the budget follows the load, within its limits', async () => {
  const report = await runExample('adaptive-budget', {}, '4ms')
  const quotas = report.plugins?.budget?.histograms.budget_quota
  assert.is(quotas?.min, 8)
  assert.ok((quotas?.max ?? 0) > 64)
  const small = await runExample('adaptive-budget', { 'budget.options.largest': 16 }, '4ms')
  assert.is(small.plugins?.budget?.histograms.budget_quota?.max, 16)
  const pollsOf = (each: Report): number => each.hosts.server?.queues[0]?.polls ?? 0
  assert.ok(pollsOf(small) > 2 * pollsOf(report))
})

examples('the probe counts every message and changes nothing', async () => {
  const { plan, plugins } = await pluginPlan(examplePath('flow-latency'), { duration: '4ms' })
  const report = runModel(plan, undefined, undefined, plugins).report
  const without = runModel({ ...plan, plugins: [] }).report
  assert.is(report.digest, without.digest)
  const measured = report.plugins?.latency?.histograms.message_latency
  const known = without.latency_ns
  assert.is(measured?.count, known?.count)
  assert.is(measured?.p99, known?.p99)
  const said = report.plugins?.latency?.report as { flows: number; slowest: { mean_ns: number }[] }
  assert.is(said.flows, 16)
  assert.is(said.slowest.length, 3)
  assert.ok((said.slowest[0]?.mean_ns ?? 0) >= (said.slowest[1]?.mean_ns ?? 0))
})

examples('a trace is told of every run of a system, and changes nothing', async () => {
  const { plan, plugins } = await pluginPlan(examplePath('xdp-firewall'), { duration: '1ms' })
  let runs = 0
  const pluginRun = (owner: number, atPs: number, plugin: number, system: number): void => {
    assert.ok(owner > 0 && atPs > 0 && plugin === 0 && system === 0)
    runs++
  }
  const traced = runModel(plan, undefined, { ...NO_TRACE, on: true, pluginRun }, plugins).report
  const report = runModel(plan, undefined, undefined, plugins).report
  assert.is(traced.digest, report.digest)
  assert.is(runs, counted(report, 'firewall', 'passed') + counted(report, 'firewall', 'denied'))
})

/** The last value of each counter track, and how many there were. */
function lastCounts(text: string): Map<string, { readonly last: number; readonly values: number }> {
  const tracks = new Map<string, { last: number; values: number }>()
  for (const { ph, name, args } of (JSON.parse(text) as { traceEvents: TraceEvent[] }).traceEvents) {
    if (ph !== 'C') continue
    tracks.set(name, { last: Object.values(args)[0] ?? 0, values: (tracks.get(name)?.values ?? 0) + 1 })
  }
  return tracks
}

interface TraceEvent {
  readonly ph: string
  readonly name: string
  readonly args: Readonly<Record<string, number>>
}

/** An example's report and its trace, in this thread. */
async function recordExample(name: string, kind: TraceKind): Promise<readonly [Report, string]> {
  const { plan, plugins } = await pluginPlan(examplePath(name), { duration: '500us', set: { warmup: 0 } })
  const trace = createTrace(plan, { kind, fromPs: 0, toPs: Number.POSITIVE_INFINITY, sample: 1000 })
  const model = buildModel(plan, { plugins, trace: trace.sink })
  const recorder = trace.attach(model)
  const partitions = modelPartitions(model)
  atOnce(partitions, plan.durationPs)
  for (const partition of partitions) partition.finish(plan.durationPs)
  return [reportModel(model, plan.durationPs), recorder.close(plan.durationPs).join('')]
}

examples('a trace has what plugins count, measure and hold, wherever it belongs', async () => {
  const [{ plugins }, text] = await recordExample('adaptive-budget', 'perfetto')
  const tracks = lastCounts(text)
  assert.is(tracks.get('budget grown')?.last, plugins?.budget?.counters.budget?.grown?.total)
  assert.is(tracks.get('budget budget_quota.count')?.last, plugins?.budget?.histograms.budget_quota?.count)
  const share = plugins?.budget?.state.budget_share?.find(({ at }) => at === 'eth0-napi-0')
  assert.is(tracks.get('budget eth0-napi-0 packets')?.last, share?.packets)
  assert.ok((tracks.get('budget eth0-napi-0 packets')?.values ?? 0) > 3, 'the quota of an instance goes up and down')
  assert.ok((tracks.get('budget budget_quota.mean')?.last ?? 0) >= 8)
  const [, latency] = await recordExample('flow-latency', 'perfetto')
  assert.ok((lastCounts(latency).get('latency flow_latency')?.last ?? 0) >= 2, 'rows of a table in use')
  const [, lines] = await recordExample('adaptive-budget', 'ftrace')
  assert.match(lines, /plugin_adapt: plugin=budget hook=napi_poll grown=2 .* eth0-napi-0\.packets=32 .*quota\.mean=32/)
})

examples('the bucket limits what is sent to its rate, and the port that goes first is not held up', async () => {
  const report = await runExample('token-bucket', {}, '10ms')
  const sentBits = (each: Report): number => (each.hosts.server?.devices[0]?.tx_bytes ?? 0) * 8
  // 100 Mbit/s for 10 ms and a burst of 8 KiB.
  assert.ok(sentBits(report) <= 1e6 + 65_536, `${sentBits(report)} bits`)
  assert.ok(sentBits(report) > 1e6 * 0.9, `${sentBits(report)} bits`)
  assert.ok(counted(report, 'bucket', 'held') > 100)
  assert.is(counted(report, 'bucket', 'first'), 100)
  const free = await runExample('token-bucket', { 'bucket.options.rate': '10Gbit' }, '10ms')
  assert.is(counted(free, 'bucket', 'held'), 0)
  assert.ok(sentBits(free) > 1.3 * sentBits(report))
})

examples('a failing card loses, damages and holds back frames', async () => {
  const report = await runExample('failing-nic', {
    'failing.options.stall-every': '500us',
    'failing.options.stall-for': '100us',
  })
  assert.is(droppedAt(report, 'nic_rx'), counted(report, 'failing', 'lost'))
  assert.is(droppedAt(report, 'wire'), counted(report, 'failing', 'bad_fcs'))
  assert.ok(droppedAt(report, 'udp_recvmsg') + droppedAt(report, 'udp_queue_rcv_one_skb') > 0)
  assert.is(counted(report, 'failing', 'stalls'), 3)
  assert.ok((report.latency_ns?.max ?? 0) > 100_000)
  const long = await runExample('failing-nic', {
    'failing.options.stall-every': '100us',
    'failing.options.stall-for': '1800us',
    'load.rate': '8Mpps',
  })
  assert.ok(droppedAt(long, 'nic_packet_buffer') > 0)
  // A card without a modelled bus has its packet buffer too.
  const busless = await runExample('failing-nic', {
    'failing.options.stall-every': '100us',
    'failing.options.stall-for': '1800us',
    'load.rate': '8Mpps',
    'eth0.pcie': 'none',
  })
  assert.ok(droppedAt(busless, 'nic_packet_buffer') > 0)
})

examples('what softnet new writes runs, drops and measures', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'softnet-plugin-'))
  try {
    await writePlugin(join(directory, 'my-probe'))
    const report = await run(join(directory, 'my-probe/scenario.yaml'))
    assert.ok(counted(report, 'my-probe', 'dropped') > 50)
    assert.is(droppedAt(report, 'sch_handle_ingress'), counted(report, 'my-probe', 'dropped'))
    const measured = report.plugins?.['my-probe']?.histograms.my_probe_length
    assert.is(measured?.count, counted(report, 'my-probe', 'seen'))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

examples('a run is the same with two workers', async () => {
  const one = await runExample('power-of-two-choices', {}, '1ms')
  const two = await simulate(examplePath('power-of-two-choices'), { duration: '1ms', workers: 2 })
  assert.is(two.workers, 2)
  assert.is(two.digest, one.digest)
  assert.equal(two.plugins, one.plugins)
})

examples.run()

const rules = suite('plugins: what is refused, and what is first')

const BASE = {
  hosts: {
    h: {
      cpus: 2,
      devices: {
        eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, xdp: { mode: 'native' } },
      },
      apps: { app: { cpus: [1] } },
    },
  },
  traffic: { t: { rate: '200kpps', to: 'h/eth0', flows: { count: 8, 'src-count': 2 } } },
} as const satisfies ScenarioInput

const FIREWALL = {
  module: new URL('../../examples/plugins/xdp-firewall.js', import.meta.url).href,
  options: { limit: 20 },
}
const ODD = { module: fixtureUrl('odd-packets') }
const withPlugins = (plugins: NonNullable<ScenarioInput['plugins']>): ScenarioInput => ({ ...BASE, plugins })

rules('two systems that write one verdict need an order, and the error shows both', async () => {
  const { plan, plugins } = await pluginPlan(withPlugins({ wall: FIREWALL, odd: ODD }), { duration: '1ms' })
  assert.throws(
    () => runModel(plan, undefined, undefined, plugins),
    (error: unknown) =>
      error instanceof PluginError &&
      /wall\/firewall writes xdp_verdict, odd\/odd writes xdp_verdict/.test(error.message) &&
      /plugins\.wall\.before: \[odd\] or plugins\.wall\.after: \[odd\]/.test(error.message),
  )
})

rules('an error of a system says whose it is, and where', async () => {
  const { plan, plugins } = await pluginPlan(withPlugins({ w: { module: fixtureUrl('throws') } }), { duration: '1ms' })
  assert.throws(
    () => runModel(plan, undefined, undefined, plugins),
    (error: unknown) =>
      error instanceof Error && /^plugin w: system fail, line \d+ of throws\.js: it is broken/.test(error.message),
  )
})

rules('the order that the scenario gives is the order in which they run', async () => {
  const wallFirst = await run(withPlugins({ wall: { ...FIREWALL, before: ['odd'] }, odd: ODD }))
  const oddFirst = await run(withPlugins({ wall: { ...FIREWALL, after: ['odd'] }, odd: ODD }))
  // Behind the firewall the other one sees only what it has passed.
  assert.is(counted(wallFirst, 'odd', 'dropped'), Math.floor(counted(wallFirst, 'wall', 'passed') / 2))
  assert.ok(counted(oddFirst, 'odd', 'dropped') > counted(wallFirst, 'odd', 'dropped'))
})

rules('at the command line it is an input fault', async () => {
  try {
    await simulate(withPlugins({ wall: FIREWALL, odd: ODD }), { duration: '1ms' })
    assert.unreachable('it ran')
  } catch (thrown) {
    const [fault] = (thrown as ScenarioError).errors
    assert.is(fault?.path, 'plugins')
    assert.match(fault?.accepted ?? '', /wall\/firewall .* odd\/odd/)
    const page = readFileSync(new URL('../../docs/plugins.md', import.meta.url), 'utf8').replace(/\s+/g, ' ')
    assert.ok(page.includes(`error: plugins: accepted: ${fault?.accepted}`), fault?.accepted)
  }
})

const faulty: readonly (readonly [string, ScenarioInput['plugins'], string, RegExp, string | null])[] = [
  [
    'an unknown option',
    { w: { ...FIREWALL, options: { denny: [] } } },
    'plugins.w.options.denny',
    /one of the keys deny, limit/,
    'deny',
  ],
  [
    'a wrong network',
    { w: { ...FIREWALL, options: { deny: ['10.0.0.1/8'] } } },
    'plugins.w.options.deny[0]',
    /a network such as/,
    null,
  ],
  [
    'a wrong time',
    { w: { ...FIREWALL, options: { window: '5' } } },
    'plugins.w.options.window',
    /a time .*from 1us to 1s/,
    null,
  ],
  ['options of another form', { w: { ...FIREWALL, options: 5 as never } }, 'plugins.w.options', /deny, limit/, null],
  [
    'options where there are none',
    { odd: { ...ODD, options: { a: 1 } } },
    'plugins.odd.options.a',
    /one of the keys/,
    null,
  ],
  ['a module that is not there', { w: { module: './no.mjs' } }, 'plugins.w.module', /there is no such file/, null],
  ['a module that is none', { w: { module: './README.md' } }, 'plugins.w.module', /ends in \.js/, null],
  ['a module without a plugin', { w: { module: import.meta.url } }, 'plugins.w.module', /no default export/, null],
  ['no module', { w: {} as never }, 'plugins.w.module', /a module file/, null],
  ['an unknown key', { w: { ...FIREWALL, modul: 'x' } as never }, 'plugins.w.modul', /module, options/, 'module'],
  [
    'an order with nobody',
    { w: { ...FIREWALL, after: ['od'] }, odd: ODD },
    'plugins.w.after[0]',
    /another plugin/,
    'odd',
  ],
  ['one plugin twice', { a: FIREWALL, b: FIREWALL }, 'plugins.b.module', /another plugin than xdp_firewall/, null],
  [
    'a missing option',
    { f: { module: FIREWALL.module.replace('xdp-firewall', 'failing-nic') } },
    'plugins.f.options.device',
    /a device/,
    null,
  ],
  [
    'an unknown device',
    { f: { module: FIREWALL.module.replace('xdp-firewall', 'failing-nic'), options: { device: 'eht0' } } },
    'plugins.f.options.device',
    /eth0/,
    'eth0',
  ],
  [
    'options that do not go together',
    {
      b: { module: FIREWALL.module.replace('xdp-firewall', 'adaptive-budget'), options: { smallest: 99, largest: 9 } },
    },
    'plugins.b.options',
    /smallest is 99, more than largest/,
    null,
  ],
]

for (const [what, plugins, path, accepted, nearest] of faulty) {
  rules(`${what} is a fault with its path`, async () => {
    try {
      await pluginPlan({ ...BASE, plugins })
      assert.unreachable('it compiled')
    } catch (thrown) {
      const fault = (thrown as ScenarioError).errors?.find((each) => each.path === path)
      assert.ok(fault !== undefined, String(thrown))
      assert.match(fault.accepted, accepted)
      assert.is(fault.nearest, nearest)
    }
  })
}

rules('a program for XDP needs a device with XDP', async () => {
  const { xdp: _, ...eth0 } = BASE.hosts.h.devices.eth0
  const hosts = { h: { ...BASE.hosts.h, devices: { eth0 } } }
  try {
    await pluginPlan({ ...BASE, hosts, plugins: { wall: FIREWALL } })
    assert.unreachable('it compiled')
  } catch (thrown) {
    assert.match(String(thrown), /plugins\.wall: .*XDP on some device/)
  }
})

rules.run()
