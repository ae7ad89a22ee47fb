/** rmem.json: what a datagram is charged for by the path it came on, and how many a socket holds that nobody reads. */
import { type Bench, type BenchSocket, SENDER_PATHS, type SenderPath, senderTruesizeBytes } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'
import { Differences } from './differences.js'
import type { Fields } from './fields.js'
import { datagram, MACHINE_ADDRESS, machinePlan, runMachine } from './machine.js'
import type { OracleCase } from './oracle-case.js'

const S32_MAX = 2_147_483_647
const MAX_PAYLOAD_BYTES = 65_507
const MAX_SENT = 100_000
const PORT = 5000
const RUN_PS = 1e13

/** The rule of a path; a name after the colon that is not known says only what was measured. */
function ruleOf(given: string): SenderPath | undefined {
  const [base] = given.split(':')
  return SENDER_PATHS.find((path) => path === given) ?? SENDER_PATHS.find((path) => path === base)
}

/** What a case of an unknown path tells. */
function unknownPath(given: string): string {
  return `path: recorded '${given}', simulated are ${SENDER_PATHS.join(', ')}`
}

/** A socket with the receive buffer asked for (0: the default) and a device for the path. */
function socketPlan(path: string, soRcvbuf: number): Plan {
  return machinePlan(
    {
      devices: { dev0: { driver: 'veth', address: MACHINE_ADDRESS } },
      socket: { port: PORT, ...(soRcvbuf === 0 ? {} : { soRcvbuf }) },
    },
    path,
  )
}

/** Sends datagrams one by one over a path, then reads; `visit` sees the socket in between and at the end. */
function exchange(plan: Plan, path: SenderPath, payloads: readonly number[], look: SocketLook): void {
  runMachine(plan, {}, RUN_PS, (on) => {
    const socket = on.socket(0)
    if (path === 'tun_napi') on.makeTun('dev0')
    const smallHeadBytes = plan.hosts[0]?.smallHeadBytes ?? 0
    let parsedBytes = -1
    let packet = datagram(PORT, 0)
    for (const payload of payloads) {
      on.step(() => {
        if (payload !== parsedBytes) packet = datagram(PORT, payload)
        parsedBytes = payload
        const row = on.packets.make(packet, on.device('dev0'), senderTruesizeBytes(path, payload, smallHeadBytes), 1)
        if (path === 'tun_napi') on.napiRx(row, 'dev0')
        else on.netifRx(row)
      })
      if (look.each !== undefined) on.step(() => look.each?.(socket, payload))
    }
    on.step(() => look.end?.(socket, on))
  })
}

interface SocketLook {
  readonly each?: (socket: BenchSocket, payload: number) => void
  readonly end?: (socket: BenchSocket, on: Bench) => void
}

/** Reads one entry of `cases`. */
export function rmemCase(fields: Fields): OracleCase {
  const given = fields.text('path')
  const path = ruleOf(given)
  const payload = fields.integer('payload', 0, MAX_PAYLOAD_BYTES)
  const soRcvbuf = fields.integer('so_rcvbuf_set', 0, S32_MAX)
  const sent = fields.integer('sent', 1, MAX_SENT)
  const counts = [
    'sk_rcvbuf',
    'truesize_first',
    'held',
    'rmem_at_full',
    'drops',
    'RcvbufErrors',
    'rmem_after_drain',
  ] as const
  const recorded = counts.map((name) => fields.integer(name, 0, S32_MAX))
  const truesizes = fields.numbers('truesizes')
  return {
    name: fields.has('name') ? fields.text('name') : `path=${given} payload=${payload} so_rcvbuf=${soRcvbuf}`,
    gated: fields.gated(),
    run() {
      if (path === undefined) return unknownPath(given)
      const differences = new Differences()
      const compare = (socket: BenchSocket, on: Bench) => {
        const sizes = socket.truesizes()
        const full = [socket.rcvbufBytes, sizes[0] ?? 0, socket.held(), socket.rmemBytes(), socket.drops()]
        while (socket.receive() !== null);
        const simulated = [...full, on.snmp('UdpRcvbufErrors') ?? 0, socket.rmemBytes()]
        differences.values(counts, recorded, simulated)
        differences.value('truesizes', truesizes, tally(sizes))
      }
      exchange(socketPlan(fields.path, soRcvbuf), path, Array<number>(sent).fill(payload), { end: compare })
      return differences.text()
    },
  }
}

/** How often each truesize occurs, by ascending truesize. */
function tally(sizes: readonly number[]): [string, number][] {
  const counts = new Map<number, number>()
  for (const size of sizes) counts.set(size, (counts.get(size) ?? 0) + 1)
  return [...counts].sort((a, b) => a[0] - b[0]).map(([size, count]) => [String(size), count])
}

/** A truesize that holds from one payload to another: a number, or so much more than the payload. */
interface Step {
  readonly from: number
  readonly truesizeOf: (payload: number) => number
}

function readStep(fields: Fields, path: string, value: unknown): Step | null {
  const [from, size] = Array.isArray(value) ? (value as unknown[]) : []
  if (typeof from === 'number' && typeof size === 'number') return { from, truesizeOf: () => size }
  const least = /^n>=(\d+)$/.exec(String(from))
  const more = /^n([+-]\d+)$/.exec(String(size))
  if (least !== null && more !== null) return { from: Number(least[1]), truesizeOf: (n) => n + Number(more[1]) }
  fields.refuse(path, 'steps of [first payload, truesize] or ["n>=PAYLOAD", "n+BYTES"]')
  return null
}

/** Reads the steps of one path under `truesize_steps`. */
export function truesizeCase(fields: Fields, key: string): OracleCase {
  const path = ruleOf(key)
  // Paths with a name after a colon were measured at some payloads only: where a step begins is not known exactly.
  const sampled = key.includes(':')
  const steps = fields.list(key).flatMap((value) => readStep(fields, key, value) ?? [])
  return {
    name: `truesize ${key}`,
    gated: true,
    run() {
      if (path === undefined) return unknownPath(key)
      const recorded = new Map<number, number>()
      steps.forEach((step, i) => {
        recorded.set(step.from, step.truesizeOf(step.from))
        const next = steps[i + 1]
        if (next !== undefined && !sampled) recorded.set(next.from - 1, step.truesizeOf(next.from - 1))
      })
      const differences = new Differences()
      const compare = (socket: BenchSocket, payload: number) => {
        differences.value(`truesize of ${payload} B`, recorded.get(payload), socket.rmemBytes())
        while (socket.receive() !== null);
      }
      exchange(socketPlan(`${fields.path}.${key}`, 0), path, [...recorded.keys()], { each: compare })
      return differences.text()
    },
  }
}
