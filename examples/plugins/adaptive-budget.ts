/** A poll may take more the more the polls before it found: long batches under load, short ones for a fair share. */
import {
  defineComponent,
  defineCounters,
  defineHistogram,
  definePlugin,
  defineSystem,
  f64,
  Napi,
  NapiQuota,
  option,
  u16,
} from 'softnet/plugin'

/** What an instance is given at present. */
const Share = defineComponent(
  'budget_share',
  {
    /** Packets, between the smallest and the largest quota. */ packets: u16,
    /** Polls the instance had when it was looked at last. */ polls: f64,
  },
  { per: 'napi' },
)

const Counts = defineCounters('budget', {
  grown: 'Polls that used their quota, so that the next one may take twice as much',
  shrunk: 'Polls that used less than half of it, so that the next one may take less',
})

const Quotas = defineHistogram('budget_quota', 'packets')

export default definePlugin('adaptive_budget', {
  about:
    'Doubles the quota of a NAPI instance after a full poll and takes an eighth away after one that was half empty.',
  options: {
    smallest: option.integer('Smallest quota, packets.', { min: 1, max: 1024 }, 8),
    largest: option.integer('Largest quota, packets.', { min: 1, max: 1024 }, 256),
    cycles: option.integer('Cycles of a decision.', { min: 0, max: 1e6 }, 20),
  },
  components: [Share, Counts, Quotas],
  setup({ write, places }, { smallest }) {
    const { packets } = write(Share)
    for (const { id } of places.napi) packets[id] = smallest
  },
  systems({ smallest, largest, cycles }) {
    if (smallest > largest) throw new RangeError(`smallest is ${smallest}, more than largest, which is ${largest}`)
    const adapt = defineSystem('adapt', 'napi_poll', ({ read, write, histogram, charge }) => {
      const { work, budget, polls: polled } = read(Napi)
      const { packets: quota } = write(NapiQuota)
      const { packets, polls } = write(Share)
      const { grown, shrunk } = write(Counts)
      const record = histogram(Quotas)
      const pay = charge()
      return (ids, count, cpu) => {
        for (let i = 0; i < count; i++) {
          const napi = ids[i]
          pay(cpu, cycles)
          if (polled[napi] !== polls[napi]) {
            polls[napi] = polled[napi]
            if (work[napi] >= budget[napi]) {
              packets[napi] = Math.min(largest, packets[napi] * 2)
              grown[cpu]++
            } else if (work[napi] * 2 < budget[napi]) {
              packets[napi] = Math.max(smallest, packets[napi] - Math.ceil(packets[napi] / 8))
              shrunk[cpu]++
            }
          }
          quota[napi] = packets[napi]
          record(cpu, packets[napi])
        }
      }
    })
    return [adapt]
  },
})
