import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareVariants } from '../src/compare/document.js'
import { quantitiesOf } from '../src/compare/quantities.js'
import { type ChartSpec, type ReportSubject, renderReport } from '../src/report/report.js'
import { numberOf } from '../src/report/sweep-charts.js'
import { summarizePoint } from '../src/sweep/document.js'
import { measuresOf } from '../src/sweep/measures.js'
import { cpu, drop, hostResult, queue, result } from './fixtures.js'

const ODD = `</script><script>alert(1)</script><img src=x onerror="a">&'\u0007`
const ASSETS = {
  style: 'p { color: red }',
  scripts: [
    { name: 'd3', text: 'const a = "</script>"' },
    { name: 'page', text: '// page' },
  ],
  generator: 'softnet 0',
}

const VOID = new Set(['meta', 'br', 'path', 'line'])
const RAW = new Set(['script', 'style', 'title'])

interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  text: string
}

/** Every element of a page; fails where a tag is not closed, closes nothing, or has an attribute without quotes. */
function elementsOf(page: string): Element[] {
  const elements: Element[] = []
  const open: string[] = []
  let at = page.indexOf('<html')
  while (at < page.length) {
    const start = page.indexOf('<', at)
    if (start < 0) break
    const tag = /^<(\/?)([a-z0-9]+)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/.exec(page.slice(start, start + 20_000))
    assert.ok(tag, `no tag: ${page.slice(start, start + 80)}`)
    const [whole, close, name = '', attributes = '', self] = tag
    at = start + whole.length
    if (close === '/') {
      assert.is(open.pop(), name)
      continue
    }
    const pairs = [...attributes.matchAll(/([\w:-]+)="([^"]*)"/g)].map(
      ([, key, value]) => [key, value] as [string, string],
    )
    const element: Element = { name, attributes: new Map(pairs), text: '' }
    elements.push(element)
    if (RAW.has(name)) {
      const end = page.indexOf(`</${name}>`, at)
      element.text = page.slice(at, end)
      at = end + name.length + 3
    } else if (!VOID.has(name) && self !== '/') open.push(name)
  }
  assert.equal(open, [])
  return elements
}

/** Checks what every report must be, and returns its charts. */
function check(subject: ReportSubject): { page: string; elements: Element[]; charts: ChartSpec[] } {
  const page = renderReport(subject, ASSETS)
  assert.ok(page.startsWith('<!doctype html>'))
  const elements = elementsOf(page)
  const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? [])
  assert.is(new Set(ids).size, ids.length, `an id stands twice: ${ids}`)
  for (const { name, attributes } of elements) {
    assert.not.ok(attributes.has('src'), `${name} loads something`)
    const href = attributes.get('href')
    if (href !== undefined) assert.ok(ids.includes(href.slice(1)), `${href} leads nowhere`)
    assert.not.ok([...attributes.keys()].some((key) => key.startsWith('on')))
  }
  const data = elements.find(({ attributes }) => attributes.get('id') === 'charts')
  const charts: ChartSpec[] = JSON.parse(data?.text ?? '')
  const places = elements.flatMap(({ attributes }) => attributes.get('data-chart') ?? [])
  assert.equal(charts.map(({ id }) => id).sort(), places.sort())
  for (const { id, series, colors, rows } of charts) {
    const names = colors.map(({ name }) => name)
    for (const each of series) {
      assert.ok(names.includes(each.name), `${id}: ${each.name} has no colour`)
      if (rows !== undefined) assert.ok(rows.includes(each.row ?? ''), `${id}: no row ${each.row}`)
      for (const point of each.points) for (const value of point) assert.ok(value !== null && !Number.isNaN(value), id)
    }
  }
  return { page, elements, charts }
}

const timeline = [
  { t_ns: 0, offered: 60_000, delivered: 50_000, dropped: 0 },
  { t_ns: 1e7, offered: 40_000, delivered: 49_000, dropped: 1000, dropped_at: { ring: 400, socket: 600 } },
]

function run(name: string, lost = 1000) {
  const busy = {
    ...cpu(0, { softirq: 50 }),
    timeline_ns: { hardirq: [0, 0], softirq: [1e7, 5e6], ksoftirqd: [0, 0], task: [0, 9] },
  }
  const host = hostResult({ cpus: [busy, cpu(1)], queues: [queue(0, 0)] })
  const verdict = { bottleneck: 'x', sentences: [ODD], remedies: [{ set: `a=${ODD}`, why: ODD }] }
  return result(host, [drop(ODD, ODD, lost)], { scenario: name, timeline, verdict })
}

