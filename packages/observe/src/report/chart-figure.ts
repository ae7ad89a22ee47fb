/** Where a chart is drawn, with its legend, what can be read off by keyboard, and its numbers as a table. */
import type { ChartSpec } from './chart-spec.js'
import { type Html, html } from './html.js'

/** The figure of a chart; `numbers` is the table that says the same. */
export function chartFigure(spec: ChartSpec, numbers: Html | null): Html {
  const named = spec.colors.filter(({ name }) => name !== '')
  const legend = named.map(({ name, color }) => html`<li><span style="background:${color}"></span>${name}</li>`)
  return html`<figure class="chart" data-chart="${spec.id}">
<figcaption>${spec.title}</figcaption>
${legend.length === 0 ? null : html`<ul class="legend">${legend}</ul>`}
<div class="plot" tabindex="0" role="application" aria-label="${spec.title}. Arrow keys read the values." aria-describedby="${spec.id}-readout"></div>
<p class="readout" id="${spec.id}-readout" aria-live="polite"></p>
${numbers === null ? null : html`<details><summary>Numbers</summary>${numbers}</details>`}
</figure>`
}
