import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { LinkDev, LinkLog, LinkWatch, LOG, LOG_ROWS } from './components.js'
import { devLearn } from './dev-learn.js'

/** Telling the CPUs of a host what has become of a device. */
export interface NetdevNotify {
  /** Sets the bits of a device and tells every CPU, with the event its notifiers run for (`NETDEV`). */
  tell(cpu: number, dev: number, bits: number, event: number): void
  /** Gives a device its disciplines back, or noop. Kernel: net/sched/sch_generic.c, dev_activate, dev_deactivate */
  activate(cpu: number, dev: number, isActive: boolean): void
  /** Makes an entry of the host's log, one of `LOG`. */
  log(cpu: number, dev: number, what: number): void
}

/**
 * The CPU that handles events tells the others by an inter-processor interrupt's time: that is when the grace period it
 * waits for lets it go on. Kernel: net/core/dev.c, call_netdevice_notifiers, synchronize_net
 */
export const netdevNotify = defineSystem<NetdevNotify>(
  'call_netdevice_notifiers',
  'link',
  'net/core/dev.c, call_netdevice_notifiers',
  (context) => {
    const { DEV, EVENT, NETDEV, VIA } = NUMBERS

    const { bits: devBits } = context.write(LinkDev)
    const { logged } = context.write(LinkWatch)
    const log = context.write(LinkLog)
    const { clockPs, host } = context.read(Cpu)
    const { cpusOfHost } = context.resource(PLAN_CONSTANTS)
    const trace = context.resource(TRACE_SINK)
    const post = context.system(mail)
    const learn = context.system(devLearn)

    function tell(cpu: number, dev: number, bits: number, event: number): void {
      if (bits === devBits[dev] && event === NETDEV.none) return
      devBits[dev] = bits
      learn(cpu, dev, bits, event)
      const cpus = cpusOfHost[host[cpu]]
      for (let i = 0; i < cpus.length; i++) {
        if (cpus[i] !== cpu) post.note(cpu, cpus[i], VIA.ipi, EVENT.netdev, dev, bits, event)
      }
    }

    function note(cpu: number, dev: number, what: number): void {
      if (trace.on) trace.linkEvent(cpu, clockPs[cpu], dev, what)
      const at = host[cpu]
      const entry = logged[at + 1]
      logged[at + 1]++
      if (entry >= LOG_ROWS) return
      const row = at * LOG_ROWS + entry + 1
      log.timePs[row] = clockPs[cpu]
      log.dev[row] = dev
      log.what[row] = what
    }

    return {
      tell,
      log: note,
      activate(cpu, dev, isActive) {
        if (isActive === ((devBits[dev] & DEV.inactive) === 0)) return
        note(cpu, dev, isActive ? LOG.activate : LOG.deactivate)
        tell(cpu, dev, isActive ? devBits[dev] & ~DEV.inactive : devBits[dev] | DEV.inactive, NETDEV.none)
      },
    }
  },
)
