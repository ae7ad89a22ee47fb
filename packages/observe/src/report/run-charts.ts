/** Charts of runs: rates and drops over time, what CPUs do, latency by percentile. */
import { PATH_PLACES, type PathPlace, type ResultDocument, TIMELINE_CONTEXTS } from '@softnet/scenario/plan'
import { type ChartAxis, type ChartSeries, type ChartSpec, seriesColor } from './chart-spec.js'

/** A run with the name it has in the report. */
export interface NamedRun {
  /** Empty where there is only one run. */
  readonly name: string
  /** The letter of its name, for places without room. */
  readonly letter: string
  readonly result: ResultDocument
}

/** CPUs that have a row of their own in a chart. */
export const MAX_CPU_ROWS = 16

const NS_PER_SEC = 1e9
const CHART_HEIGHT = 240
const CPU_HEIGHT = 56

/** Ends of the intervals of a timeline, ns. */
function intervalEnds({ timeline, simulated_ns }: ResultDocument): number[] {
  return timeline.map((_row, index) => timeline[index + 1]?.t_ns ?? simulated_ns)
}

function timeAxis(runs: readonly NamedRun[]): ChartAxis {
  const end = Math.max(...runs.map(({ result }) => result.simulated_ns))
  return { label: 'simulated time', kind: 'time-ns', scale: 'linear', domain: [0, end] }
}

/** A count per interval as a rate; the last point repeats the last rate where the run ends. */
function ratePoints(result: ResultDocument, count: (index: number) => number): [number, number][] {
  const ends = intervalEnds(result)
  const points = result.timeline.map(({ t_ns }, index): [number, number] => {
    const seconds = ((ends[index] ?? t_ns) - t_ns) / NS_PER_SEC
    return [t_ns, seconds > 0 ? count(index) / seconds : 0]
  })
  const last = points.at(-1)
  return last === undefined ? [] : [...points, [result.simulated_ns, last[1]]]
}

/** What was offered, delivered and dropped over time. */
export function rateChart(id: string, runs: readonly NamedRun[]): ChartSpec {
  const [only] = runs
  const isOne = runs.length === 1 && only !== undefined
  const steps = (name: string, { result }: NamedRun, key: 'offered' | 'delivered' | 'dropped'): ChartSeries => ({
    name,
    shape: 'step',
    points: ratePoints(result, (index) => result.timeline[index]?.[key] ?? 0),
  })
  const series = isOne
    ? (['offered', 'delivered', 'dropped'] as const).map((key) => steps(key, only, key))
    : runs.map((run) => steps(run.name, run, 'delivered'))
  const colors = isOne
    ? ['offered', 'delivered', 'dropped'].map((name) => ({ name, color: `var(--${name})` }))
    : runs.map(({ name }, index) => ({ name, color: seriesColor(index) }))
  return {
    id,
    title: isOne ? 'Frames offered, delivered and dropped over time' : 'Frames delivered over time',
    height: CHART_HEIGHT,
    x: timeAxis(runs),
    y: { label: 'frames per second', kind: 'packet-rate', scale: 'linear' },
    colors,
    series,
  }
}

const PLACE_NAMES: Readonly<Record<PathPlace, string>> = {
  wire: 'wire',
  nic: 'NIC',
  ring: 'ring',
  napi: 'NAPI, XDP',
  backlog: 'backlog',
  core: 'netif core',
  ip: 'IP',
  socket: 'socket',
  out: 'way out',
  app: 'program',
}

/** What a place of the path is called in a report. */
export function placeName(place: PathPlace): string {
  return PLACE_NAMES[place] ?? place
}

/** Where frames were dropped over time, a row per run; null where nothing was. */
export function dropChart(id: string, runs: readonly NamedRun[]): ChartSpec | null {
  const places = PATH_PLACES.filter((place) =>
    runs.some(({ result }) => result.timeline.some((row) => (row.dropped_at?.[place] ?? 0) > 0)),
  )
  if (places.length === 0) return null
  const series = runs.flatMap(({ letter, result }): ChartSeries[] => {
    const below = result.timeline.map(() => 0)
    return places.map((place) => {
      const low = ratePoints(result, (index) => below[index] ?? 0)
      result.timeline.forEach((row, index) => {
        below[index] = (below[index] ?? 0) + (row.dropped_at?.[place] ?? 0)
      })
      const high = ratePoints(result, (index) => below[index] ?? 0)
      const points = low.map(([x, y], index): [number, number, number] => [x, y, high[index]?.[1] ?? y])
      return { name: placeName(place), shape: 'area', points, row: letter }
    })
  })
  return {
    id,
    title: 'Drops over time, by place',
    height: runs.length === 1 ? CHART_HEIGHT : CHART_HEIGHT / 2,
    x: timeAxis(runs),
    y: { label: 'frames lost per second', kind: 'packet-rate', scale: 'linear' },
    ...(runs.length === 1 ? {} : { rows: runs.map(({ letter }) => letter) }),
    colors: places.map((place) => ({
      name: placeName(place),
      color: seriesColor(PATH_PLACES.indexOf(place)),
    })),
    series,
  }
}

