/** gro.json: packets written to a TUN device with NAPI, one poll each; what does GRO answer, and what goes up when? */
import { senderTruesizeBytes } from '@softnet/kernel'
import { Differences } from './differences.js'
import type { Fields } from './fields.js'
import { MACHINE_ADDRESS, machinePlan, parsePacket, runMachine } from './machine.js'
import type { OracleCase } from './oracle-case.js'

const PS_PER_MS = 1e9
const MAX_PAUSE_MS = 60_000
/** A socket buffer for all that a case can deliver, bytes. */
const ROOM_BYTES = 16_777_216
const IP_UDP_BYTES = 28
const HEX = /^(?:[0-9a-f]{2})+$/i

/** What `setup` says in words. */
interface Setup {
  readonly flushTimeoutMs: number
  readonly deferHardIrqs: number
  readonly groList: boolean
  readonly forwarding: boolean
  readonly socket: { readonly port: number; readonly udpGro: boolean } | null
}

function readSetup(text: string): Setup {
  const number = (pattern: RegExp, otherwise: number) => Number(pattern.exec(text)?.[1] ?? otherwise)
  const socket = /([^,]*\bsocket\b[^,]*) on port (\d+)/i.exec(text)
  const words = socket?.[1] ?? ''
  return {
    flushTimeoutMs: number(/gro_flush_timeout (\d+) ms/, 0),
    deferHardIrqs: number(/napi_defer_hard_irqs (\d+)/, 0),
    groList: /rx-gro-list on/.test(text),
    forwarding: /rx-udp-gro-forwarding on/.test(text),
    socket:
      socket === null
        ? null
        : { port: Number(socket[2]), udpGro: /UDP_GRO/.test(words) && !/\b(?:no|without)\b/i.test(words) },
  }
}

function readPackets(fields: Fields): Uint8Array[] {
  return fields.texts('packets_in').map((hex, index) => {
    if (HEX.test(hex)) return Uint8Array.from(Buffer.from(hex, 'hex'))
    fields.refuse('packets_in', `an even number of hexadecimal digits in each packet (packet ${index})`)
    return new Uint8Array(1)
  })
}

function readPause(fields: Fields): { readonly after: number; readonly ms: number } {
  if (!fields.has('pause')) return { after: -1, ms: 0 }
  const [after, ms, ...rest] = fields.list('pause')
  const right = Number.isInteger(after) && typeof ms === 'number' && ms >= 0 && ms <= MAX_PAUSE_MS && rest.length === 0
  if (!right) fields.refuse('pause', `null, or [packets before it, milliseconds up to ${MAX_PAUSE_MS}]`)
  return right ? { after: after as number, ms: ms as number } : { after: -1, ms: 0 }
}

/** Reads one entry of `cases`. */
export function groCase(fields: Fields): OracleCase {
  const name = fields.text('name')
  const setup = readSetup(fields.text('setup'))
  const packets = readPackets(fields)
  const events = fields.texts('events')
  const pause = readPause(fields)
  const snmp = fields.has('snmp') ? fields.numbers('snmp') : []
  const recv = fields.has('recv') ? fields.list('recv') : null
  return {
    name,
    gated: fields.gated(),
    run: () => runCase(fields.path, setup, packets, pause, events, snmp, recv),
  }
}

/** Events as the recordings tell them: results by packet, deliveries, `(timer)` for what no write sent up. */
class GroLog {
  readonly lines: string[] = []
  #writing = false

  write(): void {
    this.#writing = true
  }

  readonly observer = {
    gro: (serial: number, result: string): void => {
      this.lines.push(`pkt${serial}:${result}`)
    },
    deliver: (lenBytes: number): void => {
      this.lines.push(`deliver len ${lenBytes}${this.#writing ? '' : ' (timer)'}`)
    },
    poll: (): void => {
      this.#writing = false
    },
  }
}

function runCase(
  path: string,
  setup: Setup,
  packets: readonly Uint8Array[],
  pause: { readonly after: number; readonly ms: number },
  events: readonly string[],
  snmp: readonly (readonly [string, number])[],
  recv: readonly unknown[] | null,
): string | null {
  const plan = groPlan(path, setup)
  const log = new GroLog()
  const received: unknown[] = []
  const restMs = 4 * setup.flushTimeoutMs + 100
  const bench = runMachine(plan, log.observer, (pause.ms + 2 * restMs) * PS_PER_MS, (on) => {
    const smallHeadBytes = plan.hosts[0]?.smallHeadBytes ?? 0
    on.makeTun('tun0')
    packets.forEach((bytes, i) => {
      const packet = parsePacket(bytes)
      const write = () => {
        log.write()
        const truesize = senderTruesizeBytes('tun_napi', Math.max(0, bytes.length - IP_UDP_BYTES), smallHeadBytes)
        on.napiRx(on.packets.make(packet, on.device('tun0'), truesize, i), 'tun0')
      }
      if (i === pause.after) on.step(write, pause.ms * PS_PER_MS)
      else on.step(write)
    })
    if (setup.socket === null) return
    const socket = on.socket(0)
    on.step(() => {
      for (let read = socket.receive(); read !== null; read = socket.receive()) {
        received.push([read.bytes, read.segmentBytes === 0 ? [] : [read.segmentBytes]])
      }
    }, restMs * PS_PER_MS)
  })
  const differences = new Differences()
  differences.sequence('events', events, log.lines)
  for (const [name, value] of snmp) {
    const simulated = bench.snmp(name)
    if (simulated !== undefined) differences.value(name, value, simulated)
  }
  if (recv !== null) differences.value('recv', recv, received)
  return differences.text()
}

function groPlan(path: string, setup: Setup) {
  const tun0 = {
    driver: 'veth' as const,
    address: MACHINE_ADDRESS,
    features: { gro: true, 'rx-gro-list': setup.groList, 'rx-udp-gro-forwarding': setup.forwarding },
    gro_flush_timeout: setup.flushTimeoutMs * 1_000_000,
    napi_defer_hard_irqs: setup.deferHardIrqs,
  }
  const { socket } = setup
  return machinePlan(
    { devices: { tun0 }, ...(socket === null ? {} : { socket: { ...socket, soRcvbufForce: ROOM_BYTES } }) },
    path,
  )
}
