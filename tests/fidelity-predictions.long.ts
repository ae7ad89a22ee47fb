/**
 * Rows of the E5-1650 v4 tables that no cost was fitted on, reported with their error: CPU use against load, scaling over
 * queues, a flood against a request/response client, and a million packets. Only what the model claims is gated; docs/fidelity.md says why the others are off.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { floodRates, runFlood, trex } from './support/e5-flood.js'
import { type FidelityRow, printFidelity } from './support/fidelity-table.js'
import { runScenario } from './support/run-scenario.js'

test('CPU use of one core against offered load, drop before IP', () => {
  const measured: readonly (readonly [number, number])[] = [
    [0.25, 21],
    [0.5, 30.2],
    [1, 42.6],
    [2, 59.6],
    [3, 70.8],
    [5, 100],
  ]
  const rows: FidelityRow[] = measured.map(([mpps, percent]) => {
    const { busy } = floodRates(
      runFlood({
        kernel: '4.18',
        rate: trex(mpps),
        duration: '60ms',
        driver: 'mlx5',
        readerCpu: null,
        device: { 'rx-handler': 'consume' },
      }),
    )
    const row = `${mpps} Mpps`
    return {
      row,
      quantity: 'busy %',
      measured: percent,
      simulated: busy * 100,
      kind: 'predicted',
      gate: mpps < 2 ? null : { share: 0.1 },
    }
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
      kernel: '4.18',
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

/** Requests per second of one client beside a flood to a closed port on the same queue, 4.18 with mlx5 as it comes up. */
function requests(mpps: number): number {
  const run = runScenario({
    name: 'flood-against-requests',
    kernel: '4.18',
    profile: 'xeon-e5-1650-v4',
    duration: '60ms',
    hosts: {
      broadwell: {
        cpus: 6,
        hz: 1000,
        cstates: 'none',
        devices: {
          // The delay stands for the client and the switch: it makes the round trip the published 29.4 µs.
          eth0: { driver: 'mlx5', address: '192.0.2.1/24', channels: { combined: 1 }, 'link-delay': '9us' },
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
              ...trex(mpps),
              frame: 64,
              start: '1ms',
              flows: { count: 1, sport: 5000, dport: 9 },
            },
          }),
    },
  })
  return run.report.packets.sent / (run.report.simulated_ns / 1e9)
}

test('a flood to a closed port against one request/response client', () => {
  const published: readonly (readonly [number, number])[] = [
    [0, 34_016],
    [0.256, 32_811],
    [0.5, 32_262],
    [0.768, 29_587],
    [1, 26_294],
    [2, 26_027],
    [2.5, 25_773],
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
    gate: mpps < 1 ? { share: 0.15 } : null,
  }))
  const [unloaded] = rows as [FidelityRow]
  const lost = [3.2, 3.25, 3.3, 3.35, 3.4, 3.45].find((mpps) => requests(mpps) < unloaded.simulated / 4)
  rows.push({
    row: 'requests lost from',
    quantity: 'Mpps',
    measured: 3.45,
    simulated: lost ?? Number.NaN,
    kind: 'predicted',
    gate: { share: 0.05 },
  })
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
        batch: 1024,
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
