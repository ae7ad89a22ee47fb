import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NetDev } from '../nic/components.js'
import { ndoStop } from '../nic/ndo-stop.js'
import { TxQueue } from '../nic/tx-components.js'
import { txTimeout } from '../nic/tx-timeout.js'
import { NUMBERS } from '../numbers.js'
import { qdiscRun } from '../qdisc/qdisc-run.js'
import { changeSetting } from './change-setting.js'
import { ACTION, HostEvent, LinkDev, LinkWatch, LOG } from './components.js'
import { type DevLearn, devLearn } from './dev-learn.js'
import { devOpen } from './dev-open.js'
import { hasEvents, hasStalls } from './fill-link.js'
import { linkWatch } from './link-watch.js'
import { netdevNotify } from './netdev-notify.js'
import { setCoalesce } from './set-coalesce.js'

/** What happens to hosts during a run. */
export interface HostEvents {
  /** Puts all of it on the event lists of the CPUs that handle it; at time 0. */
  schedule(): void
  /** Row `row` of `HostEvent` happens. */
  happen(cpu: number, row: number): void
  /** A CPU does its part of the command of row `row`. */
  obey(cpu: number, row: number): void
  /** A close that had to wait looks again. */
  retryClose(cpu: number, dev: number): void
  /** The driver of a device that was opened looks at its link. */
  check(cpu: number, dev: number): void
  /** The watchdog over a CPU's transmit queues of a device runs out. */
  watchdog(cpu: number, dev: number, sequence: number): void
  /** The work of linkwatch. */
  watch(cpu: number, sequence: number): void
  /** A CPU learns what has become of a device. */
  readonly learn: DevLearn
}

/** Entries of the log by `ACTION`. */
const COMMAND_LOG: Readonly<Record<number, number>> = {
  [ACTION.coalesce]: LOG.coalesce,
  [ACTION.stall]: LOG.stall,
  [ACTION.features]: LOG.features,
  [ACTION.rings]: LOG.rings,
  [ACTION.qdisc]: LOG.qdisc,
  [ACTION.sysctl]: LOG.sysctl,
  [ACTION.mask]: LOG.mask,
}

/**
 * Events of the scenario, on the first CPU of their host: commands are typed there, and the card's interrupt for a change
 * of its link comes there. Null where nothing happens. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_msix_other
 */
export const hostEvents = defineSystem<HostEvents | null>(
  'host_events',
  'link',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_watchdog_link_is_down',
  (context) => {
    const { DEV, EVENT, VIA } = NUMBERS

    const { plan, cpusOfHost, firstDevice } = context.resource(PLAN_CONSTANTS)
    if (!hasEvents(plan)) return null
    const rows = context.read(HostEvent)
    const { host, firstTx, txCount, txStep } = context.read(NetDev)
    const { cpu: queueCpu, stalled } = context.write(TxQueue)
    const { clockPs, host: hostOf } = context.read(Cpu)
    const { cpu: controlCpu } = context.read(LinkWatch)
    const { irqDeliveryPs } = context.resource(COST_LATENCY)
    const events = context.system(eventList)
    const post = context.system(mail)
    const notify = context.system(netdevNotify)
    const coalesce = context.system(setCoalesce)
    const setting = context.system(changeSetting)
    const opener = context.system(devOpen)
    const hangs = hasStalls(plan) ? context.system(txTimeout) : null
    const disciplines = context.system(qdiscRun)
    const driver = context.system(ndoStop)
    const { unplugged, bits } = context.write(LinkDev)
    const watcher = context.system(linkWatch)
    const learn = context.system(devLearn)
    /** The transmit unit of a queue of this CPU stops fetching descriptors. */
    function stall(cpu: number, row: number): void {
      const dev = rows.dev[row]
      const queue = firstTx[dev] + rows.queue[row] * txStep[dev]
      if (rows.queue[row] < txCount[dev] && queueCpu[queue] === cpu) stalled[queue] = 1
    }

    function obey(cpu: number, row: number): void {
      const action = rows.action[row]
      if (action === ACTION.stall) stall(cpu, row)
      else if (action === ACTION.coalesce) coalesce(cpu, row)
      else if (action === ACTION.rings) setting.rings(cpu, row)
      else if (action === ACTION.qdisc) setting.qdisc(cpu, row)
      else if (action === ACTION.sysctl) setting.sysctl(cpu, row)
      else if (action === ACTION.mask) setting.mask(cpu, row)
    }

    /** A driver that closes its rings for a moment loses its link, and finds it again. Kernel: ixgbe_down, ixgbe_up */
    function resized(cpu: number, dev: number): void {
      if ((bits[dev] & DEV.down) !== 0) return
      watcher.carrier(cpu, dev, false)
      events.push(cpu, cpu, clockPs[cpu] + irqDeliveryPs, EVENT.linkCheck, dev, 0, 0)
    }

    /** A driver writes the registers of every vector, wherever its interrupt goes. Kernel: ixgbe_set_coalesce */
    function command(cpu: number, row: number): void {
      notify.log(cpu, rows.dev[row], COMMAND_LOG[rows.action[row]])
      if (rows.action[row] === ACTION.features) {
        setting.features(row)
        return
      }
      if (rows.action[row] === ACTION.rings) resized(cpu, rows.dev[row])
      obey(cpu, row)
      for (const to of cpusOfHost[hostOf[cpu]]) {
        if (to !== cpu) post.note(cpu, to, VIA.ipi, EVENT.hostCommand, row, 0, 0)
      }
    }

    /** The next event of a host behind row `after` goes on the list: one at a time, however many there are. */
    function push(index: number, after: number): void {
      const cpu = controlCpu[index + 1]
      for (let row = after + 1; row < rows.dev.length; row++) {
        if (rows.host[row] !== index) continue
        // The interrupt of a link takes its time to come.
        const duePs = rows.atPs[row] + (rows.action[row] === ACTION.cable ? irqDeliveryPs : 0)
        events.push(cpu, cpu, Math.max(duePs, clockPs[cpu]), EVENT.hostEvent, row, 0, 0)
        return
      }
    }

    return {
      schedule() {
        plan.hosts.forEach((_, index) => {
          push(index, 0)
          if (hangs === null) return
          for (const cpu of cpusOfHost[index]) {
            for (let dev = firstDevice; dev < host.length; dev++) if (host[dev] === index) hangs.start(cpu, dev)
          }
        })
      },
      happen(cpu, row) {
        push(rows.host[row], row)
        const dev = rows.dev[row]
        if (rows.action[row] === ACTION.cable) {
          unplugged[dev] = rows.up[row] === 0 ? 1 : 0
          opener.check(cpu, dev)
        } else if (rows.action[row] !== ACTION.link) command(cpu, row)
        else if (rows.up[row] !== 0) opener.open(cpu, dev)
        else opener.close(cpu, dev)
      },
      obey,
      watchdog(cpu, dev, sequence) {
        const queue = hangs?.expire(cpu, dev, sequence) ?? 0
        if (queue !== 0) disciplines.schedule(cpu, queue)
      },
      retryClose: driver.retry,
      check: opener.check,
      watch: watcher.work,
      learn,
    }
  },
)
