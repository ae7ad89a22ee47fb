/** How much of each section is shown; the densest that fits the screen is taken. */

/** Sizes of the sections of the text result. */
export interface Density {
  /** CPUs that have a row of their own. */
  readonly cpuRows: number
  /** CPU bars side by side. */
  readonly cpuColumns: 1 | 2
  readonly queueRows: number
  /** Directions of links that have a row. */
  readonly linkRows: number
  /** Drop reasons shown at one place of the path. */
  readonly reasonRows: number
  /** Height of the latency picture, lines. */
  readonly histogramRows: number
  readonly remedyRows: number
  /** Lines of the verdict's sentences. */
  readonly sentenceRows: number
  readonly counterRows: number
  /** Lines of counters and histograms of plugins. */
  readonly pluginRows: number
  /** Places without loss that may be left out of the path. */
  readonly shortPath: boolean
  readonly blankLines: boolean
}

const FULL: Density = {
  cpuRows: 8,
  cpuColumns: 1,
  queueRows: 8,
  linkRows: 8,
  reasonRows: 4,
  histogramRows: 2,
  remedyRows: 5,
  sentenceRows: 9,
  counterRows: 4,
  pluginRows: 8,
  shortPath: false,
  blankLines: true,
}

/** From roomy to tight. The last one fits 46 lines whatever the result holds. */
export const DENSITIES: readonly Density[] = [
  FULL,
  { ...FULL, queueRows: 4, reasonRows: 2 },
  { ...FULL, queueRows: 4, reasonRows: 2, cpuColumns: 2 },
  { ...FULL, queueRows: 3, linkRows: 4, reasonRows: 2, cpuColumns: 2, histogramRows: 1 },
  {
    ...FULL,
    queueRows: 2,
    linkRows: 2,
    reasonRows: 1,
    cpuColumns: 2,
    histogramRows: 1,
    counterRows: 2,
    pluginRows: 4,
    remedyRows: 3,
  },
  {
    ...FULL,
    queueRows: 2,
    linkRows: 2,
    reasonRows: 1,
    cpuColumns: 2,
    histogramRows: 1,
    counterRows: 2,
    pluginRows: 2,
    remedyRows: 2,
    sentenceRows: 7,
    shortPath: true,
  },
  {
    ...FULL,
    queueRows: 1,
    linkRows: 1,
    reasonRows: 1,
    cpuColumns: 2,
    histogramRows: 1,
    counterRows: 1,
    pluginRows: 1,
    remedyRows: 2,
    sentenceRows: 6,
    shortPath: true,
    blankLines: false,
  },
]
