import { type HostPlan, KERNEL_VERSIONS, type KernelVersion } from '@softnet/scenario/plan'
import { socketRcvbuf } from './socket-rcvbuf.js'

/** Bytes of a page, the unit of udp_mem. */
export const PAGE_BYTES = 4096
/** Pages a CPU keeps to itself before it moves the total. Kernel: include/net/proto_memory.h, SK_MEMORY_PCPU_RESERVE */
export const PCPU_RESERVE_PAGES = 256

/** Segments of the largest datagram UDP GRO makes. */
const GRO_SEGMENTS = 64
/** What stays in sk_forward_alloc, and what a page is not full with. */
const SLACK_PAGES = 2

/** More than the truesize of any frame: heads are powers of two, and larger than the frame in them. */
function frameTruesizeBytes(host: HostPlan): number {
  return 4 * Math.max(...host.devices.map((device) => device.mtu), 0) + 16_384
}

/**
 * Whether the UDP sockets of a host can ever hold more than `udp_mem[0]` pages together. Up to there Linux grants every
 * page, so a host that cannot is run without accounting, and nothing of the run differs.
 */
export function udpMemoryCanBind(host: HostPlan, kernel: KernelVersion): boolean {
  const frameBytes = frameTruesizeBytes(host)
  let pages = KERNEL_VERSIONS[kernel].udpMemPerCpu ? PCPU_RESERVE_PAGES * host.cpus.length : 0
  for (const app of host.apps) {
    for (const socket of app.sockets) {
      const truesizeBytes = socket.udpGro ? frameBytes * GRO_SEGMENTS : frameBytes
      pages += Math.ceil((socketRcvbuf(socket, host.sysctl) + truesizeBytes) / PAGE_BYTES) + SLACK_PAGES
    }
  }
  return pages > host.sysctl['net.ipv4.udp_mem'][0]
}
