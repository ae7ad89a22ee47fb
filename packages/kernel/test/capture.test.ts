import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestWorld } from '@softnet/ecs'
import {
  emitTcpFrame,
  emitUdpFrame,
  FrameFields,
  LINKTYPE_ETHERNET,
  macHi,
  macLo,
  pcapFileHeader,
  pcapRecord,
  TCP_ACK,
  TCP_PSH,
} from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildModel, type Model } from '../src/build/build-model.js'
import { type CaptureSpec, createCapture } from '../src/observe/capture.js'
import { modelProgress } from '../src/observe/report.js'
import { OTHER_MAC, SENDER_MAC } from '../src/traffic/capture-frames.js'
import { type ReadCapture, type ReadFrame, readFrame, readPcapng } from './support/read-pcapng.js'
import { modelRunner, planOf } from './support/run-model.js'

const END_PS = 2e9
const DEVICE_MAC = '0200aabbccdd'
const hex = (mac: number) => mac.toString(16).padStart(12, '0')

interface Parts {
  readonly device?: Record<string, unknown>
  readonly traffic?: Record<string, unknown>
  readonly sockets?: Record<string, unknown>
  readonly rest?: Record<string, unknown>
}

/** A host of four CPUs with one card and a sink; 400 packets in a millisecond unless said otherwise. */
function scenario({ device = {}, traffic = {}, sockets = {}, rest = {} }: Parts) {
  return {
    name: 'capture',
    duration: '2ms',
    ...rest,
    hosts: {
      server: {
        cpus: 4,
        devices: {
          eth0: { driver: 'ixgbe', address: '192.0.2.1/24', mac: '02:00:aa:bb:cc:dd', ...device },
        },
        apps: { sink: { cpus: [0, 1, 2, 3], sockets: { count: 4, bind: '0.0.0.0:9000', 'port-step': 1, ...sockets } } },
      },
    },
    traffic: {
      load: { rate: '400kpps', packets: 400, flows: { count: 16, dport: 9000, 'dport-count': 4 }, ...traffic },
    },
  }
}

interface Captured {
  readonly model: Model
  readonly files: readonly ReadCapture[]
  readonly raw: readonly Uint8Array[][]
}

/** Runs a scenario in slices and reads what its captures hold. */
function capture(input: unknown, specs: readonly CaptureSpec[], slices = 1, file?: Uint8Array): Captured {
  const plan = planOf(input, () => file ?? { error: 'no file' })
  const recorder = createCapture(plan, specs)
  const model = buildModel(plan, { trace: recorder.sink })
  recorder.attach(model)
  const run = modelRunner(model)
  const raw = specs.map((): Uint8Array[] => [])
  for (let slice = 1; slice <= slices; slice++) {
    run((END_PS / slices) * slice)
    specs.forEach((_, i) => {
      raw[i].push(...recorder.take(i, slice === slices ? Number.POSITIVE_INFINITY : (END_PS / slices) * slice))
    })
  }
  return { model, raw, files: raw.map((chunks) => readPcapng(chunks)) }
}

const ETH0: CaptureSpec = { host: null, dev: 'eth0' }
const ANY: CaptureSpec = { host: 'server', dev: 'any' }

function frames(parts: Parts, specs: readonly CaptureSpec[] = [ETH0], file?: Uint8Array): ReadFrame[] {
  return capture(scenario(parts), specs, 1, file).files[0].packets.map(({ bytes }) => readFrame(bytes))
}

function isSound(frame: ReadFrame): void {
  assert.is(frame.etherType, 0x0800)
  assert.is(frame.version, 4)
  assert.ok(frame.ipChecksumRight, 'IP checksum')
  assert.ok(frame.l4ChecksumRight, 'L4 checksum')
  assert.is(frame.source, hex(SENDER_MAC))
  assert.is(frame.destination, DEVICE_MAC)
}

