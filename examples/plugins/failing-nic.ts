/** A card that fails: it loses frames, damages them, and stops writing to memory now and then. */
import {
  defineComponent,
  defineCounters,
  definePlugin,
  defineRandom,
  defineSystem,
  f64,
  NIC_FAULT,
  NicFault,
  option,
  WireState,
} from 'softnet/plugin'

/** The card's next stall. */
const Stall = defineComponent(
  'failing_nic_stall',
  {
    /** When it is due, ps. */ nextPs: f64,
  },
  { per: 'wire' },
)

const Dice = defineRandom('failing_nic_dice', { per: 'wire' })

const Counts = defineCounters(
  'failing_nic',
  {
    lost: 'Frames lost inside of the card',
    corrupted: 'Frames damaged behind the check of the FCS',
    bad_fcs: 'Frames damaged on the link',
    stalls: 'Times the card stopped writing to memory',
  },
  { per: 'wire' },
)

const chance = (about: string) => option.number(about, { min: 0, max: 1 }, 0)
const times = { max: 1e12, words: 'at most 1s' }

export default definePlugin('failing_nic', {
  about: 'Makes a card lose, damage and hold back frames.',
  options: {
    device: option.device('Device whose card fails.'),
    lose: chance('Share of frames that are lost.'),
    corrupt: chance('Share of frames whose payload is damaged, so that their checksum is wrong.'),
    crc: chance('Share of frames that come with a bad FCS.'),
    'stall-every': option.time('Time from the end of a stall to the next one; 0: never.', times, '0s'),
    'stall-for': option.time('How long a stall lasts.', times, '100us'),
  },
  components: [Stall, Dice, Counts],
  setup({ write, places }, options) {
    const { nextPs } = write(Stall)
    for (const { id } of places.wire) nextPs[id] = options['stall-every']
  },
  systems: ({ device, lose, corrupt, crc, 'stall-every': every, 'stall-for': length }) => [
    defineSystem('fail', 'nic_rx', ({ read, write, random, places }) => {
      const { portPs } = read(WireState)
      const { action, stallPs } = write(NicFault)
      const { nextPs } = write(Stall)
      const { lost, corrupted, bad_fcs: badFcs, stalls } = write(Counts)
      const dice = random(Dice)
      const isFailing = new Uint8Array(1 + Math.max(...places.wire.map(({ id }) => id)))
      for (const place of places.wire) if (place.device === device) isFailing[place.id] = 1

      return (ids, count) => {
        for (let i = 0; i < count; i++) {
          const wire = ids[i]
          if (isFailing[wire] === 0) continue
          if (every > 0 && portPs[wire] >= nextPs[wire]) {
            stallPs[wire] = length
            nextPs[wire] = portPs[wire] + length + every
            stalls[wire]++
          }
          const drawn = dice.uniform(wire)
          if (drawn < lose) {
            action[wire] = NIC_FAULT.lose
            lost[wire]++
          } else if (drawn < lose + corrupt) {
            action[wire] = NIC_FAULT.corrupt
            corrupted[wire]++
          } else if (drawn < lose + corrupt + crc) {
            action[wire] = NIC_FAULT.crc
            badFcs[wire]++
          }
        }
      }
    }),
  ],
})
