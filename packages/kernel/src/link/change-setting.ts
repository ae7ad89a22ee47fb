import { defineSystem } from '@softnet/ecs'
import { LIVE_SYSCTLS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { NetDev, RxQueue } from '../nic/components.js'
import { ndoStop } from '../nic/ndo-stop.js'
import { NUMBERS } from '../numbers.js'
import { qdiscGraft } from '../qdisc/qdisc-graft.js'
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
    const { features, index } = context.write(NetDev)
    const { dev: queueDev, cpu: queueCpu, ringSize } = context.write(RxQueue)
    const { bits: views } = context.read(DevView)
    const { plan, cpuRows, jiffyPs } = context.resource(PLAN_CONSTANTS)
    const settings = changesSettings(plan) ? context.write(CpuSetting) : null
    const driver = context.system(ndoStop)
    const graft = context.system(qdiscGraft)

    return {
      features(row) {
        const dev = rows.dev[row]
        features[dev] = (features[dev] | rows.on[row]) & ~rows.off[row]
      },
      rings(cpu, row) {
        const dev = rows.dev[row]
        const isUp = (views[index[dev] * cpuRows + cpu] & DEV.down) === 0
        if (isUp) driver.stop(cpu, dev)
        for (let queue = 1; queue < queueDev.length; queue++) {
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
