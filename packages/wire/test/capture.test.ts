import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as wire from '../src/index.js'

interface Seen {
  timestampNs: number
  capturedBytes: number
  originalBytes: number
  linkType: number
  interfaceIndex: number
  data: Uint8Array
}

function join(...chunks: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function readAll(bytes: Uint8Array): { reader: wire.CaptureReader; frames: Seen[] } {
  const reader = wire.openCapture(bytes)
  const frames: Seen[] = []
  for (const { timestampNs, capturedBytes, originalBytes, linkType, interfaceIndex, dataOffset } of wire.captureFrames(
    reader,
  )) {
    const data = bytes.slice(dataOffset, dataOffset + capturedBytes)
    frames.push({ timestampNs, capturedBytes, originalBytes, linkType, interfaceIndex, data })
  }
  return { reader, frames }
}

function messages(bytes: Uint8Array): string[] {
  return readAll(bytes).reader.faults.map((fault) => `${fault.offset}: ${fault.message}`)
}

/** A pcapng block of any type, well framed unless `claimedBytes` says otherwise. */
function block(type: number, body: readonly number[], littleEndian = true, claimedBytes?: number): Uint8Array {
  const bytes = new Uint8Array(12 + Math.ceil(body.length / 4) * 4)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, littleEndian)
  view.setUint32(4, claimedBytes ?? bytes.length, littleEndian)
  bytes.set(body, 8)
  view.setUint32(bytes.length - 4, claimedBytes ?? bytes.length, littleEndian)
  return bytes
}

/** Bytes of numbers of the given widths: `[width, value]` each. */
function pack(littleEndian: boolean, ...fields: [number, number][]): number[] {
  return fields.flatMap(([width, value]) => {
    const bytes = Array.from({ length: width }, (_, index) => Math.floor(value / 256 ** index) & 255)
    return littleEndian ? bytes : bytes.reverse()
  })
}

function section(littleEndian = true, major = 1): Uint8Array {
  return block(
    wire.PCAPNG_SECTION_HEADER,
    pack(littleEndian, [4, wire.PCAPNG_BYTE_ORDER_MAGIC], [2, major], [2, 0], [4, 0xffffffff], [4, 0xffffffff]),
    littleEndian,
  )
}

function interfaceBlock(
  options: readonly number[] = [],
  littleEndian = true,
  linkType = 1,
  snapLength = 0,
): Uint8Array {
  return block(
    wire.PCAPNG_INTERFACE,
    [...pack(littleEndian, [2, linkType], [2, 0], [4, snapLength]), ...options],
    littleEndian,
  )
}

function packet(
  high: number,
  low: number,
  data: readonly number[] = [1, 2, 3],
  littleEndian = true,
  id = 0,
): Uint8Array {
  const head = pack(littleEndian, [4, id], [4, high], [4, low], [4, data.length], [4, data.length])
  return block(wire.PCAPNG_ENHANCED_PACKET, [...head, ...data], littleEndian)
}

const frameArbitrary = fc.record({
  gapNs: fc.nat(2_000_000_000),
  data: fc.uint8Array({ maxLength: 80 }),
  more: fc.nat(100),
})

test('pcap both ways: byte orders, resolutions, cut frames', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.boolean(),
      fc.array(frameArbitrary, { maxLength: 12 }),
      (bigEndian, microseconds, list) => {
        const options = { linkType: wire.LINKTYPE_ETHERNET, bigEndian, microseconds }
        let timeNs = 1_700_000_000_000_000_000
        const startUnit = microseconds ? 1000 : 1
        let relativeNs = 0
        const expected: number[] = []
        const records = list.map(({ gapNs, data, more }, index) => {
          // A double holds such times in steps of 256 ns, so gaps are made of those.
          const gap = index === 0 ? 0 : Math.floor(gapNs / 256_000) * 256_000
          timeNs += gap
          relativeNs += gap
          expected.push(Math.floor(relativeNs / startUnit) * startUnit)
          return wire.pcapRecord(options, timeNs, data, data.length + more)
        })
        const { reader, frames } = readAll(join(wire.pcapFileHeader(options), ...records))
        assert.equal(reader.faults, [])
        assert.is(reader.format, 'pcap')
        assert.equal(
          frames.map((frame) => frame.timestampNs),
          expected,
        )
        assert.equal(
          frames.map((frame) => frame.data),
          list.map((each) => each.data),
        )
        assert.equal(
          frames.map((frame) => frame.originalBytes),
          list.map((each) => each.data.length + each.more),
        )
      },
    ),
  )
})

