/** `--capture [HOST/]IF[,IF…]|any=FILE`. */
import type { CaptureSpec } from '@softnet/kernel'
import { interfacesOf, nearestName, type Plan } from '@softnet/scenario'
import type { InputFault } from './input-fault.js'

/** One capture file and the devices whose packets it holds. */
export interface CaptureRequest {
  /** Devices, each `DEV` or `HOST/DEV`, or `any`. */
  readonly devices: readonly string[]
  /** pcapng file to write. */
  readonly file: string
}

const ACCEPTED = '[HOST/]IF[,IF…]=FILE or any=FILE'

/** Reads one value of `--capture`; null where it has another form. */
export function parseCaptureOption(given: string): CaptureRequest | null {
  const equals = given.indexOf('=')
  if (equals <= 0 || equals === given.length - 1) return null
  const devices = given.slice(0, equals).split(',')
  if (devices.some((device) => device === '' || device.startsWith('/') || device.endsWith('/'))) return null
  // HOST/eth0,eth1 names the host once for all.
  const slash = devices[0]?.indexOf('/') ?? -1
  const host = slash < 0 ? '' : `${devices[0]?.slice(0, slash)}/`
  return {
    devices: devices.map((device) => (device.includes('/') || device === 'any' ? device : host + device)),
    file: given.slice(equals + 1),
  }
}

/** The fault of a `--capture` value that has another form. */
export function captureFormFault(given: string): InputFault {
  return { path: '--capture', given, accepted: ACCEPTED, nearest: null }
}

/** What the kernel is to record for a request; faults name the devices the plan has instead. */
export function resolveCapture(
  plan: Plan,
  request: CaptureRequest,
  faultPath: string,
): { readonly specs: readonly CaptureSpec[]; readonly faults: readonly InputFault[] } {
  const known = plan.hosts.flatMap((host) =>
    interfacesOf(host.devices).map(({ name }) => ({ host: host.name, dev: name })),
  )
  const specs: CaptureSpec[] = []
  const faults: InputFault[] = []
  for (const given of request.devices) {
    const slash = given.indexOf('/')
    const host = slash < 0 ? null : given.slice(0, slash)
    const dev = given.slice(slash + 1)
    const found = known.some((device) => (host ?? device.host) === device.host && (dev === 'any' || dev === device.dev))
    if (found) {
      if (!specs.some((spec) => spec.host === host && spec.dev === dev)) specs.push({ host, dev })
      continue
    }
    const names = known.flatMap((device) => [device.dev, `${device.host}/${device.dev}`])
    const accepted = `any, or a device of the scenario: ${[...new Set(names)].slice(0, 20).join(', ')}`
    faults.push({ path: faultPath, given, accepted, nearest: nearestName(given, names) })
  }
  return { specs, faults }
}
