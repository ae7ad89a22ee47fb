/** What netfilter costs on Linux 6.18, measured rule by rule. */
import type { NetfilterCost, NetfilterCosts } from '../netfilter-costs.js'

/** See `vm-linux-6.18.ts`: times of the second guest are multiplied by this, at this clock. */
const SECOND_GUEST = 0.52
const GHZ = 2.6

const METHOD =
  'packets of 46 B written to a TUN device, best twentieth of 300 × 400 writes, rules at hook prerouting that do not match; time per added rule'

const MEASURED: Readonly<Record<NetfilterCost, readonly [ns: number, how: string]>> = {
  rule: [1, 'part of ip saddr 4.2: rule, payload 2.2, cmp 1.0'],
  payload: [2.2, 'ip saddr 4.2 per rule; udp dport 15.5 - meta l4proto 11.7 = 3.8 with its cmp'],
  payload_byte: [5.5, 'ip protocol 7.6; eight ip ttl in a rule 60.0 / 8 = 7.5'],
  payload_slow: [26.2, 'ip saddr /24, three bytes: 28.4 per rule'],
  meta: [
    9.4,
    'sixteen meta mark in a rule 154.0 - eight 79.1 = 74.9 / 8, with cmp; tcp dport on UDP 11.7; ct state 12.7',
  ],
  meta_ifname: [30.5, 'iifname 32.5 per rule'],
  byteorder: [12, 'meta length > 2000: 40.3 - meta 9.4 - cmp_slow 18 - rule 1'],
  cmp: [1, 'see rule and payload'],
  cmp_slow: [18, 'udp dport range below 33.3, above 49.6 per rule, - 14.2 up to the register: 19.1 and 16.3'],
  bitwise: [1.1, 'ip saddr /20 5.3 - ip saddr 4.2'],
  range: [23, 'udp dport != range 37.3 - 14.2'],
  lookup_bitmap: [32, 'udp dport { a, b } 46.4 - 14.2'],
  lookup_hash: [44, 'ip saddr @set of 100 and of 10,000: 47.5 - 3.2; udp dport vmap 63.0 - 14.2 = 48.9'],
  lookup_hash_name: [54, 'iifname { a, b } 85.4 - 31.5'],
  lookup_rbtree: [56, 'ip saddr @set of 2, 16, 100, 1000, 10,000 ranges: 98.9, 151.1, 202.8, 279.8, 388.0 per rule'],
  lookup_rbtree_level: [20, 'same rows: two nodes per range, 17 to 33 ns per level'],
  counter: [8.8, 'counter 9.8 per rule'],
  limit: [72.4, 'limit rate 73.4 per rule'],
  immediate: [10, 'jump to an empty chain 15.8 - rule 1 - jump 4.8; meta mark set 31.1 - rule 1 - set 20'],
  jump: [4.8, 'see immediate'],
  return: [12.3, 'chain with return 28.2 - empty chain 15.8'],
  set: [20, 'see immediate'],
  conntrack_new: [
    485,
    'ct state new, every packet of a new flow 2508.2 - of one flow 2001.9, less 20.5 that the same two differ without tracking',
  ],
  nat_setup: [
    256,
    'chain of type nat without rules, new flows: 3079.8 - 2500.5 = 579.3, - 67.4 for one flow, / 2 hooks',
  ],
  nat_manip: [99, 'dnat of one flow 2153.8 - the chain without rules 2054.5'],
  reject: [
    1037,
    'reject 2368.8 per packet - drop 1331.4, at hook input; route looked up, answer mostly forbidden by the limit',
  ],
}

/** Costs on the machine of `vm-linux-6.18`. */
export const NETFILTER_VM: NetfilterCosts = Object.fromEntries(
  Object.entries(MEASURED).map(([name, [ns, how]]) => [
    name,
    {
      cycles: ns * SECOND_GUEST * GHZ,
      source: `${ns} ns on a second guest of the same kernel (2 CPUs, EPYC 9004, nested) × ${SECOND_GUEST} × ${GHZ} GHz: ${METHOD}: ${how}`,
    },
  ]),
) as unknown as NetfilterCosts
