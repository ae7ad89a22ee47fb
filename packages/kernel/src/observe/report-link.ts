import { type DeviceRow, type EventAction, formatCpuList, type LinkLogRow } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import type { HostLayout } from '../build/layout.js'
import { DEV, IF_OPER, LinkDev, LinkLog, LinkWatch, LOG, LOG_NAMES, LOG_ROWS } from '../link/components.js'
import { hasEvents } from '../link/fill-link.js'

type LinkState = Pick<
  DeviceRow,
  'tx_dropped' | 'operstate' | 'carrier_changes' | 'carrier_up_count' | 'carrier_down_count'
>

/** Whether anything happens to a host during its run. */
function isEventful(model: Model, host: HostLayout): boolean {
  return hasEvents(model.plan) && (model.plan.events ?? []).some((event) => event.host === host.plan.name)
}

function operstate(state: number): 'up' | 'down' | 'lowerlayerdown' {
  if (state === IF_OPER.up) return 'up'
  return state === IF_OPER.lowerLayerDown ? 'lowerlayerdown' : 'down'
}

/** State and counters of a device's link, where events happen to its host. Kernel: net/core/net-sysfs.c, carrier_changes_show */
export function reportLinkState(model: Model, host: HostLayout, dev: number, txDropped: number): LinkState {
  if (!isEventful(model, host)) return {}
  const link = model.world.columns(LinkDev)
  return {
    tx_dropped: txDropped,
    // Kernel: net/core/net-sysfs.c, operstate_show
    operstate: (link.bits[dev] & DEV.down) !== 0 ? 'down' : operstate(link.operstate[dev]),
    carrier_changes: link.carrierUp[dev] + link.carrierDown[dev],
    carrier_up_count: link.carrierUp[dev],
    carrier_down_count: link.carrierDown[dev],
  }
}

/** Names of a host's devices by entity, VLAN devices after theirs. */
function deviceNames(host: HostLayout): Map<number, string> {
  const names = new Map<number, string>()
  for (const { device, plan } of host.devices) {
    names.set(device, plan.name)
    plan.vlans.forEach((vlan, i) => {
      names.set(device + 1 + i, `${plan.name}.${vlan}`)
    })
  }
  return names
}

/** Entries that say what a command was given. */
const COMMANDS: ReadonlySet<number> = new Set([LOG.features, LOG.rings, LOG.qdisc, LOG.sysctl, LOG.mask])

/** What a command that changes a setting is given, null for other events. */
function detailOf(action: EventAction): string | null {
  switch (action.kind) {
    case 'sysctl':
      return `${action.name}=${action.value}`
    case 'rings':
      return `rx ${action.rx}`
    case 'qdisc':
      return action.qdisc.kind
    case 'mask':
      return `${action.of}_cpus of ${action.of === 'rps' ? 'rx' : 'tx'}-${action.queue}: ${formatCpuList(action.cpus) || 'none'}`
    case 'features': {
      const words = Object.entries(FEATURE_WORDS).flatMap(([name, word]) => {
        const value = action[name as keyof typeof FEATURE_WORDS]
        return value === null ? [] : [`${word} ${value ? 'on' : 'off'}`]
      })
      return words.join(' ')
    }
    default:
      return null
  }
}

const FEATURE_WORDS = { gro: 'gro', groList: 'rx-gro-list', udpGroForwarding: 'rx-udp-gro-forwarding' } as const

/** What became of a host's devices, in order. */
export function reportLinkLog(model: Model, host: HostLayout): { link_log?: LinkLogRow[] } {
  if (!isEventful(model, host)) return {}
  const names = deviceNames(host)
  const log = model.world.columns(LinkLog)
  const count = Math.min(LOG_ROWS, model.world.columns(LinkWatch).logged[host.index + 1])
  const commands = (model.plan.events ?? []).filter((event) => event.host === host.plan.name)
  let next = 0
  const link_log = Array.from({ length: count }, (_, i): LinkLogRow => {
    const row = host.index * LOG_ROWS + i + 1
    const what = LOG_NAMES[log.what[row]] ?? '?'
    const entry = { t_ns: log.timePs[row] / 1000, dev: names.get(log.dev[row]) ?? '', what }
    if (!COMMANDS.has(log.what[row])) return entry
    // Commands are logged in the order of the plan.
    while (next < commands.length && detailOf(commands[next].action) === null) next++
    const detail = next < commands.length ? detailOf(commands[next++].action) : null
    return detail === null ? entry : { ...entry, detail }
  })
  return { link_log }
}
