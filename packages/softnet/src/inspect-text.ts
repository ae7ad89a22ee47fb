/** The text form of `softnet inspect`. */
import type { InspectDocument } from '@softnet/kernel'
import { formatTime } from '@softnet/observe'
import picocolors from 'picocolors'

const EDGES_SHOWN = 24
const TABLES_SHOWN = 12
const BYTES_PER_MIB = 1024 * 1024

function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length)
    })
  }
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
}

/** Partitions and their edges, systems by stage, entities with their components, tables, limits and memory. */
export function inspectToText(name: string, inspected: InspectDocument, color: boolean): string {
  const paint = picocolors.createColors(color)
  const heading = (text: string) => ['', paint.bold(text)]
  const partitionName = new Map(inspected.partitions.map((partition) => [partition.id, partition.name]))
  const edges = inspected.edges.slice(0, EDGES_SHOWN)
  const hidden = inspected.edges.length - edges.length
  return [
    paint.bold(name),
    ...heading(`Partitions (${inspected.partitions.length})`),
    ...table(
      inspected.partitions.map(({ id, name, cpus, fusedBecause }) => [
        String(id),
        name,
        cpus.length === 0 ? '' : `CPU ${cpus.join(' ')}`,
        fusedBecause === undefined ? '' : `one partition: ${fusedBecause.join('; ')}`,
      ]),
    ),
    ...heading(`Edges and their lookahead (${inspected.edges.length})`),
    ...table(
      edges.map(({ from, to, latencyNs, why }) => [
        `${partitionName.get(from) ?? from} → ${partitionName.get(to) ?? to}`,
        formatTime(latencyNs),
        why,
      ]),
    ),
    ...(hidden > 0 ? [`  … and ${hidden} more (--format json lists all)`] : []),
    ...inspected.stages.flatMap(({ stage, systems }) => [
      ...heading(`Stage ${stage}`),
      ...table(
        systems.map(({ name, kernel, reads, writes }) => [
          name,
          kernel,
          `reads ${reads.join(' ') || 'nothing'}`,
          `writes ${writes.join(' ') || 'nothing'}`,
        ]),
      ),
    ]),
    ...inspected.plugins.flatMap(({ name, plugin, about, components, hooks }) => [
      ...heading(`Plugin ${name} (${plugin})`),
      `  ${about}`,
      ...table([
        ...components.map((each) => [
          each.name,
          each.role === 'probe' ? `${each.kind}, probe` : each.kind,
          each.rows === 1 ? `per ${each.per}` : `${each.rows} rows per ${each.per}`,
          each.kind === 'state' || each.kind === 'counters' ? each.columns.join(' ') : '',
        ]),
        ...Object.entries(hooks).map(([hook, order]) => [`at ${hook}`, order.join(', then ')]),
      ]),
    ]),
    ...heading('Entities'),
    ...table(inspected.entities.map(({ kind, count, components }) => [kind, String(count), components.join(' ')])),
    ...heading(`Largest tables (${inspected.tables.length} in all)`),
    ...table(
      inspected.tables
        .toSorted((a, b) => b.bytes - a.bytes)
        .slice(0, TABLES_SHOWN)
        .map(({ component, rows, bytes, pool }) => [
          component,
          `${rows} rows`,
          `${(bytes / BYTES_PER_MIB).toFixed(2)} MiB`,
          pool ? 'pool' : 'entities',
        ]),
    ),
    ...heading('Limits'),
    ...table(Object.entries(inspected.limits).map(([limit, value]) => [limit, String(value)])),
    '',
    `Memory of columns: ${(inspected.memoryBytes / BYTES_PER_MIB).toFixed(1)} MiB`,
  ].join('\n')
}
