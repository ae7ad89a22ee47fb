import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createRunner } from '@softnet/engine'
import { buildModel, modelPartitions, modelProgress } from '@softnet/kernel'
import { compileScenario, type Plan, type ScenarioInput } from '@softnet/scenario'
import { compile, simulate } from 'softnet'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { framesOf, internetSum, sortFrame } from './support/capture-file.js'
import { type Report, runModel } from './support/run-model.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DATA = join(ROOT, 'tests/data/capture')
const FILES = ['veth-two-namespaces.pcap', 'veth-two-namespaces.pcapng'] as const
const SERVER_MAC = '020000000001'
const CLIENT_MAC = '020000000002'
/** Where nobody asks for hardware addresses, every peer has this one. */
const SENDER_MAC = '02000000ff01'
const [TCP, UDP, ICMP] = [6, 17, 1]

const original = framesOf(readFileSync(join(DATA, FILES[0])))
const sorted = original.map(({ bytes }) => sortFrame(bytes))
const toServer = sorted.filter(({ to, etherType }) => to === SERVER_MAC && etherType === 0x0800)
const udpTo = (port: number) => toServer.filter(({ protocol, dport }) => protocol === UDP && dport === port).length
const isOf = (wanted: number) =>
  toServer.filter(({ protocol, isFragment }) => protocol === wanted && !isFragment).length

/** What the capture holds, counted here. */
const counted = {
  frames: sorted.length,
  arp: sorted.filter(({ etherType }) => etherType === 0x0806).length,
  toClient: sorted.filter(({ to, etherType }) => to === CLIENT_MAC && etherType === 0x0800).length,
  toServer: toServer.length,
  // Ethernet pads a frame to 60 bytes, veth does not; IpExt.InOctets counts before the padding is cut off.
  octets: toServer.reduce((sum, { totalBytes }) => sum + Math.max(totalBytes, 46), 0),
  tcp: isOf(TCP),
  icmp: isOf(ICMP),
  fragments: toServer.filter(({ isFragment }) => isFragment).length,
  requests: udpTo(9000),
  burst: udpTo(9001),
  /** Datagrams in fragments, to port 9001 too. */
  reassembled: 1,
  closed: udpTo(9999),
}

interface Change {
  readonly capture?: string
  readonly address?: string
  readonly gro?: boolean
  readonly duration?: string
  readonly replay?: Record<string, unknown>
}

/** A host in the server's place: its hardware address, its two UDP ports. */
function scenario(change: Change = {}): ScenarioInput {
  return {
    name: 'replay',
    duration: change.duration ?? '450ms',
    hosts: {
      server: {
        cpus: 2,
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: `${change.address ?? '192.0.2.1'}/24`,
            mac: '02:00:00:00:00:01',
            link: '10Gbit',
            channels: { combined: 1 },
            features: { gro: change.gro ?? false },
          },
        },
        apps: {
          echo: { kind: 'udp_echo', cpus: [0], sockets: { bind: '0.0.0.0:9000' } },
          sink: { cpus: [1], sockets: { bind: '0.0.0.0:9001' } },
        },
      },
    },
    traffic: { recorded: { kind: 'replay', capture: change.capture ?? FILES[0], ...change.replay } },
  }
}

function planOf(input: ScenarioInput): Plan {
  const readCapture = (path: string) => new Uint8Array(readFileSync(join(DATA, path)))
  const compiled = compileScenario(input, { source: 'replay', readCapture })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  return compiled.plan
}

const run = (change: Change = {}): Report => runModel(planOf(scenario(change))).report
const snmpOf = (report: Report) => report.hosts.server!.netns.init?.snmp ?? {}
const netstatOf = (report: Report) => report.hosts.server!.netns.init?.netstat ?? {}
const dropsOf = (report: Report) =>
  Object.fromEntries(report.drops.map(({ where, reason, count }) => [`${where} ${reason}`, count]))

