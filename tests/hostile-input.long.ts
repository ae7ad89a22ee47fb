import { compile } from 'softnet'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCaptures, checkOverrides, checkTexts, ROOT } from './support/check-hostile.js'
import { checkAnyPacket, checkCounted } from './support/check-packets.js'
import { checkReport } from './support/check-report.js'
import { runModel } from './support/run-model.js'

const none = (faults: readonly string[]) => assert.is(faults.slice(0, 5).join('\n'), '')

test('damaged packets are counted as Linux counts them', () => {
  for (let seed = 1000; seed < 1060; seed++) none(checkCounted(seed, 2000))
})

test('any bytes are a packet, under every link type', () => {
  for (let seed = 1000; seed < 1020; seed++) none(checkAnyPacket(seed, 500))
})

test('damaged captures', async () => none((await checkCaptures(10_000, 15_000, 5)).faults))

test('mistaken scenario text', async () => none((await checkTexts(10_000, 15_000)).faults))

test('--set that means nothing', async () => none((await checkOverrides(10_000, 5000)).faults))

const SIZES: readonly Readonly<Record<string, unknown>>[] = [
  { 'hosts.server.cpus': 1024 },
  { 'eth0.channels.combined': 256, 'hosts.server.cpus': 256, 'eth0.irq.smp_affinity_list': Array(256).fill('0-255') },
  { 'eth0.rings.rx': 8192 },
  { 'sink.sockets.count': 65_536 },
  { 'clients.flows.count': 1_048_576 },
  { 'clients.rate': '5Mpps', 'clients.frame': 9000, 'eth0.mtu': 9000 },
  { 'clients.rate': '84Mpps', 'clients.frame': 64 },
  { 'eth0.packet-buffer': '1GB' },
  { 'hosts.server.skb-limit': 1 },
  { 'hosts.server.sysctl.net.core.rmem_max': 2_147_483_647, 'sink.sockets.SO_RCVBUF': 1_073_741_823 },
  { 'hosts.server.sysctl.net.core.netdev_budget': 2_147_483_647 },
]

test('the largest sizes that are accepted can be run', async () => {
  for (const set of SIZES) {
    const plan = await compile(`${ROOT}examples/socket-buffer.yaml`, { set: { warmup: 0, ...set }, duration: '1ms' })
    none(checkReport(plan, runModel(plan).report).map((fault) => `${JSON.stringify(set)}: ${fault}`))
  }
})

test.run()
