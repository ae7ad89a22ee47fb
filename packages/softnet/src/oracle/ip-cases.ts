/** ip.json: packets written to tun and tap devices one at a time; what comes back, and what is counted? */
import { type Bench, type BenchSocket, ERRNO } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'
import { L4_CHECKSUM_BAD, LINKTYPE_ETHERNET, LINKTYPE_RAW, ParsedFrame, parseFrame } from '@softnet/wire'
import { Differences } from './differences.js'
import type { Fields } from './fields.js'
import { type IpSetup, parseFilter, readSetup } from './ip-setup.js'
import { runMachine } from './machine.js'
import type { OracleCase } from './oracle-case.js'
import { corks, parseSend, parseSetsockopt } from './socket-calls.js'

const PS_PER_MS = 1e9
const STEP_PS = 1e8
const MAX_WAIT_MS = 600_000
const HEX = /^(?:[0-9a-f]{2})*$/i
const PATTERN = /^(?:[0-9a-f?]{2})*$/i
/** Time between the opening of sockets and the first packet, ms. */
const SETTLE_MS = 25
/** Room for the softirqs of the last step, ms. */
const REST_MS = 5
/** Flags and protocol before each packet of a tun device without IFF_NO_PI. */
const PACKET_INFO_BYTES = 4
/** What the kernel puts there. */
const PACKET_INFO_IPV4 = [0, 0, 8, 0]
const ETHERNET_BYTES = 14
/** First byte of an IPv4 header without options. */
const PLAIN_IP = 0x45
const IP_HEADER_BYTES = 20
const UDP_HEADER_BYTES = 8
const IPPROTO_UDP = 17

/** One step of a recording. */
interface Step {
  readonly kind: 'packet' | 'wait' | 'app'
  readonly dev: string
  readonly ms: number
  readonly op: string
}

interface PacketIn {
  readonly bytes: Uint8Array
  readonly dynamic: boolean
}

interface PacketOut {
  readonly step: number
  readonly dev: string
  /** Hexadecimal digits, `?` where runs differ; null if the recordings differed. */
  readonly pattern: string | null
  readonly hex: string | null
}

interface SentFrame {
  readonly step: number
  readonly dev: string
  readonly bytes: Uint8Array
}

function hexBytes(fields: Fields, key: string): Uint8Array {
  const text = fields.text(key)
  if (HEX.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'))
  fields.refuse(key, 'an even number of hexadecimal digits')
  return new Uint8Array(0)
}

function readStep(fields: Fields): Step {
  const kind = fields.text('do')
  if (kind !== 'packet' && kind !== 'wait' && kind !== 'app') fields.refuse('do', 'packet, wait or app')
  return {
    kind: kind === 'wait' || kind === 'app' ? kind : 'packet',
    dev: kind === 'packet' ? fields.text('dev') : '',
    ms: kind === 'wait' ? fields.number('ms', 0, MAX_WAIT_MS) : 0,
    op: kind === 'app' ? fields.text('op') : '',
  }
}

function readOut(fields: Fields): PacketOut {
  const pattern = fields.has('pattern') ? fields.text('pattern') : null
  if (pattern !== null && !PATTERN.test(pattern)) fields.refuse('pattern', 'hexadecimal digits and ?')
  return {
    step: fields.integer('step', 0, 1_000_000),
    dev: fields.text('dev'),
    pattern,
    hex: fields.has('hex') ? fields.text('hex') : null,
  }
}

/** What of a case was the same in all recordings. */
interface Stable {
  readonly counters: boolean
  readonly drops: boolean
  readonly packets: boolean
  readonly app: boolean
}

/** Everything one entry of `cases` says. */
interface Recording {
  readonly setup: IpSetup
  readonly steps: readonly Step[]
  readonly packetsIn: readonly PacketIn[]
  readonly packetsOut: readonly PacketOut[]
  readonly snmp: readonly (readonly [string, number])[]
  readonly dev: readonly (readonly [string, number])[]
  readonly drops: readonly string[]
  readonly app: readonly (readonly [number, unknown])[]
  readonly stable: Stable
}

/** Reads one entry of `cases`. */
export function ipCase(fields: Fields): OracleCase {
  const each = <T>(key: string, read: (of: Fields) => T): T[] =>
    fields.list(key).map((_, i) => read(fields.entry(key, i)))
  const stable = fields.object('stable')
  const steps = each('steps', readStep)
  const filters = steps.flatMap(({ op }) => {
    const [, name = '', program = ''] = FILTER.exec(op) ?? []
    return name === '' ? [] : [[name, program] as const]
  })
  const recording: Recording = {
    setup: readSetup(fields.object('setup'), filters, {
      corks: steps.some(({ op }) => corks(op)),
      segments: steps.some(({ op }) => op.includes('UDP_SEGMENT')),
    }),
    steps,
    packetsIn: each('packets_in', (of) => ({ bytes: hexBytes(of, 'hex'), dynamic: of.flag('dynamic') })),
    packetsOut: each('packets_out', readOut),
    snmp: fields.numbers('snmp_delta'),
    dev: fields.numbers('dev_delta'),
    drops: fields.texts('drop_reasons'),
    app: each('app_results', (of) => [of.integer('step', 0, 1_000_000), of.value('result')] as const),
    stable: {
      counters: stable.flag('counters'),
      drops: stable.flag('drops'),
      packets: stable.flag('n_out'),
      app: stable.flag('app'),
    },
  }
  const missing = notModelled(recording)
  return {
    name: fields.text('name'),
    gated: true,
    ...(missing === null ? {} : { missing }),
    run: () => new IpRun(fields.path, recording).run(),
  }
}

/** A filter given to a socket. */
const FILTER = /^SO_ATTACH_FILTER\((\w+), (\[.*\])\)$/
/** What programs of recordings do that the simulated host can do. */
const CALLS = /^(?:SO_ATTACH_FILTER\(.*\)|recv\(\w+\)|send\(.*\)|setsockopt\(.*\)|SO_ERROR\(\w+\)|note: .*|ip neigh)$/
const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(ERRNO).map(([name, number]) => [number, name]))

