import { defineComponent, f64, i32, u8, type World } from '@softnet/ecs'
import type { AppPlan } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'

/** Requests that a ping can tell apart: its sequence numbers have 16 bits. */
const SEQUENCES = 65_536
/** A flood counts on no more requests a second than this when its table is made. */
const PS_PER_FLOODED = 1e6

/** What a `ping` knows beside its row of `SendProgram`, which has the same number. */
export const PingProgram = defineComponent('ping_program', {
  /** Time of the last request, and from one to the next, ps; 0: flood. */
  lastPs: f64,
  intervalPs: f64,
  /** First row of `PingSent` and how many, a power of two. */
  firstSent: i32,
  sentRows: i32,
  /** Requests sent, replies, second replies, and ICMP errors that were told. */
  transmitted: f64,
  received: f64,
  duplicates: f64,
  errors: f64,
  /** Sum of the squares of round trips, ns². */
  sumSquaresNs: f64,
})

/** Requests of a ping by the low bits of their sequence number: row `firstSent + (sequence & (sentRows - 1))`. */
export const PingSent = defineComponent('ping_sent', { sequence: f64, atPs: f64, answered: u8 })

/** Rows of `PingSent` of one ping: as many as it can send, at most all sequence numbers. */
function sentRows({ ping, send }: AppPlan, durationPs: number): number {
  const each = ping === undefined || ping.intervalPs === 0 ? PS_PER_FLOODED : ping.intervalPs
  const most = Math.min(durationPs / each + 2, send?.messages === 0 ? SEQUENCES : (send?.messages ?? 0), SEQUENCES)
  let rows = 1
  while (rows < most) rows *= 2
  return rows
}

/** Declares the tables of pings; `programs` is the number of rows of `SendProgram`. */
export function declarePings(world: World, layout: Layout, programs: number): void {
  const pings = layout.plan.hosts.flatMap(({ apps }) => apps.filter(({ kind }) => kind === 'ping'))
  if (pings.length === 0) return
  world.pool(PingProgram, programs)
  world.pool(
    PingSent,
    pings.reduce((sum, app) => sum + app.tasks.length * sentRows(app, layout.plan.durationPs), 0),
  )
}

/** Fills row `row` for one task of a ping; rows of `PingSent` are given out in turn. */
export function fillPing(world: World, layout: Layout, app: AppPlan, row: number): void {
  if (app.ping === undefined) return
  const p = world.columns(PingProgram)
  let first = 1
  for (let before = 1; before < row; before++) first += p.sentRows[before]
  p.firstSent[row] = first
  p.sentRows[row] = sentRows(app, layout.plan.durationPs)
  p.intervalPs[row] = app.ping.intervalPs
  p.lastPs[row] = Number.NEGATIVE_INFINITY
}