/** ICMP errors that one peer gets at once. */
const ERRORS_AT_ONCE = 6

/** Every frame where the model says that it ends, for so many rounds. */
function isAccounted(report: Report, rounds: number): void {
  const times = (count: number) => count * rounds
  // Echoes, closed ports and the client's ARP request are answered; errors to one client six times, then one a second.
  const errors = Math.min(times(counted.closed), ERRORS_AT_ONCE)
  // No socket takes TCP: each segment is answered with a reset.
  const sent = times(counted.requests + counted.icmp + 1 + counted.tcp) + errors
  assert.equal(report.packets, {
    offered: times(counted.frames),
    created: sent,
    delivered: times(counted.requests + counted.burst + counted.fragments),
    consumed: times(counted.arp + counted.icmp),
    sent,
    dropped: times(counted.toClient + counted.tcp + counted.closed),
    in_flight: 0,
  })
  assert.equal(dropsOf(report), {
    'ip_rcv_core OTHERHOST': times(counted.toClient),
    'tcp_v4_rcv NO_SOCKET': times(counted.tcp),
    '__udp4_lib_rcv NO_SOCKET': times(counted.closed),
  })
  const { Ip, Icmp, Tcp, Udp } = snmpOf(report)
  assert.is(Ip?.InReceives, times(counted.toServer))
  assert.is(Ip?.InDelivers, times(counted.toServer - counted.fragments + counted.reassembled))
  assert.equal(
    [Ip?.ReasmReqds, Ip?.ReasmOKs, Ip?.ReasmFails],
    [times(counted.fragments), times(counted.reassembled), 0],
  )
  assert.equal([Icmp?.InMsgs, Icmp?.InEchos], [times(counted.icmp), times(counted.icmp)])
  assert.is(Tcp?.InSegs, times(counted.tcp))
  assert.is(Udp?.NoPorts, times(counted.closed))
  assert.is(Udp?.InDatagrams, times(counted.requests + counted.burst + counted.reassembled))
  assert.is(netstatOf(report).IpExt?.InOctets, times(counted.octets))
  const received = report.hosts.server?.netns.init?.sockets.map(({ local, received: n }) => [local, n])
  assert.equal(received, [
    ['0.0.0.0:9000', times(counted.requests)],
    ['0.0.0.0:9001', times(counted.burst + counted.reassembled)],
  ])
}

test('the capture holds what its page says', () => {
  assert.equal([counted.frames, counted.arp, counted.icmp, counted.tcp, counted.fragments], [89, 2, 3, 6, 3])
  assert.equal([counted.requests, counted.burst, counted.closed], [10, 40, 3])
  assert.is(counted.toServer, 3 + 6 + 3 + 10 + 40 + 3)
  const pcapng = framesOf(readFileSync(join(DATA, FILES[1])))
  assert.equal(pcapng, original)
})

test('every frame of both files is accounted for', () => {
  const reports = FILES.map((capture) => run({ capture }))
  for (const report of reports) isAccounted(report, 1)
  assert.is(reports[0]?.digest, reports[1]?.digest)
})

test('the counters are those that Linux had, but for TCP and what a host sends', () => {
  const lines = readFileSync(join(DATA, 'server-counters.txt'), 'utf8').trim().split('\n')
  const linux = new Map<string, number>()
  for (let i = 0; i < lines.length; i += 2) {
    const [names, values] = [lines[i], lines[i + 1]].map((line) => line?.split(/:? /) ?? []) as [string[], string[]]
    names.slice(1).forEach((name, index) => {
      linux.set(`${names[0]}.${name}`, Number(values[index + 1]))
    })
  }
  const report = run()
  const ours = { ...snmpOf(report), IpExt: netstatOf(report).IpExt ?? {} }
  const differing: Record<string, readonly [number, number]> = {}
  let compared = 0
  for (const [group, counters] of Object.entries(ours)) {
    for (const [name, value] of Object.entries(counters)) {
      const theirs = linux.get(`${group}.${name}`)
      if (theirs === undefined) continue
      compared++
      if (theirs !== value) differing[`${group}.${name}`] = [theirs, value]
    }
  }
  assert.ok(compared > 60, `${compared} counters were compared`)
  // The recorded server had a TCP listener and answered TCP; here programs reply without IP.
  const sending = ['Ip.OutRequests', 'Ip.OutTransmits', 'IpExt.OutOctets', 'Tcp.OutRsts']
  // And its veth did not pad short frames as Ethernet does.
  const expected = [...sending, 'IpExt.InOctets']
  assert.equal(Object.keys(differing).sort(), expected.sort(), JSON.stringify(differing))
  assert.equal(differing['IpExt.InOctets'], [
    toServer.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
    counted.octets,
  ])
})

