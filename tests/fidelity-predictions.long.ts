/**
 * Rows of the E5-1650 v4 tables that no cost was fitted on, reported with their error: CPU use against load, scaling over
 * queues, a flood against a request/response client, and a million packets. Only what the model claims is gated; docs/fidelity.md says why the others are off.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { floodRates, runFlood } from './support/e5-flood.js'
import { type FidelityRow, printFidelity } from './support/fidelity-table.js'
import { runScenario } from './support/run-scenario.js'

test('CPU use of one core against offered load, drop before IP', () => {
  const measured: readonly (readonly [string, number])[] = [
    ['250kpps', 21],
    ['500kpps', 30.2],
    ['1Mpps', 42.6],
    ['2Mpps', 59.6],
    ['3Mpps', 70.8],
    ['5Mpps', 100],
  ]
  const rows: FidelityRow[] = measured.map(([rate, percent]) => {
    const { busy } = floodRates(
      runFlood({
        kernel: '5.1',
        rate,
        duration: '60ms',
        driver: 'mlx5',
        readerCpu: null,
        device: { 'rx-handler': 'consume', coalesce: { 'adaptive-rx': 'off', 'rx-usecs': 12, 'rx-frames': 128 } },
      }),
    )
    const kind = rate === '250kpps' ? 'calibrated' : 'predicted'
    return { row: rate, quantity: 'busy %', measured: percent, simulated: busy * 100, kind, gate: null }
  })
  assert.equal(
    printFidelity('CPU use against load (published: iptables raw drop, 27 ns a packet that the model lacks)', rows),
    [],
  )
})

test('two and three queues do two and three times the work of one', () => {
  const flows = 96
  const perQueues = [1, 2, 3].map((queues) => {
    const run = runFlood({
      kernel: '5.1',
      rate: `${queues * 12}Mpps`,
      duration: '30ms',
      driver: 'mlx5',
      queues,
      flows,
      readerCpu: null,
    })
    return floodRates(run).noPorts
  })
  const one = perQueues[0] as number
  const rows: FidelityRow[] = [
    {
      row: '2 cores',
      quantity: 'times one core',
      measured: 10_226_514 / 5_051_787,
      simulated: (perQueues[1] as number) / one,
      kind: 'predicted',
      gate: { share: 0.05 },
    },
    {
      row: '3 cores',
      quantity: 'times one core',
      measured: 15_104_793 / 5_051_787,
      simulated: (perQueues[2] as number) / one,
      kind: 'predicted',
      gate: { share: 0.05 },
    },
  ]
  assert.equal(printFidelity('Scaling over cores (published: raw drop; here: closed port)', rows), [])
})

test('a flood to a closed port against one request/response client', () => {
  const requests = (mpps: number): number => {
    const run = runScenario({
      name: 'flood-against-requests',
      kernel: '5.1',
      profile: 'xeon-e5-1650-v4',
      duration: '60ms',
      hosts: {
        broadwell: {
          cpus: 6,
          hz: 1000,
          cstates: 'none',
          devices: {
            // The delay stands for the client and the switch: it makes the round trip the published 29.4 µs.
            eth0: { driver: 'mlx5', address: '192.0.2.1/24', channels: { combined: 1 }, 'link-delay': '11us' },
          },
          apps: { netserver: { kind: 'udp_echo', cpus: [2], wait: 'recvfrom', sockets: { bind: '0.0.0.0:12865' } } },
        },
      },
      traffic: {
        client: {
          to: 'broadwell/eth0',
          kind: 'closed',
          clients: 1,
          depth: 1,
          think: '0us',
          frame: 64,
          timeout: '1s',
          flows: { count: 1, dport: 12_865 },
        },
        ...(mpps === 0
          ? {}
          : {
              flood: {
                to: 'broadwell/eth0',
                rate: `${mpps * 1000}kpps`,
                frame: 64,
                start: '1ms',
                flows: { count: 1, sport: 5000, dport: 9 },
              },
            }),
      },
    })
    return run.report.packets.sent / (run.report.simulated_ns / 1e9)
  }
  const published: readonly (readonly [number, number])[] = [
    [0, 34_016],
    [0.5, 32_262],
    [1, 26_294],
    [2, 26_027],
    [3, 20_036],
    [3.4, 15_821],
    [3.5, 0],
  ]
  const rows: FidelityRow[] = published.map(([mpps, rate]) => ({
    row: `${mpps} Mpps`,
    quantity: 'requests/s',
    measured: rate,
    simulated: requests(mpps),
    kind: mpps === 0 ? 'calibrated' : 'predicted',
    gate: mpps === 0 ? { share: 0.15 } : null,
  }))
  assert.equal(printFidelity('Flood to a closed port against TCP_RR (here: UDP requests)', rows), [])
})

test('a million packets: one queue of a 2 GHz Xeon', () => {
  const at = (readerCpu: number) =>
    floodRates(
      runFlood({
        kernel: '4.14',
        rate: '2Mpps',
        duration: '60ms',
        driver: 'ixgbe',
        readerCpu,
        host: { cpus: { count: 4, frequency: '2GHz' } },
      }),
    ).delivered
  const rows: FidelityRow[] = [
    {
      row: 'reader on another CPU',
      quantity: 'read',
      measured: 360_000,
      simulated: at(1),
      kind: 'predicted',
      gate: null,
    },
    {
      row: 'reader on the same CPU',
      quantity: 'read',
      measured: 430_000,
      simulated: at(0),
      kind: 'predicted',
      gate: null,
    },
  ]
  assert.equal(printFidelity('A million packets (another machine: costs of the E5 at 2 GHz)', rows), [])
})

test.run()
