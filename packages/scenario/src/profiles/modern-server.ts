import { type CostProfile, STAGES, type StageCost, type StageName } from '../stages.js'
import { scaledNetfilter } from './netfilter-scaled.js'
import { type StageCosts, scaledCost } from './stage-cost.js'
import { XEON_E5_1650_V4 } from './xeon-e5-1650-v4.js'

const GHZ = 3.27
const E5_GHZ = 3.8

/**
 * Cycles here per cycle of the E5-1650 v4.
 *
 * Six primitives (time_bench, EPYC 9684X without the SRSO mitigation against E5-1650 v4): spin lock pair 6.0 / 10.4,
 * atomic increment 1.7 / 4.8, page_pool fast 3.8 / 5.4, over a ptr_ring 10.5 / 15.1, slow 30.6 / 66.1, indirect call
 * 1.36 / 1.25: geometric mean 0.608 in time, × 3.7 / 3.8 GHz = 0.592 in cycles. A core two generations older
 * (EPYC 7662) does 1 / (1.19 × 1.135) of its instructions per cycle: × 1.35 = 0.80.
 */
const CYCLE_RATIO = 0.8

const REASON = `derived: E5-1650 v4 × ${CYCLE_RATIO} cycles, geometric mean of six primitives on an EPYC 9684X without SRSO mitigation (0.592) × 1.35 for the older core (vendor's figures for instructions per cycle, general knowledge)`

const OWN: Partial<Record<StageName, StageCost>> = {
  syscall: {
    cycles: 41.85 * E5_GHZ * CYCLE_RATIO,
    source: `derived: 41.85 ns of a plain system call without audit (LWN 629155, recalled) at ${E5_GHZ} GHz × ${CYCLE_RATIO}; mitigations are off on this machine`,
  },
  remote_skb: {
    cycles: 3 * 25.4 * GHZ,
    source: 'derived: three lines × 25.4 ns, measured between two cores of one last-level cache on an EPYC 9004',
  },
  spin: { cycles: 1, source: 'unit: one cycle of computing' },
}

function stages(): StageCosts {
  const all: Partial<Record<StageName, StageCost>> = {}
  for (const name of STAGES) all[name] = OWN[name] ?? scaledCost(XEON_E5_1650_V4.stages, name, CYCLE_RATIO, REASON)
  return all as StageCosts
}

/** A current server core, anchored on the EPYC 7662 of the interrupt-suspension measurements of 2024. */
export const MODERN_SERVER: CostProfile = {
  name: 'modern-server',
  description:
    'A server core of the EPYC 7662 class at 3.27 GHz, mitigations off: E5-1650 v4 stages scaled by measured primitives, not fitted on packet rates of its own',
  frequencyHz: 3_270_000_000,
  stages: stages(),
  netfilter: scaledNetfilter(XEON_E5_1650_V4.netfilter, CYCLE_RATIO, REASON),
  latency: {
    irqDeliveryPs: 300_000,
    ipiPs: 400_000,
    nicCommandPs: 47_000_000,
    lineSmtPs: 4_300,
    lineLlcPs: 25_400,
    lineNodePs: 80_000,
    lineRemotePs: 200_000,
    source:
      'lineLlc: measured on an EPYC 9004, two threads handing a line to and fro 50.9 ns / 2; lineSmt: L2 of LWN 629155; nicCommand: that of xeon-e5-1650-v4; irqDelivery, ipi, lineNode (another core complex of the node) and lineRemote: estimate',
  },
  coldPacket: {
    sameNodeCycles: 80 * GHZ,
    otherNodeCycles: 200 * GHZ,
    source:
      'estimate: this family writes received packets to memory, not into a cache: one line at lineNode, or at lineRemote',
  },
  smtSlowdown: {
    factor: 1.776,
    source:
      'estimate: 355.2k / 200k packets per second of Majkowski 2015, see xeon-e5-1650-v4; the anchor ran without SMT',
  },
  coldPoll: {
    cycles: XEON_E5_1650_V4.coldPoll.cycles * CYCLE_RATIO,
    source: `${REASON}. memcached at 400,000 queries per second (Damato and Karsten 2024) pays 10.7 % × 8 CPUs / 103,000 = 8.3 µs per interrupt all in, with the application's own cold caches and lost batching, which this leaves out`,
  },
  cstates: [
    {
      name: 'C1',
      exitLatencyNs: 1_000,
      targetResidencyNs: 2_000,
      source: 'general knowledge: ACPI table of EPYC servers',
    },
    {
      name: 'C2',
      exitLatencyNs: 400_000,
      targetResidencyNs: 800_000,
      source: 'general knowledge: ACPI table of EPYC servers',
    },
  ],
  calibratedOn: [
    'frequency: memcached in base mode, cycles per second at full load / 8 CPUs (Damato and Karsten 2024)',
    'ratio of cycles: time_bench primitives of EPYC 9684X against E5-1650 v4',
    ...XEON_E5_1650_V4.calibratedOn.map((row) => `through xeon-e5-1650-v4: ${row}`),
  ],
}