test('every packet of a device is there once, sound, in order of time over all CPUs', () => {
  const { model, files } = capture(scenario({}), [ETH0])
  const [file] = files
  assert.equal(file.interfaces, [{ name: 'eth0', linkType: 1, resolution: 9 }])
  assert.is(file.application, 'softnet')
  assert.is(modelProgress(model).delivered, 400)
  assert.is(file.packets.length, 400)
  let last = 0n
  const flows = new Set<string>()
  for (const packet of file.packets) {
    assert.ok(packet.time >= last)
    last = packet.time
    const frame = readFrame(packet.bytes)
    isSound(frame)
    flows.add(frame.ports)
    assert.is(frame.addresses, '198.51.100.1 192.0.2.1')
    assert.is(packet.bytes.length, 60)
    assert.is(packet.originalBytes, 60)
    assert.is(frame.payload.length, 18)
    assert.ok(frame.payload.every((byte, index) => byte === index))
  }
  assert.is(flows.size, 16)
  assert.ok(last > 900_000n && last < 2_000_000n, 'the last packet is about a millisecond after the first')
})

test('a capture changes nothing in the run', () => {
  const plan = planOf(scenario({ device: { queues: { rps_cpus: 'e' } } }))
  const alone = buildModel(plan)
  modelRunner(alone)(END_PS)
  const { model } = capture(scenario({ device: { queues: { rps_cpus: 'e' } } }), [ETH0, ANY], 3)
  assert.is(digestWorld(model.world), digestWorld(alone.world))
})

test('taking a capture piece by piece gives the same bytes, though CPUs run ahead of each other', () => {
  const parts = { device: { queues: { rps_cpus: 'f' } }, traffic: { rate: '2Mpps', packets: 2000 } }
  const whole = capture(scenario(parts), [ETH0]).raw[0]
  const pieces = capture(scenario(parts), [ETH0], 16).raw[0]
  assert.ok(pieces.length > 8)
  assert.equal(Buffer.concat(pieces), Buffer.concat(whole))
})

test('a first call without packets gives the section and its interfaces', () => {
  const plan = planOf(scenario({ device: { vlans: [7] } }))
  const recorder = createCapture(plan, [ANY])
  const file = readPcapng(recorder.take(0, 0))
  assert.equal(
    file.interfaces.map(({ name }) => name),
    ['eth0', 'eth0.7'],
  )
  assert.is(file.packets.length, 0)
  assert.equal(recorder.take(0, 0), [])
})

test('a device that is not there is named with those that are', () => {
  assert.throws(() => createCapture(planOf(scenario({})), [{ host: null, dev: 'eth9' }]), /eth9.*server\/eth0/)
})

test('a tag is put back on the card and gone on its VLAN device', () => {
  const { files } = capture(scenario({ device: { vlans: [100] }, traffic: { vlan: 100 } }), [ANY, ETH0])
  const [any, eth0] = files
  const parsed = any.packets.map(({ interface: id, bytes }) => ({ name: any.interfaces[id].name, ...readFrame(bytes) }))
  assert.is(parsed.filter(({ name, vlan }) => name === 'eth0' && vlan === 100).length, 400)
  assert.is(parsed.filter(({ name, vlan }) => name === 'eth0.100' && vlan === -1).length, 400)
  assert.is(parsed.length, 800)
  parsed.forEach(isSound)
  assert.is(eth0.packets.length, 400)
})

test('malformed packets are malformed in the capture', () => {
  const all = (share: string) => frames({ traffic: { frame: 128, packets: 40, malform: { [share]: 1 } } })
  for (const frame of all('ip-checksum')) assert.equal([frame.ipChecksumRight, frame.l4ChecksumRight], [false, true])
  for (const frame of all('udp-checksum')) assert.equal([frame.ipChecksumRight, frame.l4ChecksumRight], [true, false])
  for (const frame of all('bad-version')) assert.equal([frame.version, frame.ipChecksumRight], [6, true])
  for (const frame of all('other-host')) assert.is(frame.destination, hex(OTHER_MAC))
  const truncated = all('truncated')
  assert.is(truncated.length, 40)
  for (const frame of truncated) {
    assert.equal([frame.totalLength, frame.udpLength, frame.payload.length], [126, 106, 82])
    assert.ok(frame.ipChecksumRight)
  }
  const zero = frames({ traffic: { packets: 40, 'zero-checksum': 'on' } })
  for (const frame of zero) assert.is(frame.l4Checksum, 0)
  assert.is(zero.length, 40)
})

const TRAIN = { protocol: 'tcp', frame: 1518, rate: '800kpps', packets: 800, train: 32, flows: { count: 4 } }

function isStream(frame: ReadFrame): void {
  assert.ok(frame.payload.every((byte, index) => byte === ((frame.tcpSeq + index) & 0xff)))
}

