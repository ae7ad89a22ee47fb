/** What a report takes along: the chart library from its packages, the page's own program and its style sheet. */
import { readFile } from 'node:fs/promises'
import type { ReportAssets } from '@softnet/observe/report'

const textOf = (url: URL): Promise<string> => readFile(url, 'utf8')

/** A minified file of a package under its licence; both lie beside the sources that the package's name leads to. */
async function minified(packageUrl: string, file: string): Promise<string> {
  const [licence, program] = await Promise.all([
    textOf(new URL('../LICENSE', packageUrl)),
    textOf(new URL(`../dist/${file}`, packageUrl)),
  ])
  return `/*\n${licence.trim()}\n*/\n${program}`
}

/** Reads everything that is put into a report. */
export async function reportAssets(): Promise<ReportAssets> {
  const [d3, plot, page, style, manifest] = await Promise.all([
    minified(import.meta.resolve('d3'), 'd3.min.js'),
    minified(import.meta.resolve('@observablehq/plot'), 'plot.umd.min.js'),
    textOf(new URL('../../page/report-page.js', import.meta.url)),
    textOf(new URL('../../../page/report.css', import.meta.url)),
    textOf(new URL('../../../package.json', import.meta.url)),
  ])
  const { version }: { version: string } = JSON.parse(manifest)
  const scripts = [
    { name: 'd3', text: d3 },
    { name: 'plot', text: plot },
    { name: 'page', text: page },
  ]
  return { style, scripts, generator: `softnet ${version}` }
}
