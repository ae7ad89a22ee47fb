/** Mutated packets by the thousand through a simulated host that does everything: any byte string is answered or dropped. */
import { createRunner } from '@softnet/engine'
import { type Bench, createBench, modelPartitions, reportModel } from '@softnet/kernel'
import { compileScenario, type Plan } from '@softnet/scenario'
import { checksumPartial } from '@softnet/wire'
import { drawFragments, drawPacket } from '../record/draw-packet.js'
import { Draw } from './draw.js'

const CORPUS_PACKETS = 600
/** Packets of one step of the program that writes; between two steps timers run. */
const PACKETS_PER_STEP = 50
const STEP_PS = 2e9
const PS_PER_SEC = 1e12
const MOST_BYTES = 1600
const HEAD_BYTES = 64
/** A TAP frame: to the host, to everybody, to a group. */
const FRAME_HEADS = ['0200000007010200000000020800', 'ffffffffffff0200000000020806', '01005e0102030200000000020800']
const ARP = '000108000604000102000000000210090a0200000000000a090001'

const RULES = `table ip t {
  chain i { type filter hook input priority 0; udp dport 5001 reject; tcp dport 80 reject with tcp reset; ct state invalid counter; }
  chain f { type filter hook forward priority 0; ip ttl 7 drop; ct state invalid drop; }
  chain o { type filter hook output priority 0; icmp type redirect drop; }
}
table ip n {
  chain p { type nat hook prerouting priority -100; udp dport 5002 dnat to 10.8.0.2:53; tcp dport 81 redirect to :5000; }
  chain q { type nat hook postrouting priority 100; oifname "tun1" masquerade; }
}`

function planOf(seed: number): Plan {
  const device = (address: string) => ({ driver: 'veth' as const, address })
  const result = compileScenario(
    {
      kernel: '6.18',
      seed,
      hosts: {
        machine: {
          cpus: 1,
          cstates: 'none',
          nftables: RULES,
          sysctl: {
            'net.ipv4.ipfrag_time': 1,
            'net.ipv4.conf.all.accept_source_route': 1,
            'net.netfilter.nf_conntrack_max': 16_384,
            'net.netfilter.nf_conntrack_buckets': 16_384,
          },
          devices: {
            tun0: device('10.9.0.1/24'),
            tun1: { ...device('10.8.0.1/24'), mtu: 600 },
            tap0: { ...device('10.7.0.1/24'), mac: '02:00:00:00:07:01' },
            uplink: { driver: 'igb', channels: { combined: 1 } },
          },
          apps: {
            a: {
              sockets: [
                { bind: '0.0.0.0:5000', IP_ADD_MEMBERSHIP: [{ group: '239.1.2.3', device: 'tun0' }] },
                {
                  bind: '10.9.0.1:5003',
                  connect: '10.9.0.2:40000',
                  SO_ATTACH_FILTER: [
                    [0x30, 0, 0, 8],
                    [0x16, 0, 0, 0],
                  ],
                },
              ],
            },
          },
        },
      },
      traffic: { none: { to: 'machine/uplink', rate: '1pps', start: '3600s' } },
    },
    { source: 'fuzz' },
  )
  if (!result.ok) throw new Error(JSON.stringify(result.errors))
  const [host] = result.plan.hosts as [Plan['hosts'][number]]
  const devices = host.devices.map((each) => ({
    ...each,
    ...(each.name === 'uplink'
      ? {}
      : { driver: { ...each.driver, program: each.name === 'tap0' ? 'tap' : 'tun' } as never }),
    conf: { ...each.conf, accept_source_route: 1, forwarding: 1, proxy_arp: 1 },
  }))
  const ipv4 = { ...host.ipv4, icmp_echo_ignore_broadcasts: 0 }
  return {
    ...result.plan,
    traffic: [],
    hosts: [{ ...host, devices, ipv4 }],
    limits: { ...result.plan.limits, 'packet-pages-per-cpu': 4096 },
  }
}

/** Packets to start from, with and without link header. */
function corpusOf(draw: Draw): Uint8Array[] {
  const corpus: Uint8Array[] = []
  while (corpus.length < CORPUS_PACKETS) {
    if (draw.chance(0.1)) corpus.push(...drawFragments(draw).map((each) => each.slice(0, MOST_BYTES)))
    else corpus.push(drawPacket(draw))
  }
  return corpus
}

