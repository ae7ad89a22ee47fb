/**
 * What runs inside of a report: draws its charts with Observable Plot, and reads values off by pointer and by keyboard.
 * It is put into the file as it is compiled, so it imports nothing but types.
 */
import type * as PlotLibrary from '@observablehq/plot'
import type { ChartAxis, ChartSeries, ChartSpec, ValueKind } from '@softnet/observe/report'

declare const Plot: typeof PlotLibrary

const MIN_WIDTH = 280
const MARGIN_LEFT = 64
const ROW_LABEL_MARGIN = 64
const LARGE_STEP = 10
/** Width that the words of a tick need, CSS pixels. */
const TICK_ROOM = 52
const SVG = 'http://www.w3.org/2000/svg'

/** A point as it was given, with the names its marks go by. */
interface Point {
  readonly x: number | string
  readonly y: number
  readonly high: number
  readonly name: string
  readonly row: string
}

const SI = ['', 'k', 'M', 'G', 'T']
const TIME = ['ns', 'µs', 'ms', 's']

function scaled(value: number, units: readonly string[], step = 1000): string {
  let [rest, unit] = [Math.abs(value), 0]
  while (rest >= step * 0.9995 && unit < units.length - 1) {
    rest /= step
    unit++
  }
  const digits = rest >= 99.95 || rest === 0 ? 0 : rest >= 9.995 ? 1 : 2
  const text = rest
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
  return `${value < 0 ? '−' : ''}${text} ${units[unit] ?? ''}`
}

/** Share of packets at a number of nines: 0 is none, 1 is 90 %, 2 is 99 %. */
function percentText(nines: number): string {
  if (nines === 0) return '0 %'
  const decimals = Math.max(0, Math.ceil(nines - 1e-9) - 2)
  return `${((1 - 10 ** -nines) * 100).toFixed(nines < 1 ? 0 : decimals)} %`
}

function valueText(kind: ValueKind, value: number | string): string {
  if (typeof value === 'string') return value
  if (value === 0 && kind !== 'nines' && kind !== 'share') return '0'
  switch (kind) {
    case 'packet-rate':
      return scaled(
        value,
        SI.map((prefix) => `${prefix}pps`),
      )
    case 'event-rate':
      return scaled(
        value,
        SI.map((prefix) => `${prefix}/s`),
      )
    case 'time-ns':
      return scaled(value, TIME)
    case 'share':
      return `${Number((value * 100).toFixed(1))} %`
    case 'nines':
      return percentText(value)
    default:
      return String(Number(value.toPrecision(6)))
  }
}

function pointsOf({ name, points, row = '', shape }: ChartSeries): Point[] {
  return points.map(([x = 0, y = 0, high = y]) => {
    const isRange = shape === 'area' || shape === 'band'
    return { x, y: Number(y), high: Number(isRange ? high : y), name, row }
  })
}

function marksOf({ series, rows }: ChartSpec): PlotLibrary.Markish[] {
  const facet = rows === undefined ? {} : { fy: 'row' }
  return series.flatMap((each): PlotLibrary.Markish[] => {
    const data = pointsOf(each)
    const base = { x: 'x', ...facet }
    switch (each.shape) {
      case 'area':
        return [Plot.areaY(data, { ...base, y1: 'y', y2: 'high', fill: 'name', curve: 'step-after' })]
      case 'band':
        return [Plot.areaY(data, { ...base, y1: 'y', y2: 'high', fill: 'name', fillOpacity: 0.2 })]
      case 'dots':
        return [Plot.dot(data, { ...base, y: 'y', stroke: 'name', r: 2.5, strokeOpacity: 0.6 })]
      default: {
        const curve = each.shape === 'step' ? 'step-after' : 'linear'
        return [Plot.lineY(data, { ...base, y: 'y', stroke: 'name', strokeWidth: 1.75, curve })]
      }
    }
  })
}

/** Ticks that leave each other room on a linear axis. */
function thinned({ ticks = [], domain = [], scale }: ChartAxis, width: number): number[] {
  const [low, high] = [Number(domain[0]), Number(domain.at(-1))]
  if (scale !== 'linear' || !(high > low)) return [...ticks]
  const kept: number[] = []
  for (const tick of ticks) {
    const last = kept.at(-1)
    if (last === undefined || ((tick - last) / (high - low)) * width >= TICK_ROOM) kept.push(tick)
  }
  return kept
}

