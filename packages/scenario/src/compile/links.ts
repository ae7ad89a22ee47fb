/** Links and switches: which devices they join, and what becomes of those devices. */
import type { FaultPath, Report } from '../fault.js'
import type { LinkPlan, LinkPort } from '../link-plan.js'
import type { DevicePlan, HostPlan } from '../plan.js'
import type { LinkInput, SwitchInput } from '../schema/link.js'
import type { HostInput, ParsedScenario } from '../schema/scenario.js'

const DEFAULT_REORDER_PS = 100e6
const DEFAULT_SWITCH_DELAY_PS = 1e6
const DEFAULT_BUFFER_BYTES = 524_288
const DEFAULT_TABLE_SIZE = 8192
const DEFAULT_AGEING_PS = 300e12

/** Hosts whose devices know the link they are on, and the links. */
export interface CompiledLinks {
  readonly hosts: readonly HostPlan[]
  readonly links: readonly LinkPlan[]
}

interface Joined {
  readonly plan: LinkPlan
  /** Delay given for the link itself, ps. */
  readonly delayPs: number | undefined
}

/** Compiles `links` and `switches`. */
export function compileLinks(scenario: ParsedScenario, hosts: readonly HostPlan[], report: Report): CompiledLinks {
  const taken = new Map<string, string>()
  const joined: Joined[] = []
  for (const [name, input] of Object.entries((scenario.links ?? {}) as Record<string, LinkInput>)) {
    const path = ['links', name]
    const ports = findPorts(input.between, [...path, 'between'], name, hosts, taken, report)
    checkSpeeds(ports, hosts, [...path, 'between'], report)
    const rest = { bufferBytes: 0, tableSize: 0, ageingPs: 0 }
    joined.push({
      plan: { name, kind: 'link', ports, delayPs: 0, ...onTheWay(input, path, report), ...rest },
      delayPs: input.delay,
    })
  }
  for (const [name, input] of Object.entries((scenario.switches ?? {}) as Record<string, SwitchInput>)) {
    const path = ['switches', name]
    if (scenario.links?.[name] !== undefined) report.fault(path, 'a name that no link has')
    joined.push({
      plan: {
        name,
        kind: 'switch',
        ports: findPorts(input.ports, [...path, 'ports'], name, hosts, taken, report),
        delayPs: input.delay ?? DEFAULT_SWITCH_DELAY_PS,
        ...onTheWay(input, path, report),
        bufferBytes: input.buffer ?? DEFAULT_BUFFER_BYTES,
        tableSize: input.addresses ?? DEFAULT_TABLE_SIZE,
        ageingPs: input.ageing ?? DEFAULT_AGEING_PS,
      },
      delayPs: undefined,
    })
  }
  if (joined.length === 0) return { hosts, links: [] }
  return {
    hosts: hosts.map((host) => ({ ...host, devices: joinDevices(host, scenario, joined, report) })),
    links: joined.map(({ plan }) => plan),
  }
}

function onTheWay(
  input: LinkInput | SwitchInput,
  path: FaultPath,
  report: Report,
): Pick<LinkPlan, 'lossRate' | 'duplicateRate' | 'reorderRate' | 'reorderPs'> {
  const reorderRate = input.reorder ?? 0
  if (reorderRate === 0 && input['reorder-by'] !== undefined) {
    report.warn([...path, 'reorder-by'], 'no frame takes longer: reorder is 0')
  }
  return {
    lossRate: input.loss ?? 0,
    duplicateRate: input.duplicate ?? 0,
    reorderRate,
    reorderPs: input['reorder-by'] ?? DEFAULT_REORDER_PS,
  }
}

function findPorts(
  names: readonly string[],
  path: FaultPath,
  link: string,
  hosts: readonly HostPlan[],
  taken: Map<string, string>,
  report: Report,
): readonly LinkPort[] {
  const all = hosts.flatMap((host) => host.devices.map((device) => ({ host: host.name, device })))
  const known = all.map(({ host, device }) => `${host}/${device.name}`)
  const ports: LinkPort[] = []
  names.forEach((name, index) => {
    const found = all[known.indexOf(name)]
    const at = [...path, index]
    if (found === undefined) {
      report.fault(at, `host/device: one of ${known.join(', ')}`, known)
      return
    }
    if (found.device.driver.virtual) {
      report.fault(at, `a device with a link: ${found.device.driver.name} has none`)
      return
    }
    const owner = taken.get(name)
    if (owner !== undefined) report.fault(at, `a device that is on no other link; ${name} is on ${owner}`)
    taken.set(name, link)
    ports.push({ host: found.host, dev: found.device.name })
  })
  return ports
}

function deviceOf(port: LinkPort, hosts: readonly HostPlan[]): DevicePlan | undefined {
  return hosts.find(({ name }) => name === port.host)?.devices.find(({ name }) => name === port.dev)
}

function checkSpeeds(ports: readonly LinkPort[], hosts: readonly HostPlan[], path: FaultPath, report: Report): void {
  const [first, second] = ports.map((port) => deviceOf(port, hosts))
  if (first === undefined || second === undefined || first.linkBitsPerSec === second.linkBitsPerSec) return
  report.fault(
    [...path, 1],
    `a device of the same speed: ${first.linkBitsPerSec / 1e9} and ${second.linkBitsPerSec / 1e9} Gbit/s do not make a link (set link of one of them)`,
  )
}

/** Devices of a host: those on a link have its delay, and ask for hardware addresses unless they are told not to. */
function joinDevices(
  host: HostPlan,
  scenario: ParsedScenario,
  joined: readonly Joined[],
  report: Report,
): readonly DevicePlan[] {
  const inputs = (scenario.hosts as Record<string, HostInput>)[host.name]?.devices ?? {}
  return host.devices.map((device) => {
    const on = joined.find(({ plan }) => plan.ports.some((port) => port.host === host.name && port.dev === device.name))
    if (on === undefined) return device
    const { arp } = inputs[device.name] as { arp?: boolean }
    if (arp === false && on.plan.kind === 'switch') {
      report.fault(['hosts', host.name, 'devices', device.name, 'arp'], 'on: a switch forwards by hardware addresses')
    }
    return { ...device, link: on.plan.name, arp: arp ?? true, linkDelayPs: on.delayPs ?? device.linkDelayPs }
  })
}