test('pcapng both ways: names, times in ns, comments, several interfaces', () => {
  fc.assert(
    fc.property(fc.array(frameArbitrary, { maxLength: 12 }), (list) => {
      let timeNs = 9_000_000_000_001
      const times: number[] = []
      const blocks = list.map(({ gapNs, data, more }, index) => {
        timeNs += gapNs
        times.push(timeNs)
        return wire.pcapngPacketBlock(index % 2, timeNs, data, {
          originalBytes: data.length + more,
          ...(index % 3 === 0 ? { comment: `frame ${index}`, direction: 'inbound' as const } : {}),
        })
      })
      const bytes = join(
        wire.pcapngSectionHeader('softnet'),
        wire.pcapngInterfaceBlock({ name: 'eth0', linkType: 1, epochSeconds: 1_700_000_000 }),
        wire.pcapngInterfaceBlock({ name: 'lo-ü', linkType: 101, snapLength: 96, epochSeconds: 1_700_000_000 }),
        ...blocks,
      )
      const { reader, frames } = readAll(bytes)
      assert.equal(reader.faults, [])
      if (list.length > 0) {
        assert.equal(
          reader.interfaces.map((each) => [each.name, each.linkType, each.snapLength]),
          [
            ['eth0', 1, 0],
            ['lo-ü', 101, 96],
          ],
        )
        assert.is(reader.firstTimestampNs, BigInt(times[0]) + 1_700_000_000_000_000_000n)
      }
      assert.equal(
        frames.map((frame) => frame.timestampNs),
        times.map((time) => time - times[0]),
      )
      assert.equal(
        frames.map((frame) => frame.linkType),
        list.map((_, index) => [1, 101][index % 2]),
      )
      assert.equal(
        frames.map((frame) => frame.data),
        list.map((each) => each.data),
      )
      assert.equal(
        frames.map((frame) => frame.originalBytes),
        list.map((each) => each.data.length + each.more),
      )
    }),
  )
})

test('comments of packets are found', () => {
  const bytes = join(
    section(),
    interfaceBlock(),
    wire.pcapngPacketBlock(0, 5, Uint8Array.of(9), { comment: 'hällo', direction: 'outbound' }),
  )
  const frame = new wire.CaptureFrame()
  assert.ok(wire.openCapture(bytes).next(frame))
  const text = wire.captureText(bytes.subarray(frame.commentOffset, frame.commentOffset + frame.commentBytes))
  assert.is(text, 'hällo')
})

/** Time of a second packet, `ticks` after a first at 0, on an interface with these options. */
function timeOf(
  options: readonly number[],
  high: number,
  low: number,
  littleEndian = true,
): [number, bigint | undefined] {
  const bytes = join(
    section(littleEndian),
    interfaceBlock(options, littleEndian),
    packet(0, 0, [1], littleEndian),
    packet(high, low, [1], littleEndian),
  )
  const { reader, frames } = readAll(bytes)
  assert.is(frames.length, 2)
  return [frames[1].timestampNs, reader.firstTimestampNs]
}

test('resolutions by powers of ten and two, and offsets, in both byte orders', () => {
  for (const littleEndian of [true, false]) {
    const resolution = (code: number) => [...pack(littleEndian, [2, wire.IF_TSRESOL], [2, 1]), code, 0, 0, 0]
    assert.is(timeOf([], 0, 5, littleEndian)[0], 5000, 'microseconds unless said')
    assert.is(timeOf(resolution(9), 1, 1, littleEndian)[0], 4294967297)
    assert.is(timeOf(resolution(6), 0, 7, littleEndian)[0], 7000)
    assert.is(timeOf(resolution(0), 0, 3, littleEndian)[0], 3e9)
    assert.is(timeOf(resolution(12), 0, 5999, littleEndian)[0], 5)
    assert.is(timeOf(resolution(127), 0xffffffff, 0xffffffff, littleEndian)[0], 0)
    assert.is(timeOf(resolution(0x80 | 10), 0, 1024 + 512, littleEndian)[0], 1.5e9)
    assert.is(timeOf(resolution(0x80 | 32), 2, 0x40000000, littleEndian)[0], 2.25e9)
    assert.is(timeOf(resolution(0xff), 1, 0, littleEndian)[0], 0)
    const offset = [...pack(littleEndian, [2, wire.IF_TSOFFSET], [2, 8]), ...pack(littleEndian, [8, 1000])]
    assert.equal(timeOf(offset, 0, 1, littleEndian), [1000, 1_000_000_000_000n])
  }
})