/** CPUs by host in the order of their numbers; where there are too many, those that were idle least. */
function chosenCpus(result: ResultDocument) {
  const severalHosts = Object.keys(result.hosts).length > 1
  const all = Object.entries(result.hosts).flatMap(([host, { cpus }]) =>
    cpus.map((row) => ({ name: `${severalHosts ? `${host}/` : ''}cpu${row.cpu}`, row })),
  )
  if (all.length <= MAX_CPU_ROWS) return all
  const busiest = new Set([...all].sort((a, b) => a.row.time_ns.idle - b.row.time_ns.idle).slice(0, MAX_CPU_ROWS))
  return all.filter((cpu) => busiest.has(cpu))
}

/** What each CPU did over time, a row per CPU. */
export function cpuChart(id: string, run: NamedRun): ChartSpec {
  const { result } = run
  const cpus = chosenCpus(result)
  const ends = intervalEnds(result)
  const series = cpus.flatMap((cpu): ChartSeries[] => {
    const below = result.timeline.map(() => 0)
    return TIMELINE_CONTEXTS.map((context) => {
      const points = result.timeline.map(({ t_ns }, index): [number, number, number] => {
        const length = (ends[index] ?? t_ns) - t_ns
        const low = below[index] ?? 0
        const part = (cpu.row.timeline_ns?.[context]?.[index] ?? 0) / Math.max(1, length)
        below[index] = Math.min(1, low + part)
        return [t_ns, low, below[index]]
      })
      const [, low = 0, high = 0] = points.at(-1) ?? []
      return { name: context, shape: 'area', points: [...points, [result.simulated_ns, low, high]], row: cpu.name }
    })
  })
  return {
    id,
    title: 'What each CPU does over time',
    height: CPU_HEIGHT,
    x: timeAxis([run]),
    y: { label: 'share of time', kind: 'share', scale: 'linear', domain: [0, 1], ticks: [1] },
    rows: cpus.map((cpu) => cpu.name),
    colors: TIMELINE_CONTEXTS.map((context) => ({ name: context, color: `var(--${context})` })),
    series,
  }
}

const MAX_NINES = 6

/** 1, 2 and 5 of every power of ten that is within a range, and the nearest ones around it. */
function logTicks(low: number, high: number): number[] {
  const ticks: number[] = []
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= high * 10; power *= 10)
    ticks.push(power, 2 * power, 5 * power)
  const first = ticks.findLastIndex((tick) => tick <= low)
  const last = ticks.findIndex((tick) => tick >= high)
  return ticks.slice(Math.max(0, first), last < 0 ? undefined : last + 1)
}

/** Latency by percentile: along x each unit is one nine more, so that the tail has room. */
export function latencyChart(id: string, runs: readonly NamedRun[]): ChartSpec | null {
  const told = runs.filter(({ result }) => result.latency_ns !== null)
  if (told.length === 0) return null
  let most = 1
  const series = told.map(({ name, result }): ChartSeries => {
    const { latency_histogram: histogram, latency_ns: summary } = result
    const all = histogram.reduce((sum, [, count]) => sum + count, 0)
    let seen = 0
    const points: [number, number][] = summary === null ? [] : [[0, Math.max(1, summary.min)]]
    for (const [upperNs, count] of histogram) {
      seen += count
      // The greatest packet of all would be at infinitely many nines: it stands where half a packet is left.
      const nines = -Math.log10(Math.max(0.5, all - seen) / all)
      points.push([Math.min(nines, MAX_NINES), Math.max(1, Math.min(upperNs, summary?.max ?? upperNs))])
    }
    most = Math.max(most, points.at(-1)?.[0] ?? 0)
    return { name, shape: 'line', points }
  })
  const values = series.flatMap(({ points }) => points.map(([, ns]) => Number(ns)))
  const yTicks = logTicks(Math.min(...values), Math.max(...values))
  const y = { label: 'latency, last bit at the port to recvmsg', kind: 'time-ns', scale: 'log' } as const
  const ticks = [0, Math.log10(2), 1, 2, 3, 4, 5, 6].filter((nines) => nines <= most)
  return {
    id,
    title: 'Latency by percentile',
    height: CHART_HEIGHT * 1.25,
    x: {
      label: 'share of packets that were as fast or faster',
      kind: 'nines',
      scale: 'linear',
      domain: [0, most],
      ticks,
    },
    y: { ...y, domain: [yTicks[0] ?? 1, yTicks.at(-1) ?? 1], ticks: yTicks },
    colors: told.map(({ name }) => ({ name, color: seriesColor(runs.findIndex((run) => run.name === name)) })),
    series,
  }
}
