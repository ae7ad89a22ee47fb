/** softnet.json, `cases`: N packets enter one CPU's backlog at once; in what polls and softirqs are they handled? */
import { senderTruesizeBytes } from '@softnet/kernel'
import { Differences } from './differences.js'
import type { Fields } from './fields.js'
import { datagram, MACHINE_ADDRESS, machinePlan, runMachine } from './machine.js'
import type { OracleCase } from './oracle-case.js'

const S32_MAX = 2_147_483_647
const MAX_PACKETS = 16_384
const PAYLOAD_BYTES = 40
const PORT = 5000
/** A receive buffer per packet that is certainly large enough, bytes. */
const ROOM_BYTES = 2304
const RUN_PS = 1e12

/** Writes softirqs and their polls as the recordings do. */
export class SoftirqLog {
  readonly #softirqs: { readonly inKsoftirqd: boolean; readonly polls: string[] }[] = []

  /** Notes a softirq entry. */
  softirq(inKsoftirqd: boolean): void {
    this.#softirqs.push({ inKsoftirqd, polls: [] })
  }

  /** Notes a poll inside the last softirq. */
  poll(text: string): void {
    this.#softirqs.at(-1)?.polls.push(text)
  }

  /** `softirq{ poll 64/64 } softirq{ksoftirqd poll 1/64 }` */
  braces(): string[] {
    return this.#softirqs.map(({ inKsoftirqd, polls }) => {
      const parts = polls.map((poll) => `poll ${poll}`)
      return `softirq{${inKsoftirqd ? 'ksoftirqd' : ''} ${parts.join(' ')} }`
    })
  }

  /** `| no_device 1/64 | q6 1/64` */
  bars(): string[] {
    return this.#softirqs.flatMap(({ polls }) => ['|', ...polls])
  }
}

/** The recorded text cut into softirqs. */
function softirqs(text: string): string[] {
  return text.match(/\S+\{[^}]*\}/g) ?? []
}

/** Reads one entry of `cases`. */
export function softnetCase(fields: Fields): OracleCase {
  const maxBacklog = fields.integer('netdev_max_backlog', 0, S32_MAX)
  const budget = fields.integer('netdev_budget', 1, S32_MAX)
  const weight = fields.integer('dev_weight', 1, S32_MAX)
  const n = fields.integer('N', 1, MAX_PACKETS)
  const events = fields.text('events')
  const counts = ['delivered', 'processed', 'dropped', 'time_squeeze'] as const
  const recorded = counts.map((name) => fields.integer(name, 0, S32_MAX))
  return {
    name: fields.has('name') ? fields.text('name') : `backlog=${maxBacklog} budget=${budget} weight=${weight} N=${n}`,
    gated: fields.gated(),
    run() {
      const plan = machinePlan(
        {
          devices: { veth0: { driver: 'veth', address: MACHINE_ADDRESS } },
          sysctl: {
            'net.core.netdev_max_backlog': maxBacklog,
            'net.core.netdev_budget': budget,
            'net.core.netdev_budget_usecs': 8000,
            'net.core.dev_weight': weight,
          },
          socket: { port: PORT, soRcvbufForce: n * ROOM_BYTES },
        },
        fields.path,
      )
      const log = new SoftirqLog()
      const observer = {
        softirq: (inKsoftirqd: boolean) => log.softirq(inKsoftirqd),
        poll: (_device: string | null, work: number, quota: number) => log.poll(`${work}/${quota}`),
      }
      let delivered = 0
      const bench = runMachine(plan, observer, RUN_PS, (on) => {
        const packet = datagram(PORT, PAYLOAD_BYTES)
        const truesize = senderTruesizeBytes('veth', PAYLOAD_BYTES, plan.hosts[0]?.smallHeadBytes ?? 0)
        const socket = on.socket(0)
        on.step(() => {
          for (let i = 1; i <= n; i++) on.netifRx(on.packets.make(packet, on.device('veth0'), truesize, i))
        })
        on.step(() => {
          while (socket.receive() !== null) delivered++
        })
      })
      const line = bench.softnet()
      const simulated = [delivered, line.processed, line.dropped, line.timeSqueeze]
      const differences = new Differences()
      differences.sequence('events', softirqs(events), log.braces())
      differences.values(counts, recorded, simulated)
      return differences.text()
    },
  }
}
