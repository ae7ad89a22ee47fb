import { type BindContext, defineComponent, f64, type World } from '@softnet/ecs'
import { type HostPlan, KERNEL_VERSIONS, type LiveSysctl, type Plan } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import type { Layout } from '../build/layout.js'
import { changesSettings } from '../link/most-of-run.js'

/** Settings of a CPU's host that `sysctl -w` changes in a run, as the CPU knows them; rows are CPUs. */
export const CpuSetting = defineComponent('cpu_setting', {
  /** netdev_budget; netdev_budget_usecs in jiffies; netdev_max_backlog; gro_normal_batch. */
  budgetPackets: f64,
  budgetJiffies: f64,
  maxBacklog: f64,
  normalBatch: f64,
})

/** A column of `CpuSetting`. */
export type Setting = 'budgetPackets' | 'budgetJiffies' | 'maxBacklog' | 'normalBatch'

/** Column of each setting, and what it holds of a value. usecs_to_jiffies rounds up. Kernel: include/linux/jiffies.h */
const RULES: Readonly<Record<LiveSysctl, readonly [Setting, (value: number, hz: number, plan: Plan) => number]>> = {
  'net.core.netdev_budget': ['budgetPackets', (value) => value],
  'net.core.netdev_budget_usecs': ['budgetJiffies', (value, hz) => Math.ceil((value * hz) / 1_000_000)],
  'net.core.netdev_max_backlog': ['maxBacklog', (value) => value],
  // Without the sysctl of 5.4 packets go up one by one.
  'net.core.gro_normal_batch': [
    'normalBatch',
    (value, _, { kernel }) => (KERNEL_VERSIONS[kernel].groNormalBatch === 1 ? 1 : value),
  ],
}

/** Where a value of a setting goes, and what it is there. */
export function settingOf(name: LiveSysctl, value: number, hz: number, plan: Plan): readonly [Setting, number] {
  const [column, of] = RULES[name]
  return [column, of(value, hz, plan)]
}

function valueAtStart(setting: Setting, { sysctl, hz }: HostPlan, plan: Plan): number {
  const [name, [, of]] = Object.entries(RULES).find(([, [column]]) => column === setting) as [
    LiveSysctl,
    (typeof RULES)[LiveSysctl],
  ]
  return of(sysctl[name], hz, plan)
}

/** A setting by CPU: a column where a run may change it, else constants. */
export function bindSetting(context: BindContext, setting: Setting): Float64Array {
  const constants = context.resource(PLAN_CONSTANTS)
  const { plan } = constants
  if (changesSettings(plan)) return context.read(CpuSetting)[setting] as Float64Array
  return perCpu(constants, (host) => valueAtStart(setting, host, plan))
}

/** Declares the column where a run changes it. */
export function declareSettings(world: World, layout: Layout): void {
  if (changesSettings(layout.plan)) world.pool(CpuSetting, layout.cpuRows)
}

/** Fills it with what hosts begin with. */
export function fillSettings(world: World, layout: Layout): void {
  if (!changesSettings(layout.plan)) return
  const columns = world.columns(CpuSetting)
  for (const { plan, cpus } of layout.hosts) {
    for (const [setting] of Object.values(RULES))
      for (const cpu of cpus) columns[setting][cpu] = valueAtStart(setting, plan, layout.plan)
  }
}
