import { type AppPlan, LATENCY_BUCKETS, type LatencySummary, type ProgramRow } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import type { HostLayout } from '../build/layout.js'
import { ERRNO } from '../route/components.js'
import { Task } from '../task/components.js'
import { ERRNO_ROWS, RoundTrip, SendError, SendProgram } from '../task/send-components.js'
import { filledBuckets, percentiles } from './histogram-summary.js'
import { reportPing } from './report-ping.js'

/** One row per program that sends by itself. */
export function reportPrograms(model: Model, host: HostLayout): { programs?: ProgramRow[] } {
  const programs = host.plan.apps.flatMap((app, a) => {
    return app.send === undefined ? [] : [programRow(model, app, host.appTasks[a])]
  })
  return programs.length === 0 ? {} : { programs }
}

function programRow(model: Model, app: AppPlan, tasks: readonly number[]): ProgramRow {
  const { program } = model.world.columns(Task)
  const p = model.world.columns(SendProgram)
  const rows = tasks.map((task) => program[task])
  const sum = (column: ArrayLike<number>) => rows.reduce((total, row) => total + column[row], 0)
  return {
    app: app.name,
    kind: app.kind as ProgramRow['kind'],
    tasks: tasks.length,
    calls: sum(p.calls),
    datagrams: sum(p.datagrams),
    bytes: sum(p.payloadSent),
    errors: errorCounts(model, rows),
    ...(app.kind === 'udp_client' ? { timeouts: sum(p.timeouts), late: sum(p.late) } : {}),
    ...(app.kind === 'udp_sender' ? {} : { replies: sum(p.replies), round_trip_ns: roundTrips(model, rows) }),
    ...(app.kind === 'ping' ? { ping: reportPing(model, app, rows) } : {}),
  }
}

function errorCounts(model: Model, rows: readonly number[]): Record<string, number> {
  const { count } = model.world.columns(SendError)
  const errors: Record<string, number> = {}
  for (const [name, errno] of Object.entries(ERRNO)) {
    const n = rows.reduce((total, row) => total + count[row * ERRNO_ROWS + errno], 0)
    if (n > 0) errors[name] = n
  }
  return errors
}

function roundTrips(model: Model, rows: readonly number[]): LatencySummary | null {
  const { count: column } = model.world.columns(RoundTrip)
  const { sumNs, minNs, maxNs } = model.world.columns(SendProgram)
  const buckets = new Float64Array(LATENCY_BUCKETS)
  for (const row of rows) for (let b = 0; b < LATENCY_BUCKETS; b++) buckets[b] += column[row * LATENCY_BUCKETS + b]
  const histogram = filledBuckets(buckets)
  const count = histogram.reduce((total, [, n]) => total + n, 0)
  if (count === 0) return null
  const measured = rows.filter((row) => sumNs[row] > 0)
  const min = Math.min(...measured.map((row) => minNs[row]))
  const max = Math.max(...measured.map((row) => maxNs[row]))
  const mean = measured.reduce((total, row) => total + sumNs[row], 0) / count
  return { count, min, mean, ...percentiles(histogram, count, min, max), max }
}
