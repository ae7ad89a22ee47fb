/**
 * softnet.json, `multi_napi`: a broadcast of N datagrams goes through a bridge to ports whose peers have NAPI. The sender
 * hears it first, as one packet; then N packets reach the bridge's port by the backlog, and each goes up on the bridge
 * and out to all ports, the last one that joined first. Kernel: net/bridge/br_forward.c, br_flood
 */
import { senderTruesizeBytes } from '@softnet/kernel'
import { Differences } from './differences.js'
import type { Fields } from './fields.js'
import { datagram, MACHINE_ADDRESS, machinePlan, runMachine } from './machine.js'
import type { OracleCase } from './oracle-case.js'
import { SoftirqLog } from './softnet-cases.js'

const BARE = { driver: 'veth' } as const

const S32_MAX = 2_147_483_647
/** Slots of veth's ring. Kernel: drivers/net/veth.c, VETH_RING_SIZE */
const MAX_PACKETS = 256
const MAX_PORTS = 32
const PAYLOAD_BYTES = 40
const PORT = 5000
const RUN_PS = 1e12

/** Reads one entry of `multi_napi`. */
export function multiNapiCase(fields: Fields): OracleCase {
  const ports = fields.integer('ports', 1, MAX_PORTS)
  const budget = fields.integer('netdev_budget', 1, S32_MAX)
  const weight = fields.integer('dev_weight', 1, S32_MAX)
  const n = fields.integer('N', 1, MAX_PACKETS)
  const events = fields.text('events')
  const counts = ['processed', 'dropped', 'time_squeeze'] as const
  const recorded = counts.map((name) => fields.integer(name, 0, S32_MAX))
  const peers = Array.from({ length: ports }, (_, i) => `q${ports - i}`)
  const name = `multi_napi ports=${ports} budget=${budget} weight=${weight} N=${n}`
  return {
    name: fields.has('name') ? fields.text('name') : name,
    gated: fields.gated(),
    run() {
      const plain = { driver: 'veth' as const, address: MACHINE_ADDRESS }
      const devices = { sender: plain, port: BARE, br0: BARE }
      const queues = Object.fromEntries(peers.map((peer) => [peer, BARE]))
      const plan = machinePlan(
        {
          devices: { ...devices, ...queues },
          sysctl: {
            'net.core.netdev_budget': budget,
            'net.core.netdev_budget_usecs': 8000,
            'net.core.dev_weight': weight,
          },
          socket: { port: PORT },
        },
        fields.path,
      )
      const log = new SoftirqLog()
      const observer = {
        softirq: (inKsoftirqd: boolean) => log.softirq(inKsoftirqd),
        poll: (device: string | null, work: number, quota: number) =>
          log.poll(`${device ?? 'no_device'} ${work}/${quota}`),
      }
      const bench = runMachine(plan, observer, RUN_PS, (on) => {
        const packet = datagram(PORT, PAYLOAD_BYTES)
        const truesize = senderTruesizeBytes('veth', PAYLOAD_BYTES, plan.hosts[0]?.smallHeadBytes ?? 0)
        const make = (device: string, serial: number) => on.packets.make(packet, on.device(device), truesize, serial)
        on.bridge('port', (row, bridge) => {
          for (const peer of peers) bridge.flood(row, peer)
          bridge.handUp(row, 'br0')
        })
        on.step(() => on.netifRx(make('sender', 1)))
        on.step(() => {
          for (let i = 1; i <= n; i++) on.netifRx(make('port', 1 + i))
        })
      })
      const line = bench.softnet()
      const simulated = [line.processed, line.dropped, line.timeSqueeze]
      const differences = new Differences()
      differences.sequence('events', splitEvents(events), log.bars())
      differences.values(counts, recorded, simulated)
      return differences.text()
    },
  }
}

/** The recorded text cut into bars and polls. */
function splitEvents(text: string): string[] {
  return text.match(/\||\S+ \d+\/\d+/g) ?? []
}
