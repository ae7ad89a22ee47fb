import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  headBytes,
  linearTruesizeBytes,
  RX_BUFFERS,
  rxTruesizeBytes,
  type SenderPath,
  senderTruesizeBytes,
} from '../src/skb/truesize.js'

type Steps = readonly (readonly [firstPayload: number, truesize: number])[]

/** Every step is checked at its first payload and one grid step before it. */
function checkSteps(path: SenderPath, smallHead: number, steps: Steps, grid: number): void {
  steps.forEach(([payload, truesize], i) => {
    assert.is(senderTruesizeBytes(path, payload, smallHead), truesize, `${path} ${payload}`)
    const before = steps[i - 1]
    if (before !== undefined) {
      assert.is(senderTruesizeBytes(path, payload - grid, smallHead), before[1], `${path} ${payload - grid}`)
    }
  })
}

// Recorded on Linux 6.18.44 with a small head of 576 bytes.
test('sender-allocated skbs: every payload step of veth, lo and tun', () => {
  checkSteps(
    'veth',
    576,
    [
      [0, 832],
      [198, 1280],
      [646, 2304],
    ],
    1,
  )
  checkSteps(
    'lo',
    576,
    [
      [0, 832],
      [198, 1280],
      [646, 2304],
      [1670, 4352],
      [3718, 8448],
      [7814, 16640],
    ],
    1,
  )
  checkSteps(
    'tun',
    576,
    [
      [0, 832],
      [165, 1280],
      [613, 2304],
    ],
    1,
  )
  checkSteps(
    'tun_napi',
    576,
    [
      [0, 832],
      [165, 1280],
      [613, 2304],
    ],
    1,
  )
  assert.is(senderTruesizeBytes('veth', 1472, 576), 2304)
  assert.is(senderTruesizeBytes('tun', 1472, 576), 2304)
})

test('loopback puts long payloads in page fragments: payload + 832', () => {
  assert.is(senderTruesizeBytes('lo', 16_004, 576), 16_640)
  for (const payload of [16_005, 16_384, 30_000, 65_507]) {
    assert.is(senderTruesizeBytes('lo', payload, 576), payload + 832)
  }
})

test('fragments over veth: the sum, except a second one that fits behind the first', () => {
  // The recording went in steps of 8 bytes from 1473.
  checkSteps(
    'veth:fragmented',
    576,
    [
      [1473, 2304],
      [1689, 3584],
      [2129, 4608],
      [2953, 5440],
      [3161, 5888],
      [3609, 6912],
      [4433, 7744],
      [4641, 8192],
      [5089, 9216],
      [5913, 10_048],
      [6121, 10_496],
      [6569, 11_520],
      [7393, 12_352],
      [7601, 12_800],
    ],
    8,
  )
  assert.is(senderTruesizeBytes('veth', 1473, 576), 2304)
  assert.is(senderTruesizeBytes('veth', 1684, 576), 2304, '212 bytes fit behind 1516 in a head of 1728')
  assert.is(senderTruesizeBytes('veth', 1685, 576), 3584)
})

test('tun takes frames above the MTU whole: a page of head, then pages', () => {
  // The recording went in steps of 16 bytes from 1473.
  checkSteps(
    'tun:over-mtu',
    576,
    [
      [1473, 2304],
      [1649, 4352],
      [3697, 8448],
      [7793, 12_544],
      [11_889, 16_640],
      [15_985, 20_736],
    ],
    16,
  )
})

test('4.14 has no small heads: buckets from 512 on, and no page fragments on send', () => {
  checkSteps(
    'veth',
    0,
    [
      [0, 768],
      [134, 1280],
      [646, 2304],
    ],
    1,
  )
  checkSteps(
    'lo',
    0,
    [
      [0, 768],
      [134, 1280],
      [646, 2304],
      [1670, 4352],
      [3718, 8448],
      [7814, 16_640],
      [16_006, 33_024],
    ],
    1,
  )
  assert.is(senderTruesizeBytes('lo', 65_507, 0), 131_072 + 256)
})

test('distribution kernels have small heads of 640 or 704 bytes', () => {
  checkSteps(
    'veth',
    704,
    [
      [0, 960],
      [326, 1280],
      [646, 2304],
    ],
    1,
  )
  assert.is(senderTruesizeBytes('veth', 0, 640), 896)
})

test('heads: small cache, then buckets', () => {
  assert.is(headBytes(256, 576), 576)
  assert.is(headBytes(257, 576), 1024)
  assert.is(headBytes(192, 0), 512)
  assert.is(headBytes(193, 0), 1024)
  assert.is(linearTruesizeBytes(1728, 576), 2304)
  assert.is(linearTruesizeBytes(1729, 576), 4352)
})

test('received frames by driver buffer', () => {
  const rule = (name: (typeof RX_BUFFERS)[number]) => RX_BUFFERS.indexOf(name)
  assert.is(rxTruesizeBytes(rule('page-half'), 1514, 0, 576, 1500), 2304)
  assert.is(rxTruesizeBytes(rule('page-frag'), 60, 0, 576, 1500), 2304)
  // 1522 + 64 bytes in a page fragment of 1920.
  assert.is(rxTruesizeBytes(rule('netdev-alloc'), 1514, 256, 576, 1500), 2176)
  assert.is(rxTruesizeBytes(rule('netdev-alloc'), 60, 0, 576, 1500), 2176, 'allocated before the frame is known')
  assert.is(rxTruesizeBytes(rule('netdev-alloc'), 60, 256, 576, 1500), 832)
  assert.is(rxTruesizeBytes(rule('netdev-alloc'), 256, 256, 576, 1500), 640 + 256)
  assert.is(rxTruesizeBytes(rule('netdev-alloc'), 9014, 0, 576, 9000), 32_768 + 256)
  assert.is(rxTruesizeBytes(rule('mergeable'), 128, 128, 576, 1500), 832)
  assert.is(rxTruesizeBytes(rule('mergeable'), 128, 128, 0, 1500), 768)
  assert.is(rxTruesizeBytes(rule('mergeable'), 1204, 128, 576, 1500), 1536 + 256)
  assert.is(rxTruesizeBytes(rule('mergeable'), 1205, 128, 576, 1500), 832 + 1536)
  assert.is(rxTruesizeBytes(rule('page-half'), 60, 256, 704, 1500), 960, 'igb copies into a head for 256 bytes')
})

test.run()