test('GRO: merged segments are one packet with the length and the checksums of all', () => {
  const seen = frames({ traffic: TRAIN })
  seen.forEach(isSound)
  seen.forEach(isStream)
  assert.ok(seen.length < 400, `${seen.length} packets`)
  assert.ok(seen.some(({ payload }) => payload.length >= 8 * 1460))
  const bytes = seen.reduce((sum, { payload }) => sum + payload.length, 0)
  assert.is(bytes, 800 * 1460)
  for (const { totalLength, payload } of seen) assert.is(totalLength, 40 + payload.length)
})

test('GRO beyond 65535 bytes leaves the length out, as BIG TCP does', () => {
  const traffic = { ...TRAIN, train: 400, flows: { count: 1 } }
  const device = { link: '100Gbit', gro_max_size: 200_000, gro_flush_timeout: 200_000, napi_defer_hard_irqs: 20 }
  const seen = frames({ traffic, device })
  const long = seen.filter(({ payload }) => payload.length > 65_535)
  assert.ok(long.length > 0)
  for (const frame of long) assert.is(frame.totalLength, 0)
  seen.forEach(isSound)
  seen.forEach(isStream)
})

test('GRO of datagrams keeps the payload of each', () => {
  const traffic = { frame: 346, rate: '1Mpps', packets: 800, flows: { count: 1, dport: 9000 } }
  const seen = frames({ traffic, sockets: { UDP_GRO: true } })
  seen.forEach(isSound)
  assert.ok(seen.some(({ payload }) => payload.length >= 4 * 300))
  for (const { payload, udpLength } of seen) {
    assert.is(udpLength, 8 + payload.length)
    assert.ok(payload.every((byte, index) => byte === ((index % 300) & 0xff)))
  }
  assert.is(
    seen.reduce((sum, { payload }) => sum + payload.length, 0),
    800 * 300,
  )
})

test('what XDP drops is not there', () => {
  const rules = [{ 'dst-port': 9001, verdict: 'drop' }]
  for (const mode of ['native', 'generic']) {
    for (const kernel of ['5.1', '6.18']) {
      const seen = frames({ device: { xdp: { mode, rules } }, rest: { kernel } })
      assert.is(seen.length, 300, `${mode} on ${kernel}`)
      assert.not.ok(seen.some(({ ports }) => ports.endsWith(' 9001')))
    }
  }
})

const PAYLOAD = Buffer.from(Array.from({ length: 40 * 1000 }, (_, i) => (i * 167 + (i >> 7)) & 0xff))

interface Segment {
  readonly protocol: 'tcp' | 'udp'
  readonly vlan?: number
  readonly snapBytes?: number
}

/** A pcap of 40 frames with bytes of their own, 1 µs apart. */
function pcapOf({ protocol, vlan = 0, snapBytes = 65_535 }: Segment): { file: Uint8Array; frames: Buffer[] } {
  const list: Buffer[] = []
  const parts = [pcapFileHeader({ linkType: LINKTYPE_ETHERNET })]
  for (let i = 0; i < 40; i++) {
    const fields = Object.assign(new FrameFields(), {
      ...{
        dstHi: 0x0200,
        dstLo: 0xaabbccdd,
        srcHi: macHi(SENDER_MAC),
        srcLo: macLo(SENDER_MAC),
        vlanProto: vlan === 0 ? 0 : 0x8100,
        vlanTci: vlan,
      },
      ...{ saddr: 0xc6336401, daddr: 0xc0000201, sport: 1234, dport: 9000, ipId: 100 + i, fragOff: 0x4000 },
      ...{ tcpSeq: 1e9 + i * 1000, tcpAck: 5, tcpWindow: 99, payloadBytes: 1000, udpChecksum: 1 },
      tcpFlags: TCP_ACK | (i === 39 ? TCP_PSH : 0),
    })
    const bytes = Buffer.alloc(2000)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const own = Buffer.from(PAYLOAD.subarray(i * 1000, (i + 1) * 1000))
    const length = (protocol === 'tcp' ? emitTcpFrame : emitUdpFrame)(view, 0, fields)
    own.copy(bytes, length - 1000)
    fixChecksum(bytes.subarray(0, length), protocol, vlan === 0 ? 14 : 18)
    const frame = bytes.subarray(0, length)
    list.push(frame)
    parts.push(pcapRecord({ linkType: LINKTYPE_ETHERNET }, 1e9 + i * 1000, frame.subarray(0, snapBytes), length))
  }
  return { file: Buffer.concat(parts), frames: list }
}

