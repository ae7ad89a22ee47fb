/** What plugins counted and measured, a line or two for each. */
import type { HistogramSummary, PluginResult, ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatTime } from '../format.js'
import type { Density } from './density.js'
import { clip, plainName } from './layout.js'
import type { Paint } from './paint.js'

function formatValue(value: number, unit: string): string {
  return unit === 'ns' ? formatTime(value) : `${formatCount(value)} ${plainName(unit)}`.trimEnd()
}

function histogramText(name: string, histogram: HistogramSummary): string {
  const { unit, count, p50, p99, max } = histogram
  const values = [['p50', p50] as const, ['p99', p99] as const, ['max', max] as const]
  return `${plainName(name)} ${values.map(([label, value]) => `${label} ${formatValue(value, unit)}`).join(' ')} of ${formatCount(count)}`
}

function linesOf(name: string, plugin: PluginResult, columns: number): string[] {
  const counters = Object.values(plugin.counters).flatMap((each) =>
    Object.entries(each).map(([counter, { total }]) => `${plainName(counter)} ${formatCount(total)}`),
  )
  const histograms = Object.entries(plugin.histograms).flatMap(([each, histogram]) =>
    histogram === null ? [] : [histogramText(each, histogram)],
  )
  const label = plainName(name)
  const lines = [counters.join('   '), ...histograms].filter((text) => text !== '')
  return lines.map((text, i) => clip(`  ${i === 0 ? label : ' '.repeat(label.length)}  ${text}`, columns))
}

/** Counters and histograms of plugins under a heading; nothing where there is none. */
export function pluginLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const lines = Object.entries(result.plugins ?? {}).flatMap(([name, plugin]) => linesOf(name, plugin, columns))
  if (lines.length === 0) return []
  const shown = lines.slice(0, density.pluginRows)
  return density.blankLines ? [paint.bold('PLUGINS'), ...shown] : shown
}
