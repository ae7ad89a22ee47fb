import type { SocketPlan, SysctlPlan } from '@softnet/scenario/plan'

const SOCK_MIN_RCVBUF = 2304

/** SO_RCVBUF as the kernel stores it: doubled, bounded below, limited by rmem_max unless forced. Kernel: net/core/sock.c, sock_setsockopt */
export function socketRcvbuf(socket: SocketPlan, sysctl: SysctlPlan): number {
  if (socket.soRcvbuf === 0) return sysctl['net.core.rmem_default']
  const value = socket.soRcvbufForce ? socket.soRcvbuf : Math.min(socket.soRcvbuf, sysctl['net.core.rmem_max'])
  return Math.max(2 * value, SOCK_MIN_RCVBUF)
}
