/** What must not compile: each line under a directive is a fault that the compiler finds. */
import {
  Cpu,
  defineComponent,
  defineCounters,
  definePlugin,
  defineSystem,
  option,
  Skb,
  u32,
  XdpVerdict,
} from 'softnet/plugin'

const Seen = defineComponent('wrong_seen', { packets: u32 })
const Counts = defineCounters('wrong', { passed: 'Packets' })

export const wrongSystem = defineSystem('wrong', 'xdp', ({ read, write }) => {
  const { clockPs } = read(Cpu)
  const seen = read(Seen)
  const { action } = write(XdpVerdict)
  const { saddr } = write(Skb)
  // @ts-expect-error the counters have no such name
  write(Counts).failed[0] = 1
  return (ids, _count, cpu) => {
    // @ts-expect-error a column that is read cannot be written
    clockPs[cpu] = 0
    // @ts-expect-error nor can one of the plugin's own
    seen.packets[cpu]++
    // @ts-expect-error columns cannot be replaced
    seen.packets = new Uint32Array(1)
    // @ts-expect-error there is no such column
    seen.bytes[cpu] = 0
    // @ts-expect-error columns hold numbers
    action[0] = 'drop'
    saddr[ids[0] as number] = 0
  }
})

// @ts-expect-error there is no such hook
export const noHook = () => defineSystem('wrong', 'xpd', () => () => {})

// @ts-expect-error a system is a function of ids, a count and an owner
export const noRun = () => defineSystem('wrong', 'xdp', () => (ids: string) => ids)

export default definePlugin('wrong_types', {
  about: 'Does not compile.',
  options: {
    limit: option.integer('A number.', { min: 0, max: 9 }, 1),
    words: option.list('Words.', option.text('One.')),
  },
  components: [Seen, Counts],
  // @ts-expect-error the plugin has no such option
  systems: ({ limits }) => [wrongSystem, limits],
  setup(_context, { limit, words }) {
    const sum: number = limit + words.length
    // @ts-expect-error an integer is a number
    const text: string = limit
    return void `${sum}${text}`
  },
})