test('the report of a run holds its charts and tables, and nothing from outside is markup', () => {
  const { page, elements, charts } = check({ kind: 'run', result: run(ODD) })
  assert.equal(
    charts.map(({ id }) => id),
    ['rates', 'drops', 'cpus-0', 'latency'],
  )
  assert.is(elements.filter(({ name }) => name === 'script').length, 3)
  assert.not.ok(page.includes('<img'))
  assert.ok(page.includes('&lt;img src=x onerror=&quot;a&quot;&gt;&amp;&#39;·'))
  assert.is(elements.filter(({ name }) => name === 'h1').length, 1)
})

test('what is forwarded, sent and counted by plugins is in the report, and what is not there is left out', () => {
  const plain = check({ kind: 'run', result: run('s') }).page
  for (const text of ['Transmit queues', 'Queueing disciplines', 'id="plugins"', '<dt>sent']) {
    assert.not.ok(plain.includes(text), text)
  }
  const base = run('s', 0)
  const tx = { dev: 'eth1', queue: 0, cpu: 0, packets: 70_001, bytes: 4_200_000, stops: 3, restarts: 3, ring_max: 9 }
  const qdisc = {
    dev: 'eth1',
    queue: 0,
    parent: 'root',
    kind: 'pfifo_fast' as const,
    bytes: 4_200_000,
    packets: 70_001,
  }
  const counts = { dropped: 5, overlimits: 0, requeues: 2, backlog_bytes: 0, backlog_packets: 0, qlen_max: 999 }
  const server = {
    ...hostResult(),
    tx_queues: [{ ...tx, ring_size: 512, bql_limit: 6000 }],
    qdiscs: [{ ...qdisc, ...counts, details: {} }],
  }
  const quota = {
    unit: 'packets',
    count: 12,
    min: 8,
    mean: 9,
    p50: 8,
    p90: 16,
    p99: 32,
    p999: 32,
    max: 64,
    buckets: [],
  }
  const plugin = {
    plugin: 'own',
    probe_digest: null,
    counters: { own: { [ODD]: { total: 4321, by: {} } } },
    histograms: { quota, empty: null },
    state: {},
    report: null,
  }
  const packets = { ...base.packets, delivered: 30_000, sent: 70_000 }
  const { page } = check({ kind: 'run', result: { ...base, packets, hosts: { server }, plugins: { mine: plugin } } })
  for (const text of ['class="forwarded"', '70,000 (70.0 %)', '70,001', 'pfifo_fast', '999', '4,321', '64 packets']) {
    assert.ok(page.includes(text), text)
  }
})

test('links and programs that send are in the report of several hosts, whose queues say where they are', () => {
  const none = { bytes: 0, lost: 0, duplicated: 0, reordered: 0, flooded: 0, foreign: 0 }
  const errors = { EAGAIN: 3, ENOBUFS: 1 }
  const sent = { app: 'ask', kind: 'udp_client', tasks: 1, calls: 9, datagrams: 1234, bytes: 123_400, errors } as const
  const two = {
    ...result(hostResult({ queues: [queue(0, 0)] }), [], {
      links: { rack: { kind: 'switch', ports: [{ ...none, to: 'b/eth0', frames: 777, load: 0.25, overflow: 55 }] } },
    }),
    hosts: {
      a: hostResult({ queues: [queue(0, 0)], programs: [{ ...sent, replies: 4, round_trip_ns: null }] }),
      b: hostResult(),
    },
  }
  const page = renderReport({ kind: 'run', result: two }, ASSETS)
  const words = [...page.matchAll(/<t[hd][^>]*>([^<]*)</g)].map(([, text]) => text)
  for (const word of ['rack', 'b/eth0', '777', '55', '25.0 %', 'a/ask', '1,234', 'EAGAIN 3, ENOBUFS 1', 'a/eth0 rx-0'])
    assert.ok(words.includes(word), `${word} in ${words.join('|')}`)
  const alone = renderReport({ kind: 'run', result: result(hostResult(), []) }, ASSETS)
  assert.not.ok(alone.includes('Links and programs'))
})

