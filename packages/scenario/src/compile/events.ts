/** Events of a scenario: in order of time, each of a device that is there and can do what is asked of it. */
import type { TypedEvent } from '../event-command.js'
import type { EventAction, EventPlan } from '../event-plan.js'
import type { FaultPath, Report } from '../fault.js'
import { interfacesOf } from '../interfaces.js'
import type { LinkPlan, LinkPort } from '../link-plan.js'
import type { DevicePlan, HostPlan } from '../plan.js'
import { formatTime } from '../quantity.js'
import type { EventInput } from '../schema/event.js'
import type { VersionPolicy } from '../versions.js'
import { checkCpus } from './cpus.js'
import { compileQdiscEvent, compileRingsEvent, compileSysctlEvent } from './event-settings.js'

function checkMask(
  { of, queue, cpus }: Extract<TypedEvent, { readonly kind: 'mask' }>,
  device: DevicePlan,
  cpuCount: number,
  path: FaultPath,
  report: Report,
): void {
  const count = device.queues.length
  if (queue >= count) report.fault(path, `a queue of ${device.name}: 0 to ${count - 1}`)
  checkCpus(cpus, cpuCount, path, report, { emptyAllowed: true })
  if (of === 'rps' && device.queues.some(({ rpsFlowCnt }) => rpsFlowCnt > 0))
    report.warn(path, 'flows that RFS steers go where they are read, whatever the mask')
}

/** Masks that are written in a run, for what has to be known from the start. */
export function withLaterMasks(hosts: readonly HostPlan[], events: readonly EventPlan[]): readonly HostPlan[] {
  const masks = events.flatMap(({ host, action }) => (action.kind === 'mask' ? [{ host, ...action }] : []))
  if (masks.length === 0) return hosts
  return hosts.map((host) => ({
    ...host,
    devices: host.devices.map((device): DevicePlan => {
      const own = masks.filter((each) => each.host === host.name && each.dev === device.name)
      if (own.length === 0) return device
      const queues = device.queues.map((queue, index) => {
        const written = own.filter(({ of, queue: at }) => of === 'rps' && at === index)
        const cpus = new Set(written.flatMap((each) => each.cpus))
        const laterRpsCpus = [...cpus].filter((cpu) => !queue.rpsCpus.includes(cpu)).sort((a, b) => a - b)
        return written.length === 0 ? queue : { ...queue, laterRpsCpus }
      })
      const changesXps = own.some(({ of }) => of === 'xps')
      return {
        ...device,
        queues,
        ...(device.tx !== undefined && changesXps ? { tx: { ...device.tx, changesXps } } : {}),
      }
    }),
  }))
}

/** Checks one event against the device it is about. */
function checkAction(
  action: TypedEvent & { readonly dev: string },
  device: DevicePlan,
  { devices, cpus: { length: cpuCount } }: HostPlan,
  path: FaultPath,
  report: Report,
): void {
  const { driver, name } = device
  if (action.dev !== name) {
    if (action.kind !== 'link') report.fault(path, `${name}, or ip link set: ${action.dev} is a VLAN device`)
    return
  }
  if (action.kind === 'link' && device.peer !== undefined) {
    const ends = devices.filter((each) => each.name === name || each.name === device.peer)
    const polling = ends.find((each) => each.gro && (each.groList || each.udpGroForwarding))
    if (polling !== undefined)
      report.fault(path, `a veth pair without a ring that is polled; ${polling.name} has gro on (not modelled)`)
    return
  }
  if (action.kind !== 'coalesce' && action.kind !== 'features' && driver.virtual) {
    report.fault(path, `a device with a cable; ${name} (${driver.name}) has none`)
  }
  if (action.kind === 'features' && driver.name === 'veth')
    report.fault(path, `a device that is no end of a veth pair (not modelled): ${name} is one`)
  if (action.kind === 'mask') checkMask(action, device, cpuCount, path, report)
  if (action.kind === 'stall' && action.queue >= device.queues.length) {
    report.fault(path, `a queue of ${name}: 0 to ${device.queues.length - 1}`)
  }
  if (action.kind !== 'coalesce') return
  if (driver.moderation === 'none') report.fault(path, `a device that moderates interrupts; ${driver.name} does not`)
  else if (action.rxFrames !== null && !driver.rxFramesSupported) {
    report.fault(path, `no rx-frames: ${driver.name} has no such limit`)
  } else if (device.adaptiveRx) {
    report.warn(path, `adaptive moderation of ${name} overrides it`)
  }
}

function compileAction(
  action: Exclude<TypedEvent, { readonly kind: 'sysctl' }>,
  device: DevicePlan,
  path: FaultPath,
  report: Report,
): EventAction | null {
  if (action.kind === 'qdisc') return compileQdiscEvent(action, device, path, report)
  if (action.kind === 'rings') return compileRingsEvent(action, device, path, report)
  return action
}

/** A cable that is pulled is out at both ends. */
function atOtherEnd({ atPs, host, action }: EventPlan, links: readonly LinkPlan[]): EventPlan[] {
  if (action.kind !== 'cable') return []
  const isHere = (port: LinkPort) => port.host === host && port.dev === action.dev
  const link = links.find(({ kind, ports }) => kind === 'link' && ports.some(isHere))
  const other = link?.ports.find((port) => !isHere(port))
  return other === undefined ? [] : [{ atPs, host: other.host, action: { ...action, dev: other.dev } }]
}

/** Compiles the events of a scenario, those of one time in the order they are written. */
export function compileEvents(
  given: readonly EventInput[],
  hosts: readonly HostPlan[],
  links: readonly LinkPlan[],
  around: { readonly durationPs: number; readonly version: VersionPolicy; readonly report: Report },
): readonly EventPlan[] {
  const { durationPs, report } = around
  const events = given.map(({ at, host: named, do: action }, index): EventPlan | null => {
    const path: FaultPath = ['events', index]
    const names = hosts.map(({ name }) => name)
    if (at >= durationPs) report.warn([...path, 'at'], `the run ends before, at ${formatTime(durationPs)}`)
    if (named === undefined && hosts.length !== 1) {
      report.fault([...path, 'host'], `one of the hosts ${names.join(', ')}`, [], null)
      return null
    }
    const host = named === undefined ? hosts[0] : hosts.find(({ name }) => name === named)
    if (host === undefined) {
      report.fault([...path, 'host'], `one of the hosts ${names.join(', ')}`, names)
      return null
    }
    const here: FaultPath = [...path, 'do']
    if (action.kind === 'sysctl') {
      const done = compileSysctlEvent(action, host, around.version, here, report)
      return done === null || at >= durationPs ? null : { atPs: at, host: host.name, action: done }
    }
    const interfaces = interfacesOf(host.devices)
    const devices = interfaces.map(({ name }) => name)
    const device = interfaces.find(({ name }) => name === action.dev)?.device
    if (device === undefined) {
      report.fault([...path, 'do'], `a device of ${host.name}: ${devices.join(', ')}`, devices, action.dev)
      return null
    }
    checkAction(action, device, host, here, report)
    const done = compileAction(action, device, here, report)
    return done === null || at >= durationPs ? null : { atPs: at, host: host.name, action: done }
  })
  return events
    .filter((event): event is EventPlan => event !== null)
    .flatMap((event) => [event, ...atOtherEnd(event, links)])
    .sort((a, b) => a.atPs - b.atPs)
}
