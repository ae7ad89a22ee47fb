import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NetDev } from '../nic/components.js'
import { Sock } from '../sock/components.js'
import { Task } from '../task/components.js'

/** Tells the IP layer which namespace a CPU works for. With one namespace per host nothing needs to be told. */
export interface DevNet {
  /** False: every host has but the one it starts in. */
  readonly several: boolean
  /** The packet or timer at hand belongs to a device. Kernel: include/linux/netdevice.h, dev_net */
  ofDevice(cpu: number, dev: number): void
  /** A system call of a task. Kernel: current->nsproxy->net_ns */
  ofTask(cpu: number, task: number): void
  /** Something is done for a socket. Kernel: include/net/sock.h, sock_net */
  ofSocket(cpu: number, sock: number): void
  /** A namespace by its number. */
  of(cpu: number, net: number): void
}

/** Whoever begins to do something for a device, a task or a socket says so here. */
export const devNet = defineSystem<DevNet>('dev_net', 'netif', 'include/linux/netdevice.h, dev_net', (context) => {
  const { plan, nets } = context.resource(PLAN_CONSTANTS)
  const none = () => {}
  if (nets === undefined || nets.length === plan.hosts.length)
    return { several: false, ofDevice: none, ofTask: none, ofSocket: none, of: none }
  const { net } = context.write(Cpu)
  const { net: devNets } = context.read(NetDev)
  const { net: taskNets } = context.read(Task)
  const { host: sockNets } = context.read(Sock)
  return {
    several: true,
    ofDevice(cpu, dev) {
      if (dev !== 0) net[cpu] = devNets[dev]
    },
    ofTask(cpu, task) {
      net[cpu] = taskNets[task]
    },
    ofSocket(cpu, sock) {
      net[cpu] = sockNets[sock]
    },
    of(cpu, at) {
      net[cpu] = at
    },
  }
})
