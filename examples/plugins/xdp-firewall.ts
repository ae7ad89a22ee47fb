/** Packets from some networks, and from senders that are too fast, are dropped before there is an skb. */
import {
  Cpu,
  defineComponent,
  defineCounters,
  definePlugin,
  defineSystem,
  f64,
  option,
  Skb,
  u32,
  XDP,
  XdpVerdict,
} from 'softnet/plugin'

const ETH_P_IP = 0x0800
const SLOTS = 1024

/** Packets of one window by source address: a table for each CPU, as a per-CPU map of BPF is. */
const Seen = defineComponent(
  'firewall_seen',
  {
    /** Address that has the slot; a newer one takes the place of an older. */ saddr: u32,
    /** Begin of its window, ps. */ sincePs: f64,
    /** Packets in the window. */ packets: u32,
  },
  { rows: SLOTS },
)

const Counts = defineCounters('firewall', {
  passed: 'Packets let through',
  denied: 'Packets of denied networks',
  limited: 'Packets of senders above the limit',
})

const options = {
  deny: option.list('Networks whose packets are dropped.', option.network('A network.'), 64, []),
  limit: option.integer(
    'Packets that one address may send to one CPU in a window; 0: any number.',
    { min: 0, max: 1e9 },
    0,
  ),
  window: option.time('Length of a window.', { min: 1e6, max: 1e12, words: 'from 1us to 1s' }, '1ms'),
  cycles: option.integer('Cycles of a look at the maps.', { min: 0, max: 1e6 }, 60),
}

export default definePlugin('xdp_firewall', {
  about: 'Drops packets of denied networks and of senders that are too fast, before there is an skb.',
  options,
  components: [Seen, Counts],
  systems: ({ deny, limit, window, cycles }) => [
    defineSystem('firewall', 'xdp', ({ read, write, firstRows, charge }) => {
      const { protocol, saddr } = read(Skb)
      const { clockPs } = read(Cpu)
      const { action } = write(XdpVerdict)
      const seen = write(Seen)
      const { passed, denied, limited } = write(Counts)
      const first = firstRows(Seen)
      const pay = charge()

      function isDenied(address: number): boolean {
        for (const network of deny) if ((address & network.mask) >>> 0 === network.address) return true
        return false
      }

      function isTooFast(cpu: number, address: number): boolean {
        if (limit === 0) return false
        const slot = first[cpu] + (Math.imul(address, 0x9e3779b1) >>> 22)
        if (seen.saddr[slot] !== address || clockPs[cpu] - seen.sincePs[slot] >= window) {
          seen.saddr[slot] = address
          seen.sincePs[slot] = clockPs[cpu]
          seen.packets[slot] = 0
        }
        return ++seen.packets[slot] > limit
      }

      return (ids, count, cpu) => {
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          if (protocol[row] !== ETH_P_IP) continue
          pay(cpu, cycles)
          if (isDenied(saddr[row])) {
            action[row] = XDP.drop
            denied[cpu]++
          } else if (isTooFast(cpu, saddr[row])) {
            action[row] = XDP.drop
            limited[cpu]++
          } else passed[cpu]++
        }
      }
    }),
  ],
})
