import { defineSystem } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { Dql } from '../nic/tx-components.js'

/** Byte queue limits of transmit queues. */
export interface DynamicQueueLimits {
  /** Bytes were given to the card. */
  queued(queue: number, bytes: number): void
  /** Bytes the queue may still give, below 0 when it has given too many. */
  avail(queue: number): number
  /** The card is done with bytes: the limit learns. */
  completed(cpu: number, queue: number, bytes: number): void
  /** The device is opened: nothing is with the card, and nothing has been learnt. Kernel: dql_reset */
  reset(cpu: number, queue: number): void
}

/** A slack that lasted as long is taken off the limit. Kernel: include/linux/dynamic_queue_limits.h, dql_init (HZ) */
const HOLD_PS = 1e12
const LIMIT_MAX = 0x7fffffff - 0x0fffffff

/** a − b as the kernel's POSDIFF of unsigned counters: 0 where it is negative. */
function posdiff(a: number, b: number): number {
  const difference = (a - b) | 0
  return difference > 0 ? difference : 0
}

/** As many bytes at the card as keep it busy, and few more. Kernel: lib/dynamic_queue_limits.c, dql_completed */
export const dynamicQueueLimits = defineSystem<DynamicQueueLimits>(
  'dql_completed',
  'qdisc',
  'lib/dynamic_queue_limits.c, dql_completed',
  (context) => {
    const d = context.write(Dql)
    const { limit, numQueued, numCompleted, adjLimit, lastObjCnt, lowestSlack, slackStartPs } = d
    const { prevNumQueued, prevOvlimit, prevLastObjCnt } = d
    const { clockPs } = context.read(Cpu)
    return {
      reset(cpu, q) {
        limit[q] = 0
        numQueued[q] = 0
        numCompleted[q] = 0
        adjLimit[q] = 0
        lastObjCnt[q] = 0
        prevNumQueued[q] = 0
        prevOvlimit[q] = 0
        prevLastObjCnt[q] = 0
        lowestSlack[q] = 0xffffffff
        slackStartPs[q] = clockPs[cpu]
      },
      queued(q, bytes) {
        lastObjCnt[q] = bytes
        numQueued[q] += bytes
      },
      avail: (q) => (adjLimit[q] - numQueued[q]) | 0,
      completed(cpu, q, bytes) {
        const now = clockPs[cpu]
        const queued = numQueued[q]
        const done = (numCompleted[q] + bytes) >>> 0
        let allowed = limit[q]
        let ovlimit = posdiff((queued - numCompleted[q]) >>> 0, allowed)
        const inProgress = (queued - done) >>> 0
        const prevInProgress = (prevNumQueued[q] - numCompleted[q]) >>> 0
        const isAllPrev = ((done - prevNumQueued[q]) | 0) >= 0
        if ((ovlimit !== 0 && inProgress === 0) || (prevOvlimit[q] !== 0 && isAllPrev)) {
          allowed += posdiff(done, prevNumQueued[q]) + prevOvlimit[q]
          slackStartPs[q] = now
          lowestSlack[q] = 0xffffffff
        } else if (inProgress !== 0 && prevInProgress !== 0 && !isAllPrev) {
          const slack = posdiff(allowed + prevOvlimit[q], 2 * ((done - numCompleted[q]) >>> 0))
          const slackLast = prevOvlimit[q] !== 0 ? posdiff(prevLastObjCnt[q], prevOvlimit[q]) : 0
          const most = slack > slackLast ? slack : slackLast
          if (most < lowestSlack[q]) lowestSlack[q] = most
          if (now > slackStartPs[q] + HOLD_PS) {
            allowed = posdiff(allowed, lowestSlack[q])
            slackStartPs[q] = now
            lowestSlack[q] = 0xffffffff
          }
        }
        if (allowed > LIMIT_MAX) allowed = LIMIT_MAX
        if (allowed !== limit[q]) {
          limit[q] = allowed
          ovlimit = 0
        }
        adjLimit[q] = allowed + done
        prevOvlimit[q] = ovlimit
        prevLastObjCnt[q] = lastObjCnt[q]
        numCompleted[q] = done
        prevNumQueued[q] = queued
      },
    }
  },
)
