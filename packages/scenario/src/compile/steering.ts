/** Which queue a packet gets: RSS key and table, flow rules; and the XDP program's rules. */
import type { FaultPath, Report } from '../fault.js'
import type { DevicePlan, DriverProfile, NtuplePlan, XdpPlan } from '../plan.js'
import type { DeviceInput } from '../schema/device.js'

/** The public test key of RSS, used unless a scenario gives another. */
export const DEFAULT_RSS_KEY = '6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa'

/** Largest frame a page can hold beside XDP headroom (256) and skb_shared_info (320). */
const XDP_MAX_FRAME_BYTES = 4096 - 256 - 320

const PROTOCOLS = { udp4: 17, tcp4: 6 } as const

/** Compiles hash fields, key and indirection table. */
export function compileRss(
  input: DeviceInput,
  driver: DriverProfile,
  queueCount: number,
  path: FaultPath,
  report: Report,
): Pick<DevicePlan, 'hashFields' | 'rssKey' | 'indirection'> {
  const hasRss = driver.rssTableSize > 0
  if (!hasRss) {
    if (input.rxfh !== undefined) report.fault([...path, 'rxfh'], `nothing: ${driver.name} has no receive-side scaling`)
    if (input['rx-flow-hash'] !== undefined) {
      report.fault([...path, 'rx-flow-hash'], `nothing: ${driver.name} has no receive-side scaling`)
    }
  }
  return {
    hashFields: {
      tcp4: input['rx-flow-hash']?.tcp4 ?? driver.hashFields.tcp4,
      udp4: input['rx-flow-hash']?.udp4 ?? driver.hashFields.udp4,
    },
    rssKey: input.rxfh?.hkey ?? DEFAULT_RSS_KEY,
    indirection: hasRss ? compileIndirection(input, driver.rssTableSize, queueCount, path, report) : [0],
  }
}

function compileIndirection(
  input: DeviceInput,
  size: number,
  queueCount: number,
  path: FaultPath,
  report: Report,
): readonly number[] {
  const { equal, weight, indir } = input.rxfh ?? {}
  const here = [...path, 'rxfh']
  const spread = (queues: number) => Array.from({ length: size }, (_, index) => index % queues)
  const given = [equal, weight, indir].filter((value) => value !== undefined)
  if (given.length > 1) {
    report.fault(here, 'only one of equal, weight and indir')
    return spread(queueCount)
  }
  if (equal !== undefined) {
    if (equal <= queueCount) return spread(equal)
    report.fault([...here, 'equal'], `1 to ${queueCount}, the number of queues`)
  } else if (weight !== undefined) {
    const total = weight.reduce((sum, part) => sum + part, 0)
    if (weight.length > queueCount) {
      report.fault([...here, 'weight'], `at most ${queueCount} weights, one per queue`)
    } else if (total === 0) report.fault([...here, 'weight'], 'at least one weight above 0')
    else if (total > size) report.fault([...here, 'weight'], `weights that add up to at most ${size}, the table size`)
    else return byWeight(weight, total, size)
  } else if (indir !== undefined) {
    if (size % indir.length !== 0) {
      report.fault([...here, 'indir'], `${size} entries, or a number that divides it`, [], `${indir.length} entries`)
    }
    indir.forEach((queue, index) => {
      if (queue >= queueCount) report.fault([...here, 'indir', index], `a queue from 0 to ${queueCount - 1}`)
    })
    return Array.from({ length: size }, (_, index) => Math.min(queueCount - 1, indir[index % indir.length] as number))
  }
  return spread(queueCount)
}

/** Spreads a table by weight the way `ethtool -X weight` does: in runs, not interleaved. */
function byWeight(weight: readonly number[], total: number, size: number): readonly number[] {
  const table: number[] = []
  let queue = -1
  let partial = 0
  for (let index = 0; index < size; index++) {
    while (index >= Math.floor((size * partial) / total)) {
      queue++
      partial += weight[queue] as number
    }
    table.push(queue)
  }
  return table
}

interface Match {
  readonly 'src-ip'?: number | undefined
  readonly 'dst-ip'?: number | undefined
  readonly 'src-port'?: number | undefined
  readonly 'dst-port'?: number | undefined
}

function matchOf(rule: Match): Pick<NtuplePlan, 'saddr' | 'daddr' | 'sport' | 'dport'> {
  return {
    saddr: rule['src-ip'] ?? null,
    daddr: rule['dst-ip'] ?? null,
    sport: rule['src-port'] ?? null,
    dport: rule['dst-port'] ?? null,
  }
}

/** Compiles the flow rules of a device. */
export function compileNtuple(
  input: DeviceInput,
  queueCount: number,
  path: FaultPath,
  report: Report,
): readonly NtuplePlan[] {
  return (input.ntuple ?? []).map((rule, index) => {
    if (rule.action >= queueCount) {
      report.fault([...path, 'ntuple', index, 'action'], `a queue from 0 to ${queueCount - 1}, or -1 to drop`)
    }
    return { proto: PROTOCOLS[rule['flow-type']], ...matchOf(rule), action: rule.action }
  })
}

/** Compiles the XDP program; a rule without flow-type has protocol 0, which matches any. */
export function compileXdp(
  input: DeviceInput,
  driver: DriverProfile,
  mtu: number,
  path: FaultPath,
  report: Report,
): XdpPlan | null {
  if (input.xdp === undefined) return null
  const mode = input.xdp.mode ?? (driver.nativeXdp ? 'native' : 'generic')
  if (mode === 'native' && !driver.nativeXdp) {
    report.fault([...path, 'xdp', 'mode'], `generic: ${driver.name} has no native XDP`)
  }
  const maxMtu = XDP_MAX_FRAME_BYTES - 18
  if (mode === 'native' && mtu > maxMtu) {
    report.fault([...path, 'mtu'], `at most ${maxMtu} with native XDP: a frame has to fit a page`)
  }
  const rules = (input.xdp.rules ?? []).map((rule) => ({
    proto: rule['flow-type'] === undefined ? 0 : PROTOCOLS[rule['flow-type']],
    ...matchOf(rule),
    verdict: rule.verdict,
  }))
  return { mode, rules }
}
