import { type AppPlan, formatIpv4, type PingRow } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import { PingProgram } from '../task/ping-components.js'
import { SendProgram } from '../task/send-components.js'

/** Milliseconds with three decimals, as ping writes them. */
function ms(ns: number): string {
  return (Math.floor(ns / 1000) / 1000).toFixed(3)
}

/** What the tasks of a ping would say at their end, as one. Kernel: none (iputils, ping_common.c, finish) */
export function reportPing(model: Model, app: AppPlan, rows: readonly number[]): PingRow {
  const p = model.world.columns(PingProgram)
  const { sumNs, minNs, maxNs } = model.world.columns(SendProgram)
  const sum = (column: ArrayLike<number>) => rows.reduce((total, row) => total + column[row], 0)
  const [transmitted, received, duplicates, errors] = [p.transmitted, p.received, p.duplicates, p.errors].map(sum) as [
    number,
    number,
    number,
    number,
  ]
  const measured = rows.filter((row) => maxNs[row] > 0)
  const count = measured.reduce((total, row) => total + p.received[row], 0)
  const avg = sum(sumNs) / count
  const variance = sum(p.sumSquaresNs) / count - avg * avg
  const rtt =
    count === 0
      ? null
      : {
          min: Math.min(...measured.map((row) => minNs[row])),
          avg,
          max: Math.max(...measured.map((row) => maxNs[row])),
          mdev: Math.sqrt(Math.max(0, variance)),
        }
  const loss = transmitted === 0 ? 0 : ((transmitted - received) * 100) / transmitted
  const to = formatIpv4(app.send?.to?.address ?? 0)
  const told = [
    `${transmitted} packets transmitted`,
    `${received} received`,
    ...(duplicates > 0 ? [`+${duplicates} duplicates`] : []),
    ...(errors > 0 ? [`+${errors} errors`] : []),
    `${Number(loss.toPrecision(6))}% packet loss`,
  ]
  const text = [told.join(', ')]
  if (rtt !== null) text.push(`rtt min/avg/max/mdev = ${ms(rtt.min)}/${ms(rtt.avg)}/${ms(rtt.max)}/${ms(rtt.mdev)} ms`)
  return { to, transmitted, received, duplicates, errors, loss_percent: loss, rtt_ns: rtt, text }
}
