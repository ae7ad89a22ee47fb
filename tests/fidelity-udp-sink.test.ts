/**
 * UDP sink on the E5-1650 v4: reader on the CPU that receives and on another one, under Linux 5.1 and 6.5, and the drop
 * at a closed port. The published program (udp_sink --recvmsg) makes one blocking recvmsg call per datagram, so the
 * reader here waits with recvfrom.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { floodRates, runFlood } from './support/e5-flood.js'
import { type FidelityRow, printFidelity } from './support/fidelity-table.js'

const DURATION = '100ms'
const QUARTER = { share: 0.25 }
const COLLAPSE = { factor: 3 }

function sink(kernel: '5.1' | '6.5', readerCpu: number) {
  return floodRates(runFlood({ kernel, rate: '10Mpps', duration: DURATION, readerCpu }))
}

test('one reader under a flood, on the same CPU and on another one', () => {
  const same51 = sink('5.1', 0)
  const other51 = sink('5.1', 1)
  const same65 = sink('6.5', 0)
  const other65 = sink('6.5', 1)
  const rows: FidelityRow[] = [
    {
      row: '5.1, same CPU',
      quantity: 'read',
      measured: 718_135,
      simulated: same51.delivered,
      kind: 'calibrated',
      gate: QUARTER,
    },
    {
      row: '5.1, other CPU',
      quantity: 'read',
      measured: 2_311_585,
      simulated: other51.delivered,
      kind: 'calibrated',
      gate: QUARTER,
    },
    {
      row: '6.5, same CPU',
      quantity: 'read',
      measured: 2948,
      simulated: same65.delivered,
      kind: 'predicted',
      gate: COLLAPSE,
    },
    {
      row: '6.5, same CPU',
      quantity: 'IpInReceives',
      measured: 2_831_056,
      simulated: same65.inReceives,
      kind: 'calibrated',
      gate: { share: 0.05 },
    },
    {
      row: '6.5, same CPU',
      quantity: 'RcvbufErrors',
      measured: 2_828_118,
      simulated: same65.rcvbufErrors,
      kind: 'calibrated',
      gate: { share: 0.05 },
    },
    {
      row: '6.5, other CPU',
      quantity: 'read',
      measured: 1_722_307,
      simulated: other65.delivered,
      kind: 'calibrated',
      gate: { share: 0.05 },
    },
    {
      row: '6.5, other CPU',
      quantity: 'IpInReceives',
      measured: 2_318_560,
      simulated: other65.inReceives,
      kind: 'calibrated',
      gate: { share: 0.05 },
    },
    {
      row: '6.5, other CPU',
      quantity: 'RcvbufErrors',
      measured: 596_280,
      simulated: other65.rcvbufErrors,
      kind: 'calibrated',
      gate: { share: 0.15 },
    },
  ]
  assert.equal(printFidelity('UDP sink on E5-1650 v4, per second', rows), [])
  assert.ok(same65.delivered * 100 < same51.delivered, '6.5 starves the reader, 5.1 shares the CPU')
})

test('drop at a closed port', () => {
  const { noPorts } = floodRates(runFlood({ kernel: '5.1', rate: '10Mpps', duration: '50ms', readerCpu: null }))
  const rows: FidelityRow[] = [
    {
      row: 'i40e, 5.1',
      quantity: 'UdpNoPorts',
      measured: 3_380_531,
      simulated: noPorts,
      kind: 'calibrated',
      gate: { share: 0.02 },
    },
  ]
  assert.equal(printFidelity('UDP to a closed port on E5-1650 v4, per second', rows), [])
})

test.run()
