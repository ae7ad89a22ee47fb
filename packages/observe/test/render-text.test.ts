import type { ResultDocument } from '@softnet/scenario'
import * as fc from 'fast-check'
import stringWidth from 'string-width'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  formatBytes,
  formatCount,
  formatCpuMask,
  formatFrequency,
  formatPercent,
  formatRate,
  formatTime,
} from '../src/format.js'
import { barCells } from '../src/text/cpu-bars.js'
import { logColumns } from '../src/text/latency-picture.js'
import { bar, clip, wrap } from '../src/text/layout.js'
import { renderText, SCREEN_LINES } from '../src/text/render-text.js'
import { EXPECTED_SCREENS } from './expected-screens.js'
import { cpu, drop, hostResult, queue, result } from './fixtures.js'
import { screens } from './screens.js'

const ESCAPE = String.fromCharCode(27)

for (const [name, { columns, text }] of Object.entries(EXPECTED_SCREENS)) {
  test(`the screen of ${name} is as it was reviewed`, () => {
    assert.snapshot(renderText(screens()[name.split(' ')[0]!]!, { columns }), text)
  })
}

test('frames that a queue still holds are shown where they are, and an old driver has no NAPI softirq', () => {
  const waiting = { wire: 3, nic: 20_000, ring: 0, softirq: 0, backlog: 0, socket: 0 }
  const host = hostResult({ cpus: [cpu(0, { hardirq: 99 }, {}, { nonnapi_rx: 9e6 })] })
  const text = renderText(result(host, [drop('nic', 'NIC_RX_MISSED', 30_000)], { waiting, inFlight: 20_003 }), {
    columns: 100,
  })
  const line = (start: string) => text.split('\n').find((each) => each.trim().startsWith(start)) ?? ''
  assert.match(line('NIC buffer'), /├ +49,997 .* -30,000/)
  assert.match(text, /\n +│ +20,000 +20\.0 % +still here\n/)
  assert.match(line('netif_rx'), /49,997/)
  assert.not.match(text, /NAPI softirq|still here[\s\S]*still here/)
})

function verdictOf(cpus: number, columns: number): string[] {
  const set = `apps.sink.cpus=[${Array.from({ length: cpus }, (_, i) => i)}]`
  const verdict = { bottleneck: 'app_starved', sentences: ['Why.'], remedies: [{ set, why: 'moves it' }] }
  const lines = renderText({ ...result(hostResult()), verdict }, { columns })
    .trimEnd()
    .split('\n')
  return lines.slice(lines.findIndex((line) => line.startsWith('VERDICT')) + 2)
}

test('a long setting is printed whole, over lines that can be copied, or named', () => {
  for (const [cpus, columns] of [
    [64, 100],
    [64, 72],
    [100, 100],
  ] as const) {
    const lines = verdictOf(cpus, columns)
    assert.ok(lines.length > 1)
    for (const line of lines) assert.ok(line.length <= columns, line)
    const value = /^ *--set 'apps\.sink\.cpus=(\[[\s\S]*\])' +moves it$/.exec(lines.join('\n'))
    assert.equal(
      JSON.parse(value?.[1] ?? 'null'),
      Array.from({ length: cpus }, (_, i) => i),
      lines.join('\n'),
    )
  }
  assert.equal(verdictOf(256, 80), ['  --set apps.sink.cpus=…  moves it; the whole list: --format json'])
})

function checkSize(document: ResultDocument, columns: number, color: boolean): void {
  const lines = renderText(document, { columns, color }).trimEnd().split('\n')
  assert.ok(lines.length <= SCREEN_LINES, `${lines.length} lines`)
  for (const line of lines) assert.ok(stringWidth(line) <= columns, `${stringWidth(line)} columns: ${line}`)
}

test('a screen is never longer or wider than asked, whatever the numbers', () => {
  const number = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2 ** 40 }))
  const places = [
    'wire NIC_WIRE_ERROR',
    'nic_packet_buffer NIC_RX_MISSED',
    'rx_ring NIC_RX_NO_BUFFER',
    'ip_rcv_core IP_CSUM',
    'ip_rcv_core OTHERHOST',
    'udp_recvmsg UDP_CSUM',
    'enqueue_to_backlog CPU_BACKLOG',
    '__netif_receive_skb_core UNHANDLED_PROTO',
    '__udp_enqueue_schedule_skb PROTO_MEM',
    'bpf_prog_run_xdp XDP_NATIVE_DROP',
  ]
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 0, max: 40 }),
      fc.subarray(places),
      fc.array(number, { minLength: 12, maxLength: 12 }),
      fc.constantFrom(72, 80, 93, 100),
      fc.boolean(),
      fc.string({ maxLength: 120 }),
      (cpus, queues, lost, numbers, columns, color, name) => {
        const n = (i: number): number => numbers[i]!
        const host = hostResult({
          cpus: Array.from({ length: cpus }, (_, i) =>
            cpu(
              i,
              { softirq: (i * 7) % 60, task: i % 40 },
              { time_squeeze: n(0), squeeze_time: n(1), received_rps: n(2), input_qlen_max: n(3) },
            ),
          ),
          queues: Array.from({ length: queues }, (_, i) =>
            queue(i, i % cpus, { frames: n(4), irqs: n(5), ring_max: n(6), dropped: n(7) }),
          ),
        })
        const document = result(
          host,
          lost.map((place, i) => drop(place.split(' ')[0]!, place.split(' ')[1]!, n(i))),
          {
            scenario: name,
            profile: name,
            offered: n(8) * 20,
            inFlight: n(9),
            verdict: {
              bottleneck: 'one_queue',
              sentences: Array.from({ length: 3 }, () => 'Words and numbers '.repeat((n(10) % 12) + 1)),
              remedies: Array.from({ length: n(11) % 6 }, (_, i) => ({
                set: `eth${i}.rings.rx=4096`,
                why: 'x'.repeat(n(10) % 90),
              })),
            },
          },
        )
        checkSize(document, columns, color)
      },
    ),
    { numRuns: 60 },
  )
  for (const document of Object.values(screens()))
    for (const columns of [72, 85, 100]) checkSize(document, columns, true)
})