test('repeat sends the capture again, and every count with it', () => {
  for (const repeat of [2, 3]) isAccounted(run({ replay: { repeat }, duration: '1400ms' }), repeat)
})

test('speed divides the times of the frames', () => {
  const firstNs = original[0]?.timeNs ?? 0n
  const offsetsNs = original.map(({ timeNs }) => Number(timeNs - firstNs))
  for (const speed of [0.5, 1, 8]) {
    const model = buildModel(planOf(scenario({ replay: { speed }, duration: '900ms' })))
    const runner = createRunner(modelPartitions(model))
    let checked = 0
    offsetsNs.forEach((offsetNs, index) => {
      // Frames that follow each other closely wait for the link.
      if (index === 0 || (offsetNs - (offsetsNs[index - 1] as number)) / speed < 2500) return
      const timePs = Math.floor((offsetNs * 1000) / speed)
      runner.runUntil(timePs)
      assert.is(modelProgress(model).offered, index, `before frame ${index} at speed ${speed}`)
      runner.runUntil(timePs + 1)
      assert.is(modelProgress(model).offered, index + 1, `after frame ${index} at speed ${speed}`)
      checked++
    })
    assert.ok(checked > 20, `${checked} frames were checked`)
  }
})

/** Runs with `--capture eth0` and reads what was recorded. */
async function recorded(change: Change, check: (file: string) => void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'softnet-replay-'))
  try {
    const file = join(directory, 'seen.pcapng')
    await simulate(scenario(change), { directory: DATA, capture: [{ devices: ['eth0'], file }] })
    check(file)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The bytes of a frame as the card gets it: no shorter than Ethernet allows. */
const onWire = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(Math.max(0, 60 - bytes.length))])

/** Frames of a capture apart: those that were received, found one after the other, and what the host sent in between. */
function apart(file: string, received: readonly string[]): { readonly found: number; readonly sent: Buffer[] } {
  const sent: Buffer[] = []
  let found = 0
  for (const { bytes } of framesOf(readFileSync(file))) {
    if (bytes.toString('hex') === received[found]) found++
    else sent.push(bytes)
  }
  return { found, sent }
}

test('a capture of the replay has the bytes of every frame, in order, and what the host answered', async () => {
  await recorded({}, (file) => {
    const { found, sent } = apart(
      file,
      original.map(({ bytes }) => onWire(bytes).toString('hex')),
    )
    assert.is(found, original.length)
    const answers = sent.map(sortFrame)
    assert.is(answers.length, counted.requests + counted.icmp + 1 + counted.tcp + counted.closed)
    for (const answer of answers) assert.is(answer.to, answer.etherType === 0x0806 ? CLIENT_MAC : SENDER_MAC)
    const udp = answers.filter(({ protocol }) => protocol === UDP)
    assert.equal(
      udp.map(({ sport, dport }) => [sport, dport]),
      Array.from({ length: counted.requests }, () => [9000, 40000]),
    )
    for (const bytes of sent) {
      if (bytes.readUInt16BE(12) !== 0x0800) continue
      assert.is(internetSum(bytes.subarray(14, 34)), 0xffff)
      if (bytes.readUInt8(23) !== ICMP) assert.is(l4Sum(bytes), 0xffff)
    }
  })
})

