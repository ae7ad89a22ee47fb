/** Latency by flow: who waits longest. */
import {
  Cpu,
  defineComponent,
  defineCounters,
  defineHistogram,
  definePlugin,
  defineSystem,
  f64,
  formatIpv4,
  option,
  Skb,
  u32,
} from 'softnet/plugin'

const SLOTS = 4096

/** A flow as the CPU that reads it knows it. */
const Flow = defineComponent(
  'flow_latency',
  {
    /** Sender; 0: the slot is free. */ saddr: u32,
    /** Source port × 65536 + destination port. */ ports: u32,
    /** Messages read. */ messages: u32,
    /** Sum, smallest and greatest latency, ns. */ sumNs: f64,
    minNs: f64,
    maxNs: f64,
  },
  { rows: SLOTS, role: 'probe' },
)

const Counts = defineCounters('flow_latency_probe', { untold: 'Messages of flows for which there was no slot' })
const Latency = defineHistogram('message_latency', 'ns')

interface FlowRow {
  flow: string
  messages: number
  mean_ns: number
  min_ns: number
  max_ns: number
}

export default definePlugin('flow_latency', {
  about: 'Measures for each flow how long its messages take from the port of the card to their reader.',
  options: {
    top: option.integer('Flows in the report, the slowest first.', { min: 1, max: 1000 }, 10),
  },
  components: [Flow, Counts, Latency],
  systems: [
    defineSystem('measure', 'recvmsg', ({ read, write, firstRows, histogram }) => {
      const { saddr, ports, arrivalPs } = read(Skb)
      const { clockPs } = read(Cpu)
      const flow = write(Flow)
      const { untold } = write(Counts)
      const first = firstRows(Flow)
      const record = histogram(Latency)

      /** Slot of a flow: the first from its hash on that is its own or free; −1 where sixteen belong to others. */
      function slotOf(cpu: number, address: number, port: number): number {
        const hash = Math.imul(address ^ Math.imul(port, 0x85ebca6b), 0x9e3779b1) >>> 20
        for (let step = 0; step < 16; step++) {
          const slot = first[cpu] + ((hash + step) & (SLOTS - 1))
          if (flow.saddr[slot] === 0) return slot
          if (flow.saddr[slot] === address && flow.ports[slot] === port) return slot
        }
        return -1
      }

      return (ids, count, cpu) => {
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          const ns = (clockPs[cpu] - arrivalPs[row]) / 1000
          record(cpu, ns)
          const slot = slotOf(cpu, saddr[row], ports[row])
          if (slot < 0) {
            untold[cpu]++
            continue
          }
          flow.saddr[slot] = saddr[row]
          flow.ports[slot] = ports[row]
          flow.messages[slot]++
          flow.sumNs[slot] += ns
          if (flow.messages[slot] === 1 || ns < flow.minNs[slot]) flow.minNs[slot] = ns
          if (ns > flow.maxNs[slot]) flow.maxNs[slot] = ns
        }
      }
    }),
  ],
  report({ read, firstRows, places }, { top }) {
    const flow = read(Flow)
    const first = firstRows(Flow)
    const byName = new Map<string, FlowRow>()
    for (const { id } of places.cpu) {
      for (let slot = first[id]; slot < first[id] + SLOTS; slot++) {
        if (flow.messages[slot] === 0) continue
        const name = `${formatIpv4(flow.saddr[slot])}:${flow.ports[slot] >>> 16} → :${flow.ports[slot] & 0xffff}`
        const row = byName.get(name) ?? { flow: name, messages: 0, mean_ns: 0, min_ns: Number.MAX_VALUE, max_ns: 0 }
        const messages = row.messages + flow.messages[slot]
        byName.set(name, {
          flow: name,
          messages,
          mean_ns: (row.mean_ns * row.messages + flow.sumNs[slot]) / messages,
          min_ns: Math.min(row.min_ns, flow.minNs[slot]),
          max_ns: Math.max(row.max_ns, flow.maxNs[slot]),
        })
      }
    }
    const flows = [...byName.values()].sort((a, b) => b.mean_ns - a.mean_ns || (a.flow < b.flow ? -1 : 1))
    return { flows: flows.length, slowest: flows.slice(0, top) }
  },
})
