import { streamKey, type World } from '@softnet/ecs'
import { LATENCY_BUCKETS, type SendPlan } from '@softnet/scenario/plan'
import { declarePings } from '../task/ping-components.js'
import {
  ERRNO_ROWS,
  PayloadSize,
  RoundTrip,
  SEND_ARRIVAL,
  SendError,
  SendProgram,
  SendStream,
} from '../task/send-components.js'
import { MSG } from '../udp/msg.js'
import { splitRatio } from '../wire/byte-rate.js'
import type { Layout } from './layout.js'

const PURPOSE_SEND = 0x73656e64
const PS_PER_SECOND = 1e12
const WORDS = 2 ** 32

/** Programs that send by themselves, one per task. */
function programs(layout: Layout): SendPlan[] {
  return layout.plan.hosts.flatMap((host) =>
    host.apps.flatMap((app) => (app.send === undefined ? [] : app.tasks.map(() => app.send as SendPlan))),
  )
}

const sizesOf = ({ payload }: SendPlan): number => (payload.kind === 'weighted' ? payload.values.length : 0)

/** Declares the tables of programs that send. */
export function declarePrograms(world: World, layout: Layout): void {
  const all = programs(layout)
  world.pool(SendProgram, all.length)
  world.pool(SendStream, all.length)
  declarePings(world, layout, all.length)
  world.pool(
    PayloadSize,
    all.reduce((sum, plan) => sum + sizesOf(plan), 0),
  )
  world.pool(SendError, (all.length + 1) * ERRNO_ROWS)
  world.pool(RoundTrip, all.length === 0 ? 0 : (all.length + 1) * LATENCY_BUCKETS)
}

/** Fills row `row` of `SendProgram` for the task `task` of a program, whose ancillary data is row `cmsg` of `SendCmsg`. */
export function fillProgram(world: World, seed: number, plan: SendPlan, row: number, task: number, cmsg: number): void {
  const p = world.columns(SendProgram)
  const streams = world.columns(SendStream)
  const [keyLow, keyHigh] = streamKey(seed, task, PURPOSE_SEND)
  streams.keyLow[row] = keyLow
  streams.keyHigh[row] = keyHigh
  p.stream[row] = row
  p.address[row] = plan.to?.address ?? 0
  p.port[row] = plan.to?.port ?? 0
  p.addressCount[row] = plan.addressCount
  p.portCount[row] = plan.portCount
  fillPayload(world, plan, row)
  p.arrival[row] = SEND_ARRIVAL[plan.arrival.kind]
  if (plan.arrival.kind === 'constant' || plan.arrival.kind === 'poisson') {
    const gap = splitRatio(PS_PER_SECOND, plan.arrival.packetsPerSec)
    p.gapWhole[row] = gap.whole
    p.gapRest[row] = gap.rest
    p.gapDenominator[row] = gap.denominator
  }
  if (plan.arrival.kind === 'burst') {
    p.burstMessages[row] = plan.arrival.count
    p.burstLeft[row] = plan.arrival.count
    p.everyPs[row] = plan.arrival.everyPs
  }
  p.batch[row] = plan.batch
  p.pieces[row] = plan.pieces ?? 1
  p.corks[row] = (plan.pieces ?? 1) > 1 && plan.cork === 'UDP_CORK' ? 1 : 0
  p.cmsg[row] = cmsg
  p.sendFlags[row] = plan.dontRoute === true ? MSG.dontRoute : 0
  p.startPs[row] = plan.startPs
  p.nextPs[row] = plan.startPs
  p.stopPs[row] = plan.stopPs
  p.limit[row] = plan.messages === 0 ? Number.POSITIVE_INFINITY : plan.messages
  p.slackPs[row] = plan.timerSlackPs
  p.thinkPs[row] = plan.thinkPs
  p.thinkRandom[row] = plan.thinkRandom ? 1 : 0
  p.timeoutPs[row] = plan.timeoutPs
  p.deadlinePs[row] = Number.POSITIVE_INFINITY
  p.timerPs[row] = Number.POSITIVE_INFINITY
}

/** Lengths with the part of 32-bit words that stands for each. */
function fillPayload(world: World, { payload }: SendPlan, row: number): void {
  const p = world.columns(SendProgram)
  if (payload.kind === 'fixed') p.payloadBytes[row] = payload.bytes
  if (payload.kind !== 'weighted') return
  const size = world.columns(PayloadSize)
  const total = payload.values.reduce((sum, { weight }) => sum + weight, 0)
  let first = 1
  while (size.threshold[first] !== 0) first++
  let sum = 0
  payload.values.forEach(({ bytes, weight }, i) => {
    sum += weight
    size.bytes[first + i] = bytes
    size.threshold[first + i] = i === payload.values.length - 1 ? WORDS : Math.max(1, Math.round((sum / total) * WORDS))
  })
  p.sizeBase[row] = first
  p.sizeCount[row] = payload.values.length
}