test('several sections: byte order and interface numbers begin anew, other blocks are passed over', () => {
  const unknown = block(0x0bad, [1, 2, 3, 4, 5])
  const bytes = join(
    section(true),
    interfaceBlock([], true, 1),
    unknown,
    packet(0, 1, [1]),
    section(false),
    interfaceBlock([], false, 101),
    interfaceBlock([], false, 113),
    packet(0, 2, [2, 3], false, 1),
    section(true, 9),
    packet(0, 3, [4]),
    section(true),
    packet(0, 4, [5]),
  )
  const { reader, frames } = readAll(bytes)
  assert.equal(
    frames.map((frame) => [frame.linkType, frame.interfaceIndex, frame.timestampNs]),
    [
      [1, 0, 0],
      [113, 2, 1000],
    ],
  )
  assert.equal(
    reader.faults.map((fault) => fault.message),
    ['section of version 9.0; accepted: 1.x', 'packet of interface 0; this section has described 0'],
  )
})

test('simple and obsolete packets', () => {
  const bytes = join(
    section(),
    interfaceBlock([], true, 1, 4),
    packet(0, 8, [1]),
    block(wire.PCAPNG_SIMPLE_PACKET, [...pack(true, [4, 6]), 9, 8, 7, 6]),
    block(wire.PCAPNG_OBSOLETE_PACKET, [...pack(true, [2, 0], [2, 5], [4, 0], [4, 10], [4, 2], [4, 60]), 4, 2]),
  )
  const { reader, frames } = readAll(bytes)
  assert.equal(reader.faults, [])
  assert.equal(
    frames.map((frame) => [frame.timestampNs, frame.originalBytes, [...frame.data]]),
    [
      [0, 1, [1]],
      [0, 6, [9, 8, 7, 6]],
      [2000, 60, [4, 2]],
    ],
  )
})

test('hostile pcap: each lie is named and nothing is thrown', () => {
  const head = wire.pcapFileHeader({ linkType: 1, snapLength: 64 })
  const record = (captured: number, original: number, held: number, fraction = 0) => {
    const bytes = new Uint8Array(16 + held)
    const view = new DataView(bytes.buffer)
    view.setUint32(4, fraction, true)
    view.setUint32(8, captured, true)
    view.setUint32(12, original, true)
    return bytes
  }
  assert.equal(messages(head.subarray(0, 10)), ['0: file of 10 bytes ends inside the 24-byte pcap header'])
  assert.equal(messages(join(head, record(4, 4, 4).subarray(0, 9))), [
    '24: file ends inside a record header (9 of 16 bytes)',
  ])
  assert.equal(messages(join(head, record(60, 60, 20))), ['24: file ends inside a frame (20 of 60 bytes)'])
  assert.equal(messages(join(head, record(0xffffffff, 60, 20))), [
    '32: captured length 4294967295; accepted: 0 to 262144',
  ])
  assert.equal(messages(join(head, record(70, 70, 70))), [
    "32: captured length 70 is above the file's snapshot length 64",
  ])
  assert.equal(messages(join(head, record(20, 10, 20))), ['36: original length 10 is below the captured length 20'])
  assert.equal(messages(join(head, record(1, 1, 1, 1e9))), ['28: fraction of 1000000000 is a second or more'])
  const version = head.slice()
  version[4] = 3
  assert.equal(messages(version), ['4: pcap version 3.x; accepted: 2.x'])
  assert.is(readAll(join(head, record(70, 70, 70), record(5, 0xffffffff, 5))).frames[1].originalBytes, 0xffffffff)
})