test('charts say what the result says', () => {
  const { charts } = check({ kind: 'run', result: run('s') })
  const [rates, drops, cpus, latency] = charts
  const end = rates?.x.domain?.[1]
  assert.equal(rates?.series[0]?.points, [
    [0, 6e6],
    [1e7, (40_000 * 1e9) / (Number(end) - 1e7)],
    [end, (40_000 * 1e9) / (Number(end) - 1e7)],
  ])
  // Places lie on each other, from the wire to the program.
  assert.equal(
    drops?.colors.map(({ name }) => name),
    ['ring', 'socket'],
  )
  assert.is(drops?.series[1]?.points[1]?.[1], drops?.series[0]?.points[1]?.[2])
  assert.equal(cpus?.rows, ['cpu0', 'cpu1'])
  const softirq = cpus?.series.find(({ name, row }) => name === 'softirq' && row === 'cpu0')
  assert.equal(softirq?.points[0], [0, 0, 1])
  const points = latency?.series[0]?.points ?? []
  assert.ok(
    points.every(
      ([x, y], index) =>
        index === 0 || (Number(x) >= Number(points[index - 1]?.[0]) && Number(y) >= Number(points[index - 1]?.[1])),
    ),
  )
})

test('a run without packets and without loss has a report too', () => {
  const quiet = result(hostResult(), [], { offered: 0, latency_ns: null, latency_histogram: [], timeline: [] })
  const { page, charts } = check({ kind: 'run', result: quiet })
  assert.equal(
    charts.map(({ id }) => id),
    ['rates', 'cpus-0'],
  )
  assert.match(page, /No frame was dropped/)
  assert.match(page, /there is no latency to tell/)
})

test('a result of an older version, without timelines of CPUs, has a report', () => {
  const old = run('old')
  const cpus = old.hosts.server?.cpus.map(({ timeline_ns, ...rest }) => rest)
  check({ kind: 'run', result: { ...old, hosts: { server: { ...old.hosts.server, cpus } } } as never })
})

test('the report of a comparison shows runs side by side, also where one has failed', () => {
  const results = [run('a'), run('b', 10), null]
  const variants = results.map((each, index) => ({
    label: index === 1 ? ODD : 'v',
    scenario: ODD,
    differences: index === 0 ? [] : [{ path: ODD, from: undefined, to: ODD }],
    runs: each === null ? [] : [{ seed: 1, digest: 'd', bottleneck: 'x' }],
    failures: each === null ? [{ seed: 1, message: ODD }] : [],
    quantities: new Map(each === null ? [] : [[1, quantitiesOf(each)]]),
  }))
  const { elements, charts } = check({ kind: 'compare', document: compareVariants(variants, [1], 'done', 1), results })
  assert.equal(charts.find(({ id }) => id === 'drops')?.rows, ['A', 'B'])
  assert.is(elements.filter(({ attributes }) => attributes.get('class') === 'path').length, 2)
})

test('the report of a sweep has a chart per measure, along the setting with most values', () => {
  const axes = [
    { path: 'b', canonical: 'x.b', values: ['on', ODD] },
    { path: 'a', canonical: 'x.a', values: [64, 128, 1024] },
  ]
  const points = [0, 1, 2, 3, 4, 5].map((point) => {
    const settings = { 'x.b': axes[0]?.values[point < 3 ? 0 : 1], 'x.a': axes[1]?.values[point % 3] }
    const runs = [1, 2].map((seed) => ({
      seed,
      digest: 'd',
      wall_ms: 1,
      measures: measuresOf(run('s', seed * 10 * (point + 1))),
    }))
    return summarizePoint(point, settings, point === 5 ? [] : runs, point === 5 ? 2 : 0)
  })
  const document = {
    schema: 'softnet.sweep/1' as const,
    status: 'done' as const,
    scenario: ODD,
    seeds: [1, 2],
    vary: axes,
    points,
    failures: [{ point: 5, settings: points[5]?.settings ?? {}, seed: 1, message: ODD }],
    runs: { all: 12, done: 10, resumed: 0, failed: 2 },
    wall_ms: 5,
  }
  const { charts } = check({ kind: 'sweep', document })
  const delivered = charts.find(({ id }) => id === 'sweep-delivered_pps')
  assert.equal([delivered?.x.label, delivered?.x.scale, delivered?.x.ticks], ['a', 'log', [64, 128, 1024]])
  assert.equal(
    delivered?.colors.map(({ name }) => name),
    ['b=on', `b=${ODD}`],
  )
  const line = delivered?.series.find(({ shape }) => shape === 'line')
  assert.equal(
    line?.points.map(([x]) => x),
    [64, 128, 1024],
  )
  assert.is(line?.points[1]?.[1], points[1]?.measures.delivered_pps?.mean)
})

test('values with one unit are numbers along x', () => {
  assert.equal(numberOf('16us'), { number: 16, unit: 'us' })
  assert.equal(numberOf(2.5), { number: 2.5, unit: '' })
  assert.is(numberOf('on'), null)
  assert.is(numberOf([1]), null)
})

test.run()
