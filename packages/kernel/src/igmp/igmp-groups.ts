import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { hasGroups, IgmpGroup } from './components.js'

/** Whether a group (signed) is joined on a device entity; 224.0.0.1 is on every one. Kernel: net/ipv4/igmp.c, ip_check_mc_rcu */
export type IpCheckMc = (dev: number, group: number) => boolean

const ALL_HOSTS = 0xe0000001 | 0

/** Groups of devices. Kernel: net/ipv4/igmp.c, ip_check_mc_rcu */
export const ipCheckMc = defineSystem<IpCheckMc>(
  'ip_check_mc',
  'igmp',
  'net/ipv4/igmp.c, ip_check_mc_rcu',
  (context) => {
    if (!hasGroups(context.resource(PLAN_CONSTANTS).plan)) return (_dev, group) => group === ALL_HOSTS
    const { dev: devs, address } = context.read(IgmpGroup)
    return (dev, group) => {
      if (group === ALL_HOSTS) return true
      for (let row = 1; row < devs.length; row++) if (devs[row] === dev && (address[row] | 0) === group) return true
      return false
    }
  },
)
