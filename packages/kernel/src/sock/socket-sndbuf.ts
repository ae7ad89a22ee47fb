import type { SocketPlan, SysctlPlan } from '@softnet/scenario/plan'

/** The least a send buffer is. Kernel: include/net/sock.h, SOCK_MIN_SNDBUF */
const SOCK_MIN_SNDBUF = 4608

/** Send buffer of a socket, bytes. Kernel: net/core/sock.c, sk_setsockopt (SO_SNDBUF) */
export function socketSndbuf(plan: Pick<SocketPlan, 'soSndbuf'>, sysctl: SysctlPlan): number {
  const asked = plan.soSndbuf ?? 0
  if (asked === 0) return sysctl['net.core.wmem_default']
  return Math.max(2 * Math.min(asked, sysctl['net.core.wmem_max']), SOCK_MIN_SNDBUF)
}