test('GRO joins segments of the stream and loses none of its bytes', async () => {
  await recorded({ gro: true }, (file) => {
    // Without what the host answers: that goes to the peer of all, but for an ARP reply, which no wire has padded yet.
    const received = framesOf(readFileSync(file)).filter(({ bytes }) => bytes.length >= 60)
    const seen = received.map(({ bytes }) => sortFrame(bytes)).filter(({ to }) => to !== SENDER_MAC)
    assert.ok(seen.length < original.length)
    const stream = (frames: typeof seen) =>
      Buffer.concat(frames.filter(({ protocol, sport }) => protocol === TCP && sport === 8080).map((f) => f.payload))
    assert.is(stream(sorted).length, 2400)
    assert.equal(stream(seen), stream(sorted))
  })
})

/** L4 checksum of a packet that is no fragment: 0xffff where it is right. */
function l4Sum(bytes: Buffer): number {
  const totalBytes = bytes.readUInt16BE(16)
  const l4 = bytes.subarray(34, 14 + totalBytes)
  return internetSum(
    bytes.subarray(26, 34),
    Buffer.from([0, bytes.readUInt8(23)]),
    Buffer.from([l4.length >> 8, l4.length & 255]),
    l4,
  )
}

test('rewriting moves packets to another address and port, and every checksum follows', async () => {
  const rewrite = { 'dst-ip': '203.0.113.10', 'dst-mac': '02:00:00:00:00:01' }
  const change = { address: '203.0.113.10', replay: { rewrite } }
  const { drops, packets } = run(change)
  assert.is(packets.in_flight, 0)
  assert.is(drops.filter(({ reason }) => reason === 'OTHERHOST').length, 0)
  await recorded(change, (file) => {
    const frames = framesOf(readFileSync(file)).map(({ bytes }) => bytes)
    // What the host answers goes to others.
    const seen = frames.filter((bytes) => sortFrame(bytes).to === SERVER_MAC)
    assert.is(seen.length, original.length)
    seen.forEach((bytes, index) => {
      const before = onWire(original[index]!.bytes)
      const now = sortFrame(bytes)
      assert.is(now.to, SERVER_MAC)
      if (now.etherType !== 0x0800) return
      assert.is(bytes.toString('hex', 30, 34), 'cb00710a')
      assert.is(internetSum(bytes.subarray(14, 34)), 0xffff, `IP checksum of frame ${index}`)
      if ((now.protocol === UDP || now.protocol === TCP) && !now.isFragment) assert.is(l4Sum(bytes), 0xffff)
      assert.equal(now.payload, sortFrame(before).payload)
    })
    const tshark = spawnSync(
      'tshark',
      [
        '-r',
        file,
        '-o',
        'tcp.check_checksum:TRUE',
        '-o',
        'udp.check_checksum:TRUE',
        '-Y',
        'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0',
      ],
      { encoding: 'utf8' },
    )
    if (tshark.status === 0) assert.is(tshark.stdout, '')
  })
})

test('the example runs as it says', async () => {
  const result = await simulate(join(ROOT, 'examples/replay-capture.yaml'))
  assert.is(result.packets.offered, 3 * counted.frames)
  assert.is(result.packets.delivered, 3 * (counted.requests + counted.burst + counted.fragments))
  assert.is(result.hosts.server?.netns.init?.snmp.Udp?.NoPorts, 3 * counted.closed)
})

test('every example is right, and named after its file', async () => {
  const files = readdirSync(join(ROOT, 'examples')).filter((file) => file.endsWith('.yaml'))
  assert.ok(files.length >= 3)
  for (const file of files) assert.is(`${(await compile(join(ROOT, 'examples', file))).name}.yaml`, file)
})

test.run()