/** One packet of a fuzzing run. */
class Mutator {
  readonly #draw: Draw
  readonly #corpus: readonly Uint8Array[]
  readonly #buffer = new Uint8Array(MOST_BYTES + HEAD_BYTES)

  constructor(draw: Draw) {
    this.#draw = draw
    this.#corpus = corpusOf(draw)
  }

  #rightChecksum(start: number, length: number): void {
    const headerBytes = Math.max(20, ((this.#buffer[start] as number) & 15) * 4)
    if (start + headerBytes > length) return
    const view = new DataView(this.#buffer.buffer)
    view.setUint16(start + 10, 0)
    view.setUint16(start + 10, ~checksumPartial(view, start, headerBytes, 0) & 0xffff)
  }

  /** The next packet for a device; valid until the one after it. */
  next(isTap: boolean): Uint8Array {
    const draw = this.#draw
    const source = this.#corpus[draw.below(this.#corpus.length)] as Uint8Array
    let start = 0
    if (isTap) {
      const head = Buffer.from(FRAME_HEADS[draw.below(FRAME_HEADS.length)] as string, 'hex')
      this.#buffer.set(head)
      start = head.length
    }
    this.#buffer.set(source, start)
    if (isTap && this.#buffer[13] === 6) this.#buffer.set(Buffer.from(ARP, 'hex'), start)
    const length = start + source.length
    const changes = draw.below(5)
    for (let i = 0; i < changes && length > 0; i++) {
      const reach = draw.chance(0.8) ? Math.min(HEAD_BYTES, length) : length
      this.#buffer[draw.below(reach)] = draw.below(256)
    }
    // With the old checksum most would end at its test.
    if (draw.chance(0.8)) this.#rightChecksum(start, length)
    const kept = draw.chance(0.1) ? draw.below(length + 1) : length
    return this.#buffer.slice(0, kept)
  }
}

/** What became of the packets of a run. */
export interface FuzzResult {
  readonly packets: number
  readonly answers: number
  readonly drops: number
  /** What is wrong, with the way to see it again; empty if nothing is. */
  readonly faults: readonly string[]
}

const DEVICES = ['tun0', 'tun0', 'tun1', 'tap0'] as const

function readSockets(bench: Bench): void {
  for (const index of [0, 1]) {
    bench.socket(index).takeError()
    while (bench.socket(index).receive() !== null);
  }
}

/** Writes so many mutated packets; the same seed writes the same ones. */
export function fuzzPackets(seed: number, packets: number): FuzzResult {
  const draw = new Draw(seed, 0xf022)
  const mutator = new Mutator(draw)
  let answers = 0
  let written = 0
  let last = ''
  const plan = planOf(seed)
  const bench = createBench(plan, { transmit: () => answers++ })
  const steps = Math.ceil(packets / PACKETS_PER_STEP)
  const run = () => {
    for (let i = 0; i < PACKETS_PER_STEP && written < packets; i++, written++) {
      const dev = DEVICES[draw.below(DEVICES.length)] as (typeof DEVICES)[number]
      const packet = mutator.next(dev === 'tap0')
      last = `${dev} ${Buffer.from(packet).toString('hex')}`
      bench.programWrite(dev, packet)
    }
    readSockets(bench)
    if (written < packets) bench.step(run, STEP_PS)
  }
  bench.step(run, STEP_PS)
  const faults: string[] = []
  try {
    // Reassembly and neighbours give up some seconds after the last packet.
    createRunner(modelPartitions(bench.model)).runUntil((steps + 2) * STEP_PS + 5 * PS_PER_SEC)
    faults.push(...unaccounted(bench))
  } catch (thrown) {
    faults.push(`packet ${written} (${last}): ${thrown instanceof Error ? (thrown.stack ?? '') : String(thrown)}`)
  }
  const drops = reportModel(bench.model, 1).packets.dropped
  return { packets: written, answers, drops, faults: faults.map((each) => `seed ${seed}, ${each}`) }
}

/** Packets neither delivered nor sent, used up or dropped. */
function unaccounted(bench: Bench): string[] {
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = reportModel(bench.model, 1).packets
  const difference = offered + created - delivered - consumed - sent - dropped - in_flight
  return difference === 0 ? [] : [`${difference} packets are not accounted for`]
}
