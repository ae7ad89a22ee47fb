/** What packets allocate that are sent, passed on or translated: little. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SteadyState } from './support/steady-state-run.js'

const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
const script = fileURLToPath(new URL('./support/steady-state-run.js', import.meta.url))

const programs = (to: string): Record<string, unknown> => ({
  send: { kind: 'udp_sender', cpus: [0], to: `${to}:9001`, rate: '400kpps', payload: 18 },
  sink: { kind: 'udp_sink', cpus: [1], sockets: { bind: '0.0.0.0:9001' } },
})

/**
 * The most bytes per packet. A number that is boxed takes 16; which calls V8 joins, so that nothing is boxed, differs from run
 * to run by one or two of them.
 */
const cases: readonly (readonly [
  name: string,
  scenario: string,
  bytesMax: number,
  settings: Readonly<Record<string, unknown>>,
])[] = [
  [
    'two hosts',
    'request-response',
    24,
    {
      'hosts.client.cpus': 2,
      'hosts.client.devices.eth0.channels.combined': 2,
      'hosts.client.apps': programs('10.0.0.2'),
      'hosts.server.cpus': 2,
      'hosts.server.devices.eth0.channels.combined': 2,
      'hosts.server.apps': programs('10.0.0.1'),
    },
  ],
  ['a router', 'router-overload', 32, { 'traffic.flood.rate': '1.5Mpps' }],
  ['a gateway', 'nat-gateway', 64, { 'traffic.inside.flows.count': 16, 'traffic.inside.rate': '700kpps' }],
]

for (const [name, scenario, bytesMax, settings] of cases) {
  test(`${name}: few numbers are boxed per packet`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...FLAGS,
      script,
      scenario,
      JSON.stringify(settings),
    ])
    const { packets, allocatedBytes, collections } = JSON.parse(stdout) as SteadyState
    console.log(`\n  ${name}, ${packets} packets: ${(allocatedBytes / packets).toFixed(2)} bytes allocated per packet`)
    assert.ok(packets > 200_000, `${packets} packets`)
    assert.is(collections, 0, 'nothing was collected, so that the growth of the heap is what was allocated')
    assert.ok(allocatedBytes < bytesMax * packets, `${allocatedBytes} bytes for ${packets} packets`)
  })
}

test.run()
