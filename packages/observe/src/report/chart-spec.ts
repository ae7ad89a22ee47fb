/** A chart as data: what the page draws with its chart library. */

/** How numbers along an axis are written. */
export type ValueKind = 'packet-rate' | 'event-rate' | 'time-ns' | 'share' | 'nines' | 'number' | 'name'

/** One axis. */
export interface ChartAxis {
  readonly label: string
  readonly kind: ValueKind
  readonly scale: 'linear' | 'log' | 'point'
  /** From and to, or the names of a `point` scale in their order. */
  readonly domain?: readonly (number | string)[]
  /** Where ticks are; chosen by the library where it is left out. */
  readonly ticks?: readonly number[]
}

/**
 * What is drawn of one thing. A point is `[x, y]` for lines, steps and dots, `[x, low, high]` for areas and bands; a
 * step holds from its x to the next one's.
 */
export interface ChartSeries {
  /** Names the entry of `colors`. */
  readonly name: string
  readonly shape: 'line' | 'step' | 'area' | 'band' | 'dots'
  readonly points: readonly (readonly (number | string)[])[]
  /** Row of a chart that has several under each other. */
  readonly row?: string
}

/** One chart. */
export interface ChartSpec {
  readonly id: string
  readonly title: string
  /** Height of the drawing, or of each of its rows, CSS pixels. */
  readonly height: number
  readonly x: ChartAxis
  readonly y: ChartAxis
  /** Rows from top to bottom; left out where there is only one. */
  readonly rows?: readonly string[]
  /** Entries of the legend in their order; `color` is a CSS colour. */
  readonly colors: readonly { readonly name: string; readonly color: string }[]
  readonly series: readonly ChartSeries[]
}

/** Colour number `index` of things that are told apart only by colour. */
export function seriesColor(index: number): string {
  return `var(--series-${index % 8})`
}
