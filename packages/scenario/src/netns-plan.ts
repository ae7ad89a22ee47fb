import type { HostPlan } from './plan.js'

/** A network namespace: what of its host it has for itself. Kernel: include/net/net_namespace.h, struct net */
export interface NetnsPlan
  extends Pick<
    HostPlan,
    'name' | 'sysctl' | 'ipv4' | 'confAll' | 'taps' | 'rawProtocols' | 'nftables' | 'routes' | 'rules' | 'neighbours'
  > {}