function fixChecksum(frame: Buffer, protocol: 'tcp' | 'udp', ip: number): void {
  const at = ip + 20 + (protocol === 'tcp' ? 16 : 6)
  frame.writeUInt16BE(0, at)
  frame.writeUInt16BE(0xffff - readFrame(frame).l4Sum || 0xffff, at)
}

function replayed(segment: Segment, parts: Parts = {}): { seen: ReadCapture; sent: Buffer[] } {
  const { file, frames: sent } = pcapOf(segment)
  const input = {
    ...scenario(parts),
    traffic: { load: { kind: 'replay', capture: 'x.pcap' } },
  }
  return { seen: capture(input, [ETH0], 1, file).files[0], sent }
}

test('replayed frames keep their bytes', () => {
  const { seen, sent } = replayed({ protocol: 'udp' })
  assert.equal(
    seen.packets.map(({ bytes }) => bytes.toString('hex')),
    sent.map((bytes) => bytes.toString('hex')),
  )
})

test('frames that a capture has cut stay cut, and say how long they were', () => {
  const { seen, sent } = replayed({ protocol: 'udp', snapBytes: 96 })
  assert.is(seen.packets.length, 40)
  seen.packets.forEach(({ bytes, originalBytes }, index) => {
    assert.is(originalBytes, 1042)
    assert.equal(bytes, sent[index].subarray(0, 96))
  })
})

test('merged replayed segments carry the bytes of the stream', () => {
  for (const vlan of [0, 7]) {
    const { seen } = replayed({ protocol: 'tcp', vlan }, { device: { vlans: [7], coalesce: { 'rx-usecs': 20 } } })
    const parsed = seen.packets.map(({ bytes }) => readFrame(bytes))
    parsed.forEach(isSound)
    assert.ok(parsed.length < 30, `${parsed.length} packets`)
    assert.equal(Buffer.concat(parsed.map(({ payload }) => payload)), PAYLOAD)
    assert.is((parsed.at(-1) as ReadFrame).tcpFlags, TCP_ACK | TCP_PSH)
    assert.ok(parsed.every((frame) => frame.vlan === (vlan === 0 ? -1 : 7)))
  }
})

test('merged replayed datagrams carry the bytes of each, on the same CPU and on another', () => {
  for (const queues of [{}, { rps_cpus: '8' }]) {
    const device = { queues, coalesce: { 'rx-usecs': 20 } }
    const { seen } = replayed({ protocol: 'udp' }, { sockets: { UDP_GRO: true }, device })
    const parsed = seen.packets.map(({ bytes }) => readFrame(bytes))
    parsed.forEach(isSound)
    assert.ok(parsed.length < 30, `${parsed.length} packets`)
    assert.equal(Buffer.concat(parsed.map(({ payload }) => payload)), PAYLOAD)
  }
})

test('a merged packet ends where its capture does', () => {
  const device = { coalesce: { 'rx-usecs': 20 } }
  const { seen } = replayed({ protocol: 'tcp', snapBytes: 300 }, { device })
  const long = seen.packets.filter(({ originalBytes }) => originalBytes > 1054)
  assert.ok(long.length > 0)
  for (const { bytes } of long) assert.is(bytes.length, 300)
})

test('tshark agrees', () => {
  if (spawnSync('tshark', ['--version']).status !== 0) {
    console.log('tshark is not installed: its reading of captures is not tested')
    return
  }
  const { raw, files } = capture(scenario({ traffic: TRAIN, device: { vlans: [5] } }), [ANY])
  const directory = mkdtempSync(join(tmpdir(), 'softnet-'))
  try {
    const path = join(directory, 'capture.pcapng')
    writeFileSync(path, Buffer.concat(raw[0]))
    const checks = ['-o', 'ip.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE']
    const columns = ['frame.interface_name', 'ip.checksum.status', 'tcp.checksum.status', 'frame.time_epoch']
    const asked = columns.flatMap((column) => ['-e', column])
    const { stdout } = spawnSync('tshark', ['-r', path, ...checks, '-T', 'fields', ...asked], { encoding: 'utf8' })
    const lines = stdout.trim().split('\n')
    assert.is(lines.length, files[0].packets.length)
    for (const line of lines) assert.match(line, /^eth0\t(1|Good)\t(1|Good)\t/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test.run()
