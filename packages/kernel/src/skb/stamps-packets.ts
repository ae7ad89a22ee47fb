import type { Plan } from '@softnet/scenario/plan'

/**
 * Whether any of the hosts stamps what it receives: one socket with SO_TIMESTAMP is enough for its whole host. Kernel:
 * net/core/dev.c, netstamp_needed_key
 */
export function stampsPackets(hosts: Plan['hosts']): boolean {
  return hosts.some((host) => host.apps.some((app) => app.sockets.some((socket) => socket.soTimestamp)))
}
