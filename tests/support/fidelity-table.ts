/** One figure of a published table beside what a run gives for it. */
export interface FidelityRow {
  readonly row: string
  readonly quantity: string
  readonly measured: number
  readonly simulated: number
  /** Whether a cost profile was fitted on this figure, or it is a prediction. */
  readonly kind: 'calibrated' | 'predicted'
  /** Largest share by which the simulated figure may be off, or factor up or down; null: only reported. */
  readonly gate: { readonly share: number } | { readonly factor: number; readonly floor?: number } | null
}

/** Whether the simulated figure is as near to the measured one as the gate asks. */
export function isWithinGate({ measured, simulated, gate }: FidelityRow): boolean {
  if (gate === null) return true
  if ('share' in gate) return Math.abs(simulated - measured) <= gate.share * measured
  // A handful of events is no rate: both figures count as at least the floor.
  const floor = gate.floor ?? 0
  const ratio = Math.max(simulated, floor) / Math.max(measured, floor)
  return ratio <= gate.factor && ratio >= 1 / gate.factor
}

function figure(value: number): string {
  if (Math.abs(value) < 100 && !Number.isInteger(value)) return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

function errorText({ measured, simulated }: FidelityRow): string {
  if (measured === 0) return simulated === 0 ? '0.0 %' : '-'
  const share = simulated / measured - 1
  return Math.abs(share) >= 3
    ? `× ${(simulated / measured).toFixed(1)}`
    : `${share >= 0 ? '+' : ''}${(share * 100).toFixed(1)} %`
}

function gateText({ gate }: FidelityRow): string {
  if (gate === null) return 'reported'
  if ('share' in gate) return `± ${Math.round(gate.share * 100)} %`
  return `× ${gate.factor}${gate.floor === undefined ? '' : `, less than ${gate.floor} as ${gate.floor}`}`
}

/** The rows as a Markdown table, under a title. */
export function fidelityTable(title: string, rows: readonly FidelityRow[]): string {
  const head = ['row', 'quantity', 'measured', 'simulated', 'error', 'kind', 'accepted']
  const cells = rows.map((row) => [
    row.row,
    row.quantity,
    figure(row.measured),
    figure(row.simulated),
    errorText(row),
    row.kind,
    `${gateText(row)}${isWithinGate(row) ? '' : ' MISSED'}`,
  ])
  const widths = head.map((text, i) => Math.max(text.length, ...cells.map((line) => (line[i] as string).length)))
  const right = new Set([2, 3, 4])
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, i) => (right.has(i) ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (right.has(i) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`
  return `\n${title}\n\n${[line(head), rule, ...cells.map(line)].join('\n')}\n`
}

/** Prints the table and returns what missed its gate, one line each. */
export function printFidelity(title: string, rows: readonly FidelityRow[]): string[] {
  console.log(fidelityTable(title, rows))
  return rows
    .filter((row) => !isWithinGate(row))
    .map((row) => `${row.row} ${row.quantity}: ${row.simulated} where ${row.measured} was measured (${gateText(row)})`)
}
