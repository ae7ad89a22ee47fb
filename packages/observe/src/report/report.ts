/** A report: one HTML file that holds everything it needs, so that it opens anywhere and for as long as there are browsers. */
import type { ResultDocument } from '@softnet/scenario/plan'
import type { CompareDocument } from '../compare/document.js'
import { formatTime } from '../format.js'
import type { SweepDocument } from '../sweep/document.js'
import { variantLetter } from '../text/compare-screen.js'
import { comparisonSection, sweepSection } from './comparison-section.js'
import { Html, html, jsonForScript, scriptText } from './html.js'
import { networkSection } from './network-section.js'
import type { NamedRun } from './run-charts.js'
import { cpuSection, latencySection, pathSection, type Section, timeSection, verdictSection } from './run-sections.js'
import { pluginSection, tableSection } from './table-sections.js'

export type { ChartAxis, ChartSeries, ChartSpec, ValueKind } from './chart-spec.js'

/** What a report is about. */
export type ReportSubject =
  | { readonly kind: 'run'; readonly result: ResultDocument }
  | {
      readonly kind: 'compare'
      readonly document: CompareDocument
      /** The run of each variant with its first seed; null where it failed. */
      readonly results: readonly (ResultDocument | null)[]
    }
  | { readonly kind: 'sweep'; readonly document: SweepDocument }

/** What is put into the file as it is. */
export interface ReportAssets {
  /** Style sheet of the page. */
  readonly style: string
  /** Programs, in the order they run; the last one draws the charts. */
  readonly scripts: readonly { readonly name: string; readonly text: string }[]
  /** Name and version of the program. */
  readonly generator: string
}

interface Page {
  readonly title: string
  readonly facts: readonly string[]
  readonly sections: readonly Section[]
}

const runSections = (runs: readonly NamedRun[]): Section[] =>
  [
    pathSection(runs),
    timeSection(runs),
    cpuSection(runs),
    latencySection(runs),
    networkSection(runs),
    tableSection(runs),
    pluginSection(runs),
  ].filter((section) => section !== null)

function runPage(result: ResultDocument): Page {
  const runs = [{ name: '', letter: '', result }]
  const { scenario, kernel, profile, seed, simulated_ns, digest } = result
  const facts = [
    `Linux ${kernel}`,
    profile,
    `seed ${seed}`,
    `${formatTime(simulated_ns)} simulated`,
    `digest ${digest}`,
  ]
  return { title: scenario, facts, sections: [verdictSection(runs), ...runSections(runs)] }
}

function comparePage(document: CompareDocument, results: readonly (ResultDocument | null)[]): Page {
  // A letter, and what it is where that is short.
  const letters = document.variants.map((_variant, index) => variantLetter(index))
  const names = document.variants.map(({ label }, index) =>
    label.length <= 40 ? `${letters[index]} ${label}` : `${letters[index]}`,
  )
  const runs = results.flatMap((result, index) =>
    result === null ? [] : [{ name: names[index] ?? '', letter: letters[index] ?? '', result }],
  )
  const { seeds, variants } = document
  const facts = [`${variants.length} variants`, seedText(seeds)]
  const shown = runs.length === 0 ? [] : [verdictSection(runs), ...runSections(runs)]
  const scenarios = [...new Set(variants.map(({ scenario }) => scenario))]
  return { title: scenarios.join(' and '), facts, sections: [comparisonSection(document, names), ...shown] }
}

const seedText = (seeds: readonly number[]): string =>
  seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds from ${seeds[0] ?? 0}`

function sweepPage(document: SweepDocument): Page {
  const { scenario, points, seeds, runs } = document
  const facts = [`${points.length} points`, seedText(seeds), `${runs.done} of ${runs.all} runs done`]
  return { title: scenario, facts, sections: [sweepSection(document)] }
}

function pageOf(subject: ReportSubject): Page {
  if (subject.kind === 'run') return runPage(subject.result)
  if (subject.kind === 'compare') return comparePage(subject.document, subject.results)
  return sweepPage(subject.document)
}

/** The whole file. */
export function renderReport(subject: ReportSubject, { style, scripts, generator }: ReportAssets): string {
  const { title, facts, sections } = pageOf(subject)
  const charts = sections.flatMap((section) => section.charts)
  const links = sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)
  const bodies = sections.map(
    ({ id, title: name, body }) => html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${name}</h2>
${body}
</section>\n`,
  )
  const programs = scripts.map(
    ({ name, text }) =>
      html`<script type="${name === 'page' ? 'module' : 'text/javascript'}" data-name="${name}">${scriptText(text)}</script>\n`,
  )
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="${generator}">
<title>${title} · softnet</title>
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#${sections[0]?.id ?? 'top'}">Skip to the content</a>
<header>
<h1>${title}</h1>
<p class="facts">${facts.map((fact) => html`<span>${fact}</span> `)}</p>
<nav aria-label="Sections"><ul>${links}</ul></nav>
</header>
<main>
<noscript><p class="warning">Charts need JavaScript; tables have their numbers.</p></noscript>
${bodies}</main>
<footer><p>Made by ${generator}. Charts by Observable Plot and D3 (ISC licence), which are part of this file.</p></footer>
<script type="application/json" id="charts">${jsonForScript(charts)}</script>
${programs}</body>
</html>
`.text
}