function axisOptions({ label, kind, scale, domain, ticks }: ChartAxis, width: number, isX: boolean) {
  const isName = scale === 'point'
  const tickFormat = isName ? undefined : (value: number) => valueText(kind, value)
  const count = Math.max(2, Math.floor(width / 110))
  return {
    label,
    type: scale,
    ...(domain === undefined ? {} : { domain: [...domain] }),
    ...(tickFormat === undefined ? {} : { tickFormat }),
    ...(ticks === undefined
      ? isX && !isName
        ? { ticks: count }
        : {}
      : { ticks: isX ? thinned({ label, kind, scale, domain: domain ?? [], ticks }, width) : [...ticks] }),
    labelArrow: 'none' as const,
  }
}

/** A drawn chart and where its values are. */
interface Drawing {
  readonly figure: (SVGSVGElement | HTMLElement) & PlotLibrary.Plot
  readonly svg: SVGSVGElement
}

function draw(spec: ChartSpec, width: number): Drawing {
  const { x, y, rows, colors, height } = spec
  const count = rows?.length ?? 1
  const top = 22
  const bottom = 42
  const isLog = y.scale === 'log'
  const figure = Plot.plot({
    width,
    height: height * count + top + bottom,
    marginLeft: MARGIN_LEFT,
    marginRight: rows === undefined ? 16 : ROW_LABEL_MARGIN,
    marginTop: top,
    marginBottom: bottom,
    style: { background: 'transparent', fontSize: '12px', overflow: 'visible' },
    x: axisOptions(x, width, true),
    y: { ...axisOptions(y, width, false), grid: true, ...(isLog ? {} : { zero: true, nice: y.domain === undefined }) },
    ...(rows === undefined ? {} : { fy: { domain: [...rows], label: null, padding: 0.12 } }),
    color: { domain: colors.map(({ name }) => name), range: colors.map(({ color }) => color) },
    marks: [...marksOf(spec), ...(isLog ? [] : [Plot.ruleY([0], { strokeOpacity: 0.4 })])],
  })
  const svg = figure instanceof SVGSVGElement ? figure : (figure.querySelector('svg') as SVGSVGElement)
  svg.setAttribute('aria-hidden', 'true')
  return { figure, svg }
}

/** Values of all series at one place along x, in words. */
function readout(spec: ChartSpec, at: number | string, row: string): string {
  const words = spec.series.flatMap((series) => {
    if (series.shape === 'dots' || (series.row ?? '') !== row) return []
    const held = series.shape === 'step' || series.shape === 'area'
    const found = held ? series.points.findLast(([x]) => (x ?? 0) <= at) : series.points.find(([x]) => x === at)
    if (found === undefined) return []
    const [, low = 0, high = low] = found
    if (series.shape === 'band')
      return high === low ? [] : [`${valueText(spec.y.kind, low)} to ${valueText(spec.y.kind, high)} (95 %)`]
    const value = series.shape === 'area' ? Number(high) - Number(low) : Number(low)
    return [`${series.name} ${valueText(spec.y.kind, value)}`.trim()]
  })
  return `${row === '' ? '' : `${row}, `}${valueText(spec.x.kind, at)}: ${words.join(', ')}`
}

/** One chart of the page: drawn for the width it has, with a cursor that pointer and arrow keys move. */
class Chart {
  readonly #spec: ChartSpec
  readonly #place: HTMLElement
  readonly #readout: HTMLElement | null
  readonly #stops: readonly (number | string)[]
  readonly #rows: readonly string[]
  #drawing: Drawing | null = null
  #cursor: SVGLineElement | null = null
  #width = 0
  #stop = -1
  #row = 0

