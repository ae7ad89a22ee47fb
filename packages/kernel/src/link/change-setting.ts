import { defineSystem } from '@softnet/ecs'
import { LIVE_SYSCTLS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NetDev, RxQueue } from '../nic/components.js'
import { ndoStop } from '../nic/ndo-stop.js'
import { TxQueue, XpsMap, XpsSlot } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { qdiscGraft } from '../qdisc/qdisc-graft.js'
import { RpsMapSlot } from '../softnet/components.js'
import { CpuSetting, settingOf } from '../softnet/live-settings.js'
import { DevView, HostEvent } from './components.js'
import { changesSettings } from './most-of-run.js'

/** What commands change besides moderation. */
export interface ChangeSetting {
  /** `ethtool -K`. Kernel: net/core/dev.c, __netdev_update_features */
  features(row: number): void
  /** `ethtool -G`: the rings that are this CPU's, of a device that is closed for it. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_ethtool.c, ixgbe_set_ringparam */
  rings(cpu: number, row: number): void
  /** `tc qdisc replace`. */
  qdisc(cpu: number, row: number): void
  /** A new rps_cpus of a queue of this CPU, or xps_cpus as far as it is about this CPU. Kernel: net/core/net-sysfs.c, store_rps_map; net/core/dev.c, __netif_set_xps_queue */
  mask(cpu: number, row: number): void
  /** `sysctl -w`. Kernel: net/core/sysctl_net_core.c */
  sysctl(cpu: number, row: number): void
}

/** A CPU's part of a command of row `row` of `HostEvent`. */
export const changeSetting = defineSystem<ChangeSetting>(
  'change_setting',
  'link',
  'net/core/dev.c, __netdev_update_features',
  (context) => {
    const { DEV } = NUMBERS
    const rows = context.read(HostEvent)
    const { features, index, firstTx, txCount, txStep } = context.write(NetDev)
    const { dev: queueDev, cpu: queueCpu, index: rxIndex, ringSize, rpsBase, rpsLength } = context.write(RxQueue)
    const { cpu: mapCpu } = context.write(RpsMapSlot)
    const xps = context.write(XpsMap)
    const { queue: xpsQueue } = context.write(XpsSlot)
    const { number: cpuNumber } = context.read(Cpu)
    const { cpuOfNumber, cpuBase } = context.resource(PLAN_CONSTANTS)
    const kept = new Int32Array(context.read(TxQueue).cpu.length)
    const { bits: views } = context.read(DevView)
    const { plan, cpuRows, jiffyPs, idStep } = context.resource(PLAN_CONSTANTS)
    const settings = changesSettings(plan) ? context.write(CpuSetting) : null
    const driver = context.system(ndoStop)
    const graft = context.system(qdiscGraft)

    /** The queues of a CPU stay in the order of their numbers. */
    function setXps(cpu: number, dev: number, queue: number, isOn: boolean): void {
      const at = index[dev] * cpuRows + cpu
      let n = 0
      for (let i = 0; i < txCount[dev]; i++) {
        const each = firstTx[dev] + i * txStep[dev]
        let isIn = false
        for (let slot = 0; slot < xps.count[at]; slot++) if (xpsQueue[xps.base[at] + slot] === each) isIn = true
        if (i === queue ? isOn : isIn) kept[n++] = each
      }
      for (let slot = 0; slot < n; slot++) xpsQueue[xps.base[at] + slot] = kept[slot]
      // VLAN devices send by the same queues.
      const base = xps.base[at]
      for (let each = at; each < xps.base.length && xps.base[each] === base; each += cpuRows) xps.count[each] = n
    }

    return {
      mask(cpu, row) {
        const action = plan.events?.[row - 1]?.action
        if (action?.kind !== 'mask') return
        const dev = rows.dev[row]
        if (action.of === 'xps') {
          if (txCount[dev] > 0) setXps(cpu, dev, action.queue, action.cpus.includes(cpuNumber[cpu]))
          return
        }
        for (let queue = idStep; queue < queueDev.length; queue += idStep) {
          if (queueDev[queue] !== dev || rxIndex[queue] !== action.queue || queueCpu[queue] !== cpu) continue
          for (const [i, number] of action.cpus.entries())
            mapCpu[rpsBase[queue] + i] = cpuOfNumber[cpuBase[cpu] + number]
          rpsLength[queue] = action.cpus.length
        }
      },
      features(row) {
        const dev = rows.dev[row]
        features[dev] = (features[dev] | rows.on[row]) & ~rows.off[row]
      },
      rings(cpu, row) {
        const dev = rows.dev[row]
        const isUp = (views[index[dev] * cpuRows + cpu] & DEV.down) === 0
        if (isUp) driver.stop(cpu, dev)
        for (let queue = idStep; queue < queueDev.length; queue += idStep) {
          if (queueDev[queue] === dev && queueCpu[queue] === cpu) ringSize[queue] = rows.value[row]
        }
        if (isUp) driver.open(cpu, dev)
      },
      qdisc(cpu, row) {
        const action = plan.events?.[row - 1]?.action
        if (action?.kind === 'qdisc') graft(cpu, rows.dev[row], action.qdisc)
      },
      sysctl(cpu, row) {
        if (settings === null) return
        const hz = Math.round(1e12 / jiffyPs[cpu])
        const [column, value] = settingOf(LIVE_SYSCTLS[rows.setting[row]], rows.value[row], hz, plan)
        settings[column][cpu] = value
      },
    }
  },
)
