/** Of two CPUs of rps_cpus the one with fewer packets waiting takes a flow, instead of the one that its hash picks. */
import {
  BacklogView,
  defineComponent,
  defineCounters,
  definePlugin,
  defineRandom,
  defineSystem,
  i32,
  option,
  RpsMapSlot,
  RxQueue,
  Skb,
  Softnet,
  SteerVerdict,
  u32,
} from 'softnet/plugin'

const SLOTS = 4096

/** Where flows are, as rps_dev_flow_table keeps it for RFS: row by hash, a table for each CPU that steers. */
const Flow = defineComponent(
  'choice_flow',
  {
    /** CPU entity, 0: none yet. */ cpu: i32,
    /** Packets sent to it when the flow's last one was. */ tail: u32,
  },
  { rows: SLOTS },
)

const Dice = defineRandom('choice_dice')

const Counts = defineCounters('choice', {
  kept: 'Packets that stayed with the CPU of their flow, since it had some of the flow left',
  chosen: 'Packets for which two CPUs were compared',
  moved: 'Flows that changed their CPU',
})

export default definePlugin('power_of_two_choices', {
  about: 'Steers a flow to the less busy of two random CPUs whenever none of its packets is under way.',
  options: {
    cycles: option.integer('Cycles of a choice.', { min: 0, max: 1e6 }, 40),
  },
  components: [Flow, Dice, Counts],
  systems: ({ cycles }) => [
    defineSystem('choose', 'get_rps_cpu', ({ read, write, firstRows, random, charge, constants: { cpuRows } }) => {
      const { hash, queue } = read(Skb)
      const { rpsBase, rpsLength } = read(RxQueue)
      const { cpu: mapCpu } = read(RpsMapSlot)
      const { sent, taken } = read(BacklogView)
      const { queueHead, queueTail } = read(Softnet)
      const { cpu: target } = write(SteerVerdict)
      const flow = write(Flow)
      const { kept, chosen, moved } = write(Counts)
      const first = firstRows(Flow)
      const dice = random(Dice)
      const pay = charge()

      // A CPU knows its own backlog, and of others what it has sent and what they have told it.
      const sentTo = (cpu: number, to: number): number => (to === cpu ? queueTail[cpu] : sent[cpu * cpuRows + to])
      const takenBy = (cpu: number, to: number): number => (to === cpu ? queueHead[cpu] : taken[cpu * cpuRows + to])
      const waiting = (cpu: number, to: number): number => (sentTo(cpu, to) - takenBy(cpu, to)) | 0

      return (ids, count, cpu) => {
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          pay(cpu, cycles)
          const slot = first[cpu] + (hash[row] & (SLOTS - 1))
          const old = flow.cpu[slot]
          // Packets of one flow must not overtake each other: it moves only when the old CPU has taken all of them.
          if (old !== 0 && ((takenBy(cpu, old) - flow.tail[slot]) | 0) < 0) {
            kept[cpu]++
            target[row] = old
          } else {
            const base = rpsBase[queue[row]]
            const length = rpsLength[queue[row]]
            const one = mapCpu[base + dice.below(cpu, length)]
            const other = mapCpu[base + dice.below(cpu, length)]
            target[row] = waiting(cpu, other) < waiting(cpu, one) ? other : one
            chosen[cpu]++
            if (old !== 0 && old !== target[row]) moved[cpu]++
            flow.cpu[slot] = target[row]
          }
          flow.tail[slot] = (sentTo(cpu, target[row]) + 1) >>> 0
        }
      }
    }),
  ],
})