function errnoName(number: number): string {
  return ERRNO_NAMES.get(number) ?? `errno ${number}`
}

function isModelled(op: string): boolean {
  if (!CALLS.test(op)) return false
  if (op.startsWith('send(')) return parseSend(op) !== null
  return !op.startsWith('setsockopt(') || parseSetsockopt(op) !== null
}

/** Why a case cannot be run yet, or null. */
function notModelled({ setup, steps }: Recording): string | null {
  if (setup.missing !== null) return setup.missing
  for (const { kind, op } of steps) {
    if (kind === 'app' && !isModelled(op)) return `a program that does ${op.split('(')[0]}`
  }
  return null
}

/** What a program is told: a number, or how it failed. */
function answer(result: number): number | string {
  return result < 0 ? `-1 ${errnoName(-result)}` : result
}

/** One run of a recording on the simulated host. */
class IpRun {
  readonly #path: string
  readonly #case: Recording
  readonly #sent: SentFrame[] = []
  readonly #drops: string[] = []
  readonly #app: (readonly [number, unknown])[] = []
  readonly #differences = new Differences()
  #step = 0
  #before: Readonly<Record<string, number>> = {}
  #socketOf: (name: string) => BenchSocket = () => {
    throw new Error('the case has no sockets')
  }

  constructor(path: string, recording: Recording) {
    this.#path = path
    this.#case = recording
  }

  run(): string | null {
    const { setup, steps } = this.#case
    const plan: Plan = setup.plan(this.#path)
    const waitMs = steps.reduce((sum, step) => sum + step.ms, 0)
    const observer = {
      drop: (place: string) => this.#drops.push(place),
      transmit: (dev: string, bytes: Uint8Array) =>
        this.#sent.push({ step: this.#step, dev, bytes: this.#read(dev, bytes) }),
    }
    const untilPs = (waitMs + REST_MS + (setup.joinsGroups ? SETTLE_MS : 0)) * PS_PER_MS + (steps.length + 1) * STEP_PS
    const bench = runMachine(plan, observer, untilPs, (on) => this.#program(on))
    this.#compare(bench)
    return this.#differences.text()
  }

  #program(on: Bench): void {
    // Taken from the program, which would read them itself.
    const sockets = this.#case.setup.socketNames.map((_, i) => on.socket(i))
    this.#socketOf = (name) => sockets[this.#case.setup.socketNames.indexOf(name)] as BenchSocket
    let next = 0
    let delayPs = STEP_PS
    if (this.#case.setup.joinsGroups) {
      // What opening sockets leads to is over before anything is counted.
      on.step(() => {
        this.#before = on.counters().snmp
      }, SETTLE_MS * PS_PER_MS)
    }
    this.#case.steps.forEach((step, index) => {
      if (step.kind === 'wait') {
        on.step(() => {
          this.#step = index
        }, delayPs)
        delayPs = step.ms * PS_PER_MS
        return
      }
      const input = step.kind === 'packet' ? this.#case.packetsIn[next++] : undefined
      on.step(() => {
        this.#step = index
        if (input !== undefined) this.#write(on, step.dev, input)
        else if (step.kind === 'app') this.#app.push([index, this.#call(on, step.op)])
      }, delayPs)
      delayPs = STEP_PS
    })
    on.step(() => {
      this.#step = this.#case.steps.length
    }, delayPs)
  }

  /** A packet as the program reads it. */
  #read(dev: string, bytes: Uint8Array): Uint8Array {
    return this.#case.setup.hasPacketInfo(dev) ? Uint8Array.of(...PACKET_INFO_IPV4, ...bytes) : bytes
  }

  /** Writes a packet; where it quotes the recorded answers it gets those of this run. */
  #write(on: Bench, dev: string, { bytes, dynamic }: PacketIn): void {
    const hasInfo = this.#case.setup.hasPacketInfo(dev)
    // The kernel refuses to take less than the packet information.
    if (hasInfo && bytes.length < PACKET_INFO_BYTES) return
    const packet = hasInfo ? bytes.subarray(PACKET_INFO_BYTES) : bytes
    const protocol = hasInfo ? ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0) : undefined
    on.programWrite(dev, dynamic ? this.#requoted(packet) : packet, protocol)
  }

  #requoted(bytes: Uint8Array): Uint8Array {
    const text = Buffer.from(bytes).toString('hex')
    for (const [i, out] of this.#case.packetsOut.entries()) {
      const own = this.#sent[i]
      if (out.hex === null || own === undefined) continue
      const at = text.indexOf(out.hex.slice(0, 40))
      if (at <= 0 || at % 2 !== 0) continue
      const copy = Uint8Array.from(bytes)
      copy.set(own.bytes.subarray(0, Math.min(own.bytes.length, bytes.length - at / 2)), at / 2)
      return withIcmpChecksum(copy)
    }
    return bytes
  }

  #call(on: Bench, op: string): unknown {
    if (op === 'ip neigh') return on.neighbours().join('\n')
    const sending = parseSend(op)
    if (sending !== null) {
      const { name, bytes, to, flags, cmsg } = sending
      return answer(this.#socketOf(name).send(this.#payload(bytes), to, flags, cmsg))
    }
    const option = parseSetsockopt(op)
    if (option !== null) return answer(option.apply(this.#socketOf(option.name)))
    const [, filtered = '', program = ''] = FILTER.exec(op) ?? []
    if (filtered !== '') return this.#attach(filtered, program)
    const [, call, sock = ''] = /^(recv|SO_ERROR)\((\w+)\)$/.exec(op) ?? []
    if (call === 'SO_ERROR') {
      const errno = this.#socketOf(sock).takeError()
      return errno === 0 ? 0 : errnoName(errno)
    }
    if (call === undefined) return 0
    const pending = this.#socketOf(sock).takeError()
    if (pending !== 0) return `-1 ${errnoName(pending)}`
    const datagram = this.#socketOf(sock).receive()
    if (datagram === null) return '-1 EAGAIN'
    const { bytes, data, from } = datagram
    return { len: bytes, data: data === null ? null : Buffer.from(data.subarray(0, 64)).toString('hex'), from }
  }

  #attach(name: string, program: string): unknown {
    if (parseFilter(program) === null) return '-1 EINVAL'
    this.#socketOf(name).attachFilter(this.#case.setup.filterIndex(name, program))
    return 0
  }

  /** What a program sent: the recordings tell it only by the packets that left, else any bytes do. */
  #payload(length: number): Uint8Array {
    const pieces = this.#case.packetsOut
      .filter((out) => out.step === this.#step && out.hex !== null)
      .map((out) => Buffer.from(out.hex ?? '', 'hex').subarray(this.#linkBytes(out.dev)))
      .filter((bytes) => bytes[0] === PLAIN_IP && bytes[9] === IPPROTO_UDP)
    const data = Buffer.concat(pieces.map((bytes) => bytes.subarray(IP_HEADER_BYTES))).subarray(UDP_HEADER_BYTES)
    return data.length === length ? Uint8Array.from(data) : Uint8Array.from({ length }, (_, i) => i & 0xff)
  }

  /** Bytes in front of the IP header of what a device sends. */
  #linkBytes(dev: string): number {
    return (this.#case.setup.isTap(dev) ? ETHERNET_BYTES : 0) + this.#infoBytes(dev)
  }

  #infoBytes(dev: string): number {
    return this.#case.setup.hasPacketInfo(dev) ? PACKET_INFO_BYTES : 0
  }

  #compare(bench: Bench): void {
    const { snmp, dev, drops, app, stable } = this.#case
    const counted = bench.counters()
    if (stable.packets) this.#comparePackets()
    if (stable.counters) {
      const before = this.#before
      const since = Object.entries(counted.snmp).map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
      this.#compareCounters(snmp, Object.fromEntries(since.filter(([, value]) => value !== 0)))
      this.#compareCounters(dev, counted.dev)
    }
    const clean = (list: readonly string[]) => list.map((each) => each.replace(/ \(timer\)$/, ''))
    if (stable.drops) this.#differences.sequence('drops', clean(drops), this.#drops)
    if (stable.app)
      for (const [i, [step, result]] of app.entries())
        this.#differences.value(`step ${step}`, result, this.#app[i]?.[1])
  }

  #compareCounters(
    recorded: readonly (readonly [string, number])[],
    simulated: Readonly<Record<string, number>>,
  ): void {
    const left = new Map(recorded.filter(([, value]) => value !== 0))
    for (const name of new Set([...left.keys(), ...Object.keys(simulated)])) {
      this.#differences.value(name, left.get(name) ?? 0, simulated[name] ?? 0)
    }
  }

  #comparePackets(): void {
    const { packetsOut, setup } = this.#case
    this.#differences.value('packets out', packetsOut.length, this.#sent.length)
    packetsOut.forEach((out, i) => {
      const own = this.#sent[i]
      if (own === undefined) return
      this.#differences.value(`packet ${i + 1} after step`, out.step, own.step)
      this.#differences.value(`packet ${i + 1} on`, out.dev, own.dev)
      const hex = Buffer.from(own.bytes).toString('hex')
      if (out.pattern !== null && !matches(out.pattern, hex))
        this.#differences.value(`packet ${i + 1}`, out.pattern, hex)
      const fault = checksumFault(own.bytes.subarray(this.#infoBytes(own.dev)), setup.isTap(own.dev))
      // An ICMP message of zeros has checksum 0, which is not right and what the kernel sends.
      const theirs =
        out.hex === null
          ? null
          : checksumFault(Buffer.from(out.hex, 'hex').subarray(this.#infoBytes(own.dev)), setup.isTap(own.dev))
      if (fault !== null && theirs === null && out.pattern?.includes('?') === true)
        this.#differences.value(`packet ${i + 1}`, 'right checksums', fault)
    })
  }
}

function matches(pattern: string, hex: string): boolean {
  if (pattern.length !== hex.length) return false
  for (let i = 0; i < hex.length; i++) if (pattern[i] !== '?' && pattern[i] !== hex[i]) return false
  return true
}

/** What is wrong with the checksums of a packet, or null. */
function checksumFault(bytes: Uint8Array, isTap: boolean): string | null {
  const parsed = new ParsedFrame()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  parseFrame(parsed, view, 0, bytes.length, isTap ? LINKTYPE_ETHERNET : LINKTYPE_RAW)
  if (parsed.ipVersion !== 4) return null
  if (parsed.ipChecksumOk === 0) return 'a wrong IP checksum'
  return parsed.l4ChecksumState === L4_CHECKSUM_BAD ? 'a wrong checksum behind the IP header' : null
}

/** Puts the right ICMP checksum into a raw IP packet that was changed behind its ICMP header. */
function withIcmpChecksum(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const start = (view.getUint8(0) & 15) * 4
  view.setUint16(start + 2, 0)
  let sum = 0
  for (let at = start; at < bytes.length; at += 2)
    sum += (view.getUint8(at) << 8) | (at + 1 < bytes.length ? view.getUint8(at + 1) : 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  view.setUint16(start + 2, ~sum & 0xffff)
  return bytes
}
