import type { World } from '@softnet/ecs'
import type { HostPlan } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'
import { FragBucket, FragDir, FragPeer, FragPeerBucket, FragQueue, FragTimer } from './components.js'

/** `sizeof(struct ipq)`, bytes. Kernel: net/ipv4/ip_fragment.c (/proc/slabinfo, ip4-frags) */
export const IPQ_BYTES = 200
/** Smallest truesize of a received fragment, bytes. */
const SMALLEST_TRUESIZE_BYTES = 768

/** Rows of one host in the tables of reassembly. */
export interface FragRows {
  /** First row and number of rows of `FragQueue` and of `FragPeer`. */
  readonly first: number
  readonly count: number
  /** First row of the buckets, and their number minus one. */
  readonly firstBucket: number
  readonly bucketMask: number
}

/** Fragments that `ipfrag_high_thresh` lets a host hold: one more than fit, since the limit is looked at before. */
export function heldFragments(highThreshBytes: number): number {
  return Math.floor(highThreshBytes / SMALLEST_TRUESIZE_BYTES) + 2
}

/** Where the rows of each host lie: a queue holds at least one fragment, and a fragment is a packet row. */
export function fragRows(hosts: readonly Pick<HostPlan, 'sysctl'>[], packetRows: number): FragRows[] {
  let first = 1
  let firstBucket = 0
  return hosts.map(({ sysctl }) => {
    const high = sysctl['net.ipv4.ipfrag_high_thresh']
    const count = Math.max(1, Math.min(Math.ceil(high / (IPQ_BYTES + SMALLEST_TRUESIZE_BYTES)) + 2, packetRows))
    let buckets = 1
    while (buckets < count) buckets *= 2
    const rows = { first, count, firstBucket, bucketMask: buckets - 1 }
    first += count
    firstBucket += buckets
    return rows
  })
}

/** Declares the tables of reassembly; `packetRows` is how many packets can exist. */
export function declareDefrag(world: World, layout: Layout, packetRows: number): void {
  const rows = fragRows(
    layout.nets.map(({ plan }) => plan),
    packetRows,
  )
  const queues = rows.reduce((sum, { count }) => sum + count, 0)
  const buckets = rows.reduce((sum, { bucketMask }) => sum + bucketMask + 1, 0)
  world.pool(FragDir, layout.nets.length)
  world.pool(FragQueue, queues, 'live')
  world.pool(FragPeer, queues, 'users')
  world.pool(FragBucket, buckets)
  world.pool(FragPeerBucket, buckets)
  world.pool(FragTimer, layout.cpuRows - 1)
}

/** Links the free rows of each host. */
export function fillDefrag(world: World, layout: Layout, packetRows: number): void {
  const dir = world.columns(FragDir)
  const { hashNext: nextQueue } = world.columns(FragQueue)
  const { hashNext: nextPeer } = world.columns(FragPeer)
  fragRows(
    layout.nets.map(({ plan }) => plan),
    packetRows,
  ).forEach(({ first, count }, host) => {
    for (let row = first; row < first + count - 1; row++) {
      nextQueue[row] = row + 1
      nextPeer[row] = row + 1
    }
    dir.freeQueue[host + 1] = first
    dir.freePeer[host + 1] = first
  })
}
