import { type CostProfile, STAGES, type StageCost, type StageName } from '../stages.js'
import { scaledNetfilter } from './netfilter-scaled.js'
import { XEON_E5_1650_V4 } from './xeon-e5-1650-v4.js'

const HOWTO = 'NAPI_HOWTO 2002 (R. Olsson, gigabit e1000, forwarding, 1 M packets injected)'

/** One cycle is one nanosecond: the text names no machine, so only times are known. */
const FREQUENCY_HZ = 1_000_000_000

/**
 * Times the E5's time: forwarding takes 2,744.8 ns here, 574.8 there (xdp-project, IPv4 forwarding with a small table).
 */
const TIME_RATIO = 4.775

const NO_FIGURE = `estimate: ${TIME_RATIO} times the E5's time (forwarding: 2,744.8 ns here, 574.8 there)`

function slower(name: StageName): StageCost {
  const from = XEON_E5_1650_V4.stages[name]
  const ns = (from.cycles / XEON_E5_1650_V4.frequencyHz) * 1e9
  return { cycles: ns * TIME_RATIO, source: `${NO_FIGURE}; there: ${from.source}` }
}

const SLOWER = Object.fromEntries(STAGES.map((name) => [name, slower(name)])) as Record<StageName, StageCost>

/** Work of one packet of a full poll of 64 in driver and poll and when it is freed, cycles: part of the measured forwarding time. */
const AROUND_STACK =
  SLOWER.clean_rx.cycles +
  SLOWER.refill.cycles +
  SLOWER.kfree_skb.cycles +
  (SLOWER.softirq.cycles + SLOWER.net_rx_action.cycles + SLOWER.napi_poll.cycles) / 64

const IRQ_DELIVERY_NS = 1_000
const HALT_EXIT_NS = 200
const COLD_POLL_NS = 500

/** What an interrupt costs besides its handler: waking and delivery, a pass of softirqs, a run of net_rx_action, a poll and its completion. */
const AROUND_HANDLER =
  IRQ_DELIVERY_NS +
  HALT_EXIT_NS +
  COLD_POLL_NS +
  SLOWER.softirq.cycles +
  SLOWER.net_rx_action.cycles +
  SLOWER.napi_poll.cycles +
  SLOWER.napi_complete.cycles

/**
 * The machine of the NAPI how-to of 2002. What a packet costs after the driver, forwarding included, is one stage
 * (`netif_receive_skb`): a host with `rx-handler: consume` then pays for each packet what a router paid.
 */
export const PENTIUM_2002_NAPI_HOWTO: CostProfile = {
  name: 'pentium-2002-napi-howto',
  description:
    'Machine of the NAPI how-to of 2002 with a gigabit e1000: forwarding as one stage, for rx-handler consume',
  frequencyHz: FREQUENCY_HZ,
  stages: {
    ...SLOWER,
    hardirq: {
      cycles: 5_300 - AROUND_HANDLER,
      source: `${HOWTO}: 512-byte row, 1,000,000 / 241,292 = 4.1 packets per interrupt; packets come every 4,298 ns and take 2,744.8, so four per interrupt need between 4,659 and 6,212 of fixed cost; 1024-byte row, mostly one packet per interrupt at one every 8,399: at most 5,654; 5,300 taken, less waking, delivery, softirq and poll around it`,
    },
    gro_receive: { cycles: 1, source: 'estimate: the kernel of 2002 had no GRO, one more call' },
    netif_receive_skb: {
      cycles: 2_744.8 - AROUND_STACK,
      source: `${HOWTO}: 60-byte row, 409,362 of 1,000,000 at 890,000 per second = 364,332 per second = 2,744.8 ns, less driver, poll and freeing`,
    },
  },
  netfilter: scaledNetfilter(
    XEON_E5_1650_V4.netfilter,
    (FREQUENCY_HZ / XEON_E5_1650_V4.frequencyHz) * TIME_RATIO,
    NO_FIGURE,
  ),
  latency: {
    irqDeliveryPs: IRQ_DELIVERY_NS * 1000,
    ipiPs: 1_500_000,
    nicCommandPs: 47_000_000,
    lineSmtPs: 20_000,
    lineLlcPs: 150_000,
    lineNodePs: 290_000,
    lineRemotePs: 490_000,
    source: `irqDelivery: estimate, PCI level interrupt through the I/O APIC; the rest ${NO_FIGURE}`,
  },
  coldPacket: { sameNodeCycles: 150, otherNodeCycles: 980, source: 'estimate: one line at lineLlc, two at lineRemote' },
  smtSlowdown: { factor: 1, source: 'no second thread in a core then' },
  coldPoll: { cycles: COLD_POLL_NS, source: 'estimate: part of the fixed cost of an interrupt, see hardirq' },
  cstates: [
    {
      name: 'C1',
      exitLatencyNs: HALT_EXIT_NS,
      targetResidencyNs: HALT_EXIT_NS,
      source: 'estimate: HLT, part of the fixed cost of an interrupt, see hardirq',
    },
  ],
  calibratedOn: [
    'NAPI how-to 2002, 60 bytes: 409,362 of 1 M packets at 890 kpps',
    'NAPI how-to 2002, 512 bytes: 241,292 receive interrupts',
    'NAPI how-to 2002, 1024 bytes: 872,519 receive interrupts, as an upper bound',
  ],
}