  constructor(spec: ChartSpec, place: HTMLElement) {
    this.#spec = spec
    this.#place = place
    this.#readout = document.getElementById(`${spec.id}-readout`)
    const all = [...new Set(spec.series.flatMap(({ points }) => points.map(([x]) => x ?? 0)))]
    this.#stops = spec.x.scale === 'point' ? all : all.sort((a, b) => Number(a) - Number(b))
    this.#rows = spec.rows ?? ['']
    new ResizeObserver(() => this.#fit()).observe(place)
    place.addEventListener('pointermove', (event) => this.#follow(event))
    place.addEventListener('pointerleave', () => this.#show(-1))
    place.addEventListener('blur', () => this.#show(-1))
    place.addEventListener('keydown', (event) => this.#press(event))
    this.#fit()
  }

  #fit(): void {
    const width = Math.max(MIN_WIDTH, Math.floor(this.#place.clientWidth))
    if (width === this.#width) return
    this.#width = width
    this.#drawing = draw(this.#spec, width)
    this.#cursor = document.createElementNS(SVG, 'line')
    this.#cursor.setAttribute('class', 'cursor')
    this.#cursor.setAttribute('visibility', 'hidden')
    this.#drawing.svg.append(this.#cursor)
    this.#place.replaceChildren(this.#drawing.figure)
  }

  /** Where a stop is along the drawing, in its own units. */
  #at(stop: number | string): number {
    return this.#drawing?.figure.scale('x')?.apply(stop) ?? 0
  }

  /** Top and height of a row. */
  #rowSpan(row: number): readonly [number, number] {
    const { height } = this.#spec
    const fy = this.#drawing?.figure.scale('fy')
    if (fy === undefined) return [22, height]
    return [fy.apply(this.#rows[row]), fy.bandwidth ?? height]
  }

  #follow(event: PointerEvent): void {
    const svg = this.#drawing?.svg
    if (svg === undefined) return
    const box = svg.getBoundingClientRect()
    const scale = box.width > 0 ? svg.viewBox.baseVal.width / box.width : 1
    const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale]
    let nearest = 0
    this.#stops.forEach((stop, index) => {
      if (Math.abs(this.#at(stop) - x) < Math.abs(this.#at(this.#stops[nearest] ?? 0) - x)) nearest = index
    })
    const row = this.#rows.findIndex((_name, index) => {
      const [top, height] = this.#rowSpan(index)
      return y >= top && y <= top + height
    })
    if (row >= 0) this.#row = row
    this.#show(nearest)
  }

  #press(event: KeyboardEvent): void {
    const step = event.shiftKey ? LARGE_STEP : 1
    const last = this.#stops.length - 1
    const moves: Readonly<Record<string, () => void>> = {
      ArrowRight: () => this.#show(Math.min(last, this.#stop + step)),
      ArrowLeft: () => this.#show(this.#stop < 0 ? last : Math.max(0, this.#stop - step)),
      Home: () => this.#show(0),
      End: () => this.#show(last),
      ArrowDown: () => this.#turn(1),
      ArrowUp: () => this.#turn(-1),
      Escape: () => this.#show(-1),
    }
    const move = moves[event.key]
    const turns = event.key === 'ArrowDown' || event.key === 'ArrowUp'
    if (move === undefined || (turns && this.#rows.length === 1)) return
    event.preventDefault()
    move()
  }

  #turn(by: number): void {
    this.#row = Math.min(this.#rows.length - 1, Math.max(0, this.#row + by))
    this.#show(Math.max(0, this.#stop))
  }

  /** Moves the cursor to a stop and says what is there; −1 takes it away. */
  #show(stop: number): void {
    this.#stop = stop
    const at = this.#stops[stop]
    if (this.#cursor === null) return
    if (at === undefined) {
      this.#cursor.setAttribute('visibility', 'hidden')
      if (this.#readout !== null) this.#readout.textContent = ''
      return
    }
    const x = String(this.#at(at))
    const [top, height] = this.#rowSpan(this.#row)
    const ends = { x1: x, x2: x, y1: String(top), y2: String(top + height), visibility: 'visible' }
    for (const [name, value] of Object.entries(ends)) this.#cursor.setAttribute(name, value)
    if (this.#readout !== null) this.#readout.textContent = readout(this.#spec, at, this.#rows[this.#row] ?? '')
  }
}

const specs: readonly ChartSpec[] = JSON.parse(document.getElementById('charts')?.textContent ?? '[]')
for (const spec of specs) {
  const place = document.querySelector(`[data-chart="${CSS.escape(spec.id)}"] .plot`)
  if (place instanceof HTMLElement) new Chart(spec, place)
}
document.documentElement.dataset.drawn = String(specs.length)
