/** Seeds that once found a fault, and the fault. */
export const FOUND_SEEDS: readonly (readonly [number, string])[] = [
  [2, 'a CPU that ran out of work at a horizon never went idle and kept its tick'],
  [5, 'a masked lane stayed full behind an interrupt that waited for the wire'],
  [8, 'a ring was refilled with what the wire had not decided yet'],
  [13, 'a CPU ran ahead of what an idle one, woken by the wire, still sent it'],
  [14, 'time beyond the end was taken from one stage of several'],
  [17, 'a packet dropped at the backlog of an idle CPU was charged to idle time'],
  [21, 'a CPU ran on past the wake-up it had sent to another of its partition'],
  [26, 'queues of shared vectors were taken as consecutive: one queue was never polled'],
  [29, 'the CPU of a NAPI thread had no mailbox to the readers'],
  [58, 'two tasks busy polled one instance at the same time'],
  [59, 'a task with several CPUs had no mailbox from those it moved to'],
  [60, 'a wire waited for room in its lane at the end of the run'],
  [65, 'two CPUs wrote into the flow-limit table of the CPU that steers to them'],
  [100, 'a frame without room held up the timers behind it, and the wire said it could go on'],
  [258, 'in rounds, a CPU ran ahead of what a wire made of a reply it had not taken in yet'],
  [441, 'a frame with a bad version was steered to a CPU without a mailbox, and lost'],
  [1036, 'whether any CPU limits flows was read from rows that are nobody’s, where other columns lie'],
  [1045, 'an old driver never freed what its card had sent, and was interrupted for it for ever'],
  [1091, 'the step in which a CPU of an SMT pair started its tick ran past it'],
  [1133, 'the step in which a CPU started its tick ran past it, up to the horizon'],
]

/** Seeds of networks that once found a fault, and the fault. */
export const FOUND_NETWORK_SEEDS: readonly (readonly [number, string])[] = [
  [
    705,
    'the interrupt of an old driver, while it waited, held up what another CPU had sent: it left before it was due',
  ],
]

/** Seeds of scenarios with events that once found a fault, and the fault. */
export const FOUND_EVENT_SEEDS: readonly (readonly [number, string])[] = [
  [604, 'the median, the whole ns of a bucket, was told a fraction of a ns below the least latency'],
]