test('colours only when asked for, and they change nothing else', () => {
  for (const document of Object.values(screens())) {
    const plain = renderText(document)
    const colored = renderText(document, { color: true })
    assert.not.ok(plain.includes(ESCAPE))
    assert.ok(colored.includes(`${ESCAPE}[`))
    assert.is(colored.replaceAll(new RegExp(`${ESCAPE}\\[[0-9;]*m`, 'g'), ''), plain)
  }
})

test('names cannot move the cursor', () => {
  const text = renderText(result(hostResult(), [], { scenario: `a${ESCAPE}[2Jb\nc` }))
  assert.not.ok(text.includes(ESCAPE))
  assert.match(text, /^a\?\[2Jb\?c · /)
})

test('no latency and no traffic still make a screen', () => {
  const text = renderText(
    result(hostResult({ queues: [] }), [], { offered: 0, latency_ns: null, latency_histogram: [] }),
  )
  assert.match(text, /nothing was read after the warm-up/)
  assert.not.match(text, /NaN|Infinity|undefined/)
})

test('a sum that does not hold is shown as such', () => {
  const document = result(hostResult())
  const text = renderText({ ...document, packets: { ...document.packets, delivered: 1 } })
  assert.match(text, /100,000 offered ≠ 1 delivered, which does not add up/)
})

test('cells of a bar add up to its width and show what ran at all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 8, max: 50 }),
      (times, columns) => {
        assert.is(
          barCells(times, columns).reduce((sum, cells) => sum + cells, 0),
          columns,
        )
      },
    ),
  )
  assert.equal(barCells([0.6, 99.4, 0, 0, 0], 10), [1, 9, 0, 0, 0])
  assert.equal(barCells([0, 0, 0, 0, 0], 10), [0, 0, 0, 0, 10])
})

test('parts of lines', () => {
  assert.is(bar(0.5, 4), '██')
  assert.is(bar(0.0001, 4), '▏')
  assert.is(bar(0, 4), '')
  assert.is(bar(7, 4), '████')
  assert.is(clip('abcdef', 4), 'abc…')
  assert.is(clip('日本語', 4), '日…')
  assert.is(clip(`${ESCAPE}[31mabcdef${ESCAPE}[39m`, 4), `${ESCAPE}[31mabc…${ESCAPE}[39m`)
  assert.equal(wrap('one two three', 7), ['one two', 'three'])
  assert.equal(
    logColumns(
      [
        [300, 2],
        [301, 3],
        [40_000, 1],
      ],
      4,
    ),
    [5, 0, 0, 1],
  )
  assert.equal(logColumns([], 4), [])
})

test('numbers have three digits and a unit', () => {
  assert.equal([0, 999, 1000, 1_234_567].map(formatCount), ['0', '999', '1,000', '1,234,567'])
  assert.equal([0, 812, 999.6, 118_358, 3_999_960, 14.88e6].map(formatRate), [
    '0 pps',
    '812 pps',
    '1.00 kpps',
    '118 kpps',
    '4.00 Mpps',
    '14.9 Mpps',
  ])
  assert.equal([0.25, 7, 9996, 1.5e9, 12e12].map(formatTime), ['0.25 ns', '7 ns', '10.0 µs', '1.50 s', '12000 s'])
  assert.equal([0, 0.0001, 0.5, 0.9999, 1].map(formatPercent), ['0.0 %', '<0.1 %', '50.0 %', '>99.9 %', '100.0 %'])
  assert.equal([2304, 212_992].map(formatBytes), ['2,304 B', '213 kB'])
  assert.is(formatFrequency(41_000), '41.0 k/s')
  assert.equal([[1, 2, 3], [], [32], [0, 31, 33]].map(formatCpuMask), ['e', '0', '1,00000000', '2,80000001'])
})

test.run()