test('hostile pcapng: each lie is named and nothing is thrown', () => {
  const start = join(section(), interfaceBlock())
  const last = (bytes: Uint8Array) => messages(join(start, bytes)).map((message) => message.replace(/^\d+: /, ''))
  for (const claimed of [0, 4, 11, 13]) {
    assert.equal(last(block(6, [], true, claimed)), [`block length ${claimed}; accepted: a multiple of 4 from 12`])
  }
  assert.equal(last(block(6, [], true, 0xfffffffc)), ['file ends inside a block (12 of 4294967292 bytes)'])
  const trailing = block(0x99, [1])
  trailing[trailing.length - 4] = 12
  assert.equal(last(trailing), ["block length 16 is repeated as 12 at the block's end"])
  assert.equal(last(new Uint8Array(5)), ['file ends inside a block head (5 of 12 bytes)'])
  assert.equal(last(packet(0, 0, [1], true, 1)), ['packet of interface 1; this section has described 1'])
  assert.equal(last(block(6, [0, 0, 0, 0])), ['packet block of 16 bytes; accepted: from 32'])
  assert.equal(last(block(3, [])), ['simple packet block of 12 bytes; accepted: from 16'])
  assert.equal(last(block(1, [])), ['interface block of 12 bytes; accepted: from 20'])
  for (const captured of [4, 0xfffffffd, 0xffffffff]) {
    const lie = packet(0, 0, [])
    new DataView(lie.buffer).setUint32(20, captured, true)
    assert.equal(last(lie), [`captured length ${captured} passes the block's end`])
  }
  assert.equal(last(block(3, pack(true, [4, 0xffffffff]))), ["packet length 4294967295 passes the block's end"])
  assert.equal(last(interfaceBlock(pack(true, [2, 2], [2, 200], [4, 0]))), [
    "option of 200 bytes passes the block's end",
  ])
  assert.equal(last(interfaceBlock(pack(true, [2, wire.IF_TSRESOL], [2, 2], [4, 0]))), [
    'interface option 9 of 2 bytes; accepted: 1',
  ])
  const order = section()
  order[8] ^= 0xff
  assert.equal(last(order), ['section header without the byte-order magic 1a2b3c4d'])
  const far = join(packet(0, 0), packet(0xffffffff, 0))
  assert.equal(last(far), ['time is more than 104 days from the first frame'])
})

test('names from a file cannot steer a terminal', () => {
  const name = [0x1b, 0x5b, 0x32, 0x4a]
  const { reader } = readAll(join(section(), interfaceBlock([...pack(true, [2, wire.IF_NAME], [2, 4]), ...name])))
  assert.is(reader.interfaces[0].name, '\ufffd[2J')
})

test('files that are no capture say what they are', () => {
  const message = (...bytes: number[]) => messages(Uint8Array.from(bytes))[0]
  assert.match(message(), 'the file is empty')
  assert.match(message(0x1f, 0x8b, 8, 0), 'compressed with gzip')
  assert.match(message(0x28, 0xb5, 0x2f, 0xfd), 'compressed with zstd')
  assert.match(message(1, 2, 3, 4), 'begins with 01020304')
  assert.is(readAll(Uint8Array.of(1, 2, 3, 4)).frames.length, 0)
})

test('the list of faults is bounded, their number is not lost', () => {
  const lie = block(6, [0, 0, 0, 0])
  const { reader } = readAll(join(section(), interfaceBlock(), ...new Array<Uint8Array>(500).fill(lie)))
  assert.is(reader.faults.length, wire.CAPTURE_FAULTS_MAX)
  assert.is(reader.faultCount, 500)
})

test('files with any bytes changed, cut or inserted end without exception and inside the file', () => {
  const data = Uint8Array.from({ length: 30 }, (_, index) => index)
  const pcap = { linkType: 1, snapLength: 100 }
  const seeds = [
    join(wire.pcapFileHeader(pcap), ...[1, 2, 3].map((time) => wire.pcapRecord(pcap, time, data))),
    join(
      wire.pcapngSectionHeader('x'),
      wire.pcapngInterfaceBlock({ name: 'eth0', linkType: 1, epochSeconds: 5 }),
      ...[1, 2, 3].map((time) => wire.pcapngPacketBlock(0, time, data, { comment: 'c' })),
    ),
    join(section(false), interfaceBlock([], false), packet(0, 1, [1, 2], false), block(3, pack(false, [4, 0]), false)),
  ]
  const interesting = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff))
  let withFaults = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), interesting), { maxLength: 6 }),
      fc.option(fc.nat(), { nil: undefined }),
      (seed, changes, cut) => {
        const bytes = seed.slice(0, cut === undefined ? seed.length : cut % (seed.length + 1))
        // The magic number mostly stays, so that the changes reach further than the first test.
        for (const [at, byte] of changes) if (bytes.length > 4) bytes[4 + (at % (bytes.length - 4))] = byte
        const reader = wire.openCapture(bytes)
        const frame = new wire.CaptureFrame()
        let frames = 0
        while (reader.next(frame)) {
          frames++
          assert.ok(frame.dataOffset + frame.capturedBytes <= bytes.length)
          assert.ok(frame.originalBytes >= frame.capturedBytes)
          assert.ok(Number.isFinite(frame.timestampNs))
          assert.ok(reader.interfaces[frame.interfaceIndex] !== undefined)
        }
        assert.ok(frames <= bytes.length / 12)
        assert.not.ok(reader.next(frame), 'the end stays the end')
        if (reader.faultCount > 0) withFaults++
      },
    ),
    { numRuns: 8000 },
  )
  assert.ok(withFaults > 1000)
})

test.run()
