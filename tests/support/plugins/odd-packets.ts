/** Drops every other packet that has passed so far, so that it matters who comes first. */
import { defineComponent, defineCounters, definePlugin, defineSystem, u32, XDP, XdpVerdict } from 'softnet/plugin'

const Turn = defineComponent('odd_turn', { count: u32 })
const Counts = defineCounters('odd', { dropped: 'Packets dropped' })

export default definePlugin('odd_packets', {
  about: 'Drops every other packet.',
  components: [Turn, Counts],
  systems: [
    defineSystem('odd', 'xdp', ({ write }) => {
      const { action } = write(XdpVerdict)
      const { count: turn } = write(Turn)
      const { dropped } = write(Counts)
      return (ids, count, cpu) => {
        for (let i = 0; i < count; i++) {
          if (action[ids[i] as number] !== XDP.pass) continue
          const n = ((turn[cpu] as number) + 1) >>> 0
          turn[cpu] = n
          if ((n & 1) !== 0) continue
          action[ids[i] as number] = XDP.drop
          dropped[cpu] = (dropped[cpu] as number) + 1
        }
      }
    }),
  ],
})
