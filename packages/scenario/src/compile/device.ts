/** Devices: driver defaults, link, rings, moderation, offloads. */
import { isGroupMac } from '../address.js'
import { DRIVER_HARDWARE, driverProfile } from '../drivers.js'
import type { FaultPath, Report } from '../fault.js'
import { interfacesOf } from '../interfaces.js'
import { DEFAULT_NEIGH } from '../ipv4-settings.js'
import type { CpuPlan, DevicePlan, DriverProfile, SysctlPlan } from '../plan.js'
import type { ConfInput } from '../schema/conf.js'
import type { DeviceInput } from '../schema/device.js'
import type { Environment } from './host.js'
import { compileInterrupts, type Interrupts } from './interrupts.js'
import { compileConf } from './ip.js'
import { devicePath, devicesIn, joinPeers, type NetScope } from './netns.js'
import { ringOf } from './ring.js'
import { compileNtuple, compileRss, compileXdp } from './steering.js'
import { compileTx } from './tx.js'
import { addressList, compileVlans } from './vlan.js'

/** mlx5's rx-usecs when the period starts at the event. Kernel: mlx5/core/en.h, MLX5E_PARAMS_DEFAULT_RX_CQ_MODERATION_USEC */
const RX_USECS_FROM_EVENT = 16

/** Driver of a device that names none. */
export const DEFAULT_DRIVER = 'ixgbe'

/** First interrupt number given to devices; the ones below belong to the machine. */
export const FIRST_DEVICE_IRQ = 32

/** PCIe overhead per frame: header and framing of a write (28 bytes) and descriptor fetch and write-back (32). */
export const DEFAULT_PCIE_OVERHEAD_BYTES = 60

interface Place {
  readonly host: string
  readonly hostIndex: number
  readonly path: FaultPath
  readonly cpus: readonly CpuPlan[]
  readonly sysctl: SysctlPlan
  /** `net.ipv4.ip_forward` is on. */
  readonly forwarding: boolean
  readonly env: Environment
}

/** Compiles all devices of a host and checks them against each other. */
export function compileDevices(
  host: string,
  scopes: readonly NetScope[],
  hostIndex: number,
  cpus: readonly CpuPlan[],
  env: Environment,
): readonly DevicePlan[] {
  const written = scopes.flatMap((scope) =>
    Object.entries(scope.input.devices ?? {}).map(([name, input]) => ({ scope, name, input: input as DeviceInput })),
  )
  const maxDevices = env.limits['devices-per-host'] as number
  if (written.length > maxDevices) {
    env.report.fault(['hosts', host, 'devices'], `at most ${maxDevices} devices, limits.devices-per-host`)
    return []
  }
  let nextIrq = FIRST_DEVICE_IRQ
  const given = new Map<string, string>()
  const ends = written.map(({ scope, name, input }, index) => {
    const path: FaultPath = [...scope.path, 'devices', name]
    const place = { host, hostIndex, path, cpus, sysctl: scope.sysctl, forwarding: scope.forwarding, env }
    const device = compileDevice(name, input, index, nextIrq, place)
    if (!device.driver.virtual) nextIrq += device.vectors.length
    const placed =
      scope.name === null ? device : { ...device, name: `${scope.name}/${name}`, netns: scope.name, ifname: name }
    if (input.peer !== undefined) given.set(placed.name, input.peer)
    return placed
  })
  const devices = joinPeers(host, ends, given, env.report).map((device, index) =>
    device.peer === undefined
      ? device
      : asPairEnd(device, (written[index] as (typeof written)[number]).input, devicePath(host, device), env.report),
  )
  for (const { name } of scopes) checkDuplicates(devicesIn(devices, name), host, env.report)
  checkMacs(devices, host, env.report)
  const queues = devices.reduce((sum, device) => sum + device.queues.length, 0)
  const maxQueues = env.limits['queues-per-host'] as number
  if (queues > maxQueues) {
    env.report.fault(['hosts', host, 'devices'], `at most ${maxQueues} queues in all, limits.queues-per-host`)
  }
  return devices
}

/**
 * What an end of a veth pair has otherwise than other devices: no address unless it is given one, GRO only where it is asked
 * for, one queue, and no discipline. Kernel: drivers/net/veth.c, veth_setup, veth_disable_gro
 */
function asPairEnd(device: DevicePlan, input: DeviceInput, path: FaultPath, report: Report): DevicePlan {
  if (device.queues.length > 1)
    report.fault([...path, 'channels', 'combined'], '1: ends of a veth pair have one queue here')
  if (input.qdisc !== undefined) report.fault([...path, 'qdisc'], 'no discipline: a veth pair has noqueue')
  if (device.xdp?.mode === 'native')
    report.fault([...path, 'xdp', 'mode'], 'generic: native XDP of a veth pair is not modelled')
  if (device.threaded) report.fault([...path, 'threaded'], 'off: the NAPI of a veth pair runs in softirq here')
  return {
    ...device,
    addresses: input.address === undefined ? [] : device.addresses,
    gro: input.features?.gro ?? false,
  }
}

function checkDuplicates(devices: readonly DevicePlan[], host: string, report: Report): void {
  const addresses = new Map<string, string>()
  for (const { name, addresses: own, device, vlan } of interfacesOf(devices)) {
    const path = [...devicePath(host, device), ...(vlan === null ? [] : ['vlans', String(vlan.id)])]
    own.forEach((address, index) => {
      const ip = address.split('/')[0] as string
      const owner = addresses.get(ip)
      if (owner !== undefined && owner !== name) {
        const where = Array.isArray(givenAddress(report, path)) ? [...path, 'address', index] : [...path, 'address']
        report.fault(where, `an address that no other device has; ${ip} is on ${owner}`)
      }
      addresses.set(ip, name)
    })
  }
}

function checkMacs(devices: readonly DevicePlan[], host: string, report: Report): void {
  const macs = new Map<string, string>()
  for (const device of devices) {
    const owner = macs.get(device.mac)
    if (owner !== undefined)
      report.fault([...devicePath(host, device), 'mac'], `a hardware address other than that of ${owner}`)
    macs.set(device.mac, device.name)
  }
}

function givenAddress(report: Report, path: FaultPath): unknown {
  let value: unknown = report.root
  for (const part of [...path, 'address']) value = (value as Record<string | number, unknown> | undefined)?.[part]
  return value
}

function compileDevice(name: string, input: DeviceInput, index: number, firstIrq: number, place: Place): DevicePlan {
  const { env, path, cpus } = place
  const { report } = env
  const driver = withModeration(driverProfile(input.driver ?? DEFAULT_DRIVER) as DriverProfile, input, path, report)
  const hardware = DRIVER_HARDWARE[driver.name]
  if (hardware === undefined) throw new Error(`driver ${driver.name} has no hardware row`)
  const interrupts = compileInterrupts(input, driver, cpus.length, firstIrq, path, env)
  const queueCount = interrupts.queues.length
  const features = compileFeatures(input, driver, hardware.ntuple, path, report)
  const mtu = input.mtu ?? 1500
  const confOf = (given: { readonly conf?: ConfInput | undefined }) => compileConf(given, place.forwarding)
  return {
    name,
    driver,
    mac: compileMac(input, index, place),
    mtu,
    conf: confOf(input),
    neigh: DEFAULT_NEIGH,
    arp: input.arp ?? false,
    ...(driver.virtual
      ? {}
      : {
          tx: compileTx(input, {
            driver,
            mtu,
            interrupts,
            cpuCount: cpus.length,
            defaultQdisc: place.sysctl['net.core.default_qdisc'],
            version: env.version.version,
            path,
            report,
          }),
        }),
    addresses: compileAddresses(input, index, place),
    linkBitsPerSec: input.link ?? hardware.linkBitsPerSec,
    linkDelayPs: input['link-delay'] ?? 500_000,
    frameOverheadBytes: input['frame-overhead'] ?? 20,
    wireErrorRate: input['wire-error-rate'] ?? 0,
    dmaLatencyPs: input['dma-latency'] ?? hardware.dmaLatencyPs,
    pcieBitsPerSec: input.pcie === 'none' ? 0 : (input.pcie ?? hardware.pcieBitsPerSec),
    pcieOverheadBytes: input['pcie-overhead'] ?? DEFAULT_PCIE_OVERHEAD_BYTES,
    packetBufferBytes: compilePacketBuffer(input, driver, mtu, path, report),
    nodeId: compileNode(input, cpus, path, report),
    rxRing:
      input.rings?.rx === undefined
        ? driver.rxRingDefault
        : ringOf(input.rings.rx, driver, [...path, 'rings', 'rx'], report),
    ...compileCoalesce(input, driver, path, report),
    ...compileRss(input, driver, queueCount, path, report),
    ntuple: compileNtuple(input, queueCount, path, report),
    arfs: features.ntuple && hardware.arfs && usesRfs(interrupts, place.sysctl),
    queues: interrupts.queues,
    vectors: interrupts.vectors,
    ...compileDeferral(input, path, env),
    threaded: interrupts.threaded,
    threadedCpus: interrupts.threadedCpus,
    napiWeight: input['napi-weight'] ?? 64,
    gro: features.gro,
    groList: features.groList,
    udpGroForwarding: features.udpGroForwarding,
    groMaxSizeBytes: input.gro_max_size ?? 65_536,
    xdp: compileXdp(input, driver, mtu, path, report),
    ...compileVlans(input, mtu, confOf, path, report),
    rxHandler: input['rx-handler'] ?? 'none',
  }
}

function usesRfs(interrupts: Interrupts, sysctl: SysctlPlan): boolean {
  return sysctl['net.core.rps_sock_flow_entries'] > 0 && interrupts.queues.some((queue) => queue.rpsFlowCnt > 0)
}

/** Moderation mode of mlx5: from the completion unless switched off. Kernel: drivers/net/ethernet/mellanox/mlx5/core/en_main.c, mlx5e_build_nic_params */
function withModeration(driver: DriverProfile, input: DeviceInput, path: FaultPath, report: Report): DriverProfile {
  const fromCompletion = input.coalesce?.['cqe-mode-rx']
  if (driver.moderation === 'cqe') {
    return fromCompletion === false ? { ...driver, moderation: 'eqe', rxUsecsDefault: RX_USECS_FROM_EVENT } : driver
  }
  if (fromCompletion === true) {
    report.fault([...path, 'coalesce', 'cqe-mode-rx'], `off: ${driver.name} has one moderation mode`)
  }
  return driver
}

function compileAddresses(input: DeviceInput, index: number, place: Place): readonly string[] {
  if (input.address === undefined) {
    const first = place.hostIndex === 0 && index === 0
    return [first ? '192.0.2.1/24' : `198.18.${(place.hostIndex * 16 + index) % 256}.1/24`]
  }
  return addressList(input.address, place.path, place.env.report)
}

function compileMac(input: DeviceInput, index: number, place: Place): string {
  const byte = (value: number) => (value % 256).toString(16).padStart(2, '0')
  const mac = input.mac ?? `02:00:00:00:${byte(place.hostIndex)}:${byte(index + 1)}`
  if (isGroupMac(mac) || mac === '00:00:00:00:00:00') {
    place.env.report.fault([...place.path, 'mac'], 'an address of one card: first byte even, not all zero')
  }
  return mac
}

function compilePacketBuffer(
  input: DeviceInput,
  driver: DriverProfile,
  mtu: number,
  path: FaultPath,
  report: Report,
): number {
  const bytes = input['packet-buffer'] ?? driver.packetBufferBytes
  // A card takes a frame only as a whole, so one of the largest has to fit.
  if (!driver.virtual && bytes < mtu + 18) {
    report.fault(
      [...path, 'packet-buffer'],
      `at least one frame of the MTU, ${mtu + 18} bytes`,
      [],
      input['packet-buffer'] ?? bytes,
    )
  }
  return bytes
}

function compileNode(input: DeviceInput, cpus: readonly CpuPlan[], path: FaultPath, report: Report): number {
  const nodes = 1 + Math.max(0, ...cpus.map((cpu) => cpu.nodeId))
  const node = input['numa-node'] ?? 0
  if (node >= nodes)
    report.fault([...path, 'numa-node'], nodes === 1 ? '0: the host has one node' : `0 to ${nodes - 1}`)
  return node
}

function compileCoalesce(
  input: DeviceInput,
  driver: DriverProfile,
  path: FaultPath,
  report: Report,
): Pick<DevicePlan, 'rxUsecs' | 'rxFrames' | 'adaptiveRx'> {
  const given = input.coalesce ?? {}
  const here = [...path, 'coalesce']
  const usecs = given['rx-usecs']
  const frames = given['rx-frames']
  let adaptive = given['adaptive-rx']
  if (adaptive === true && driver.adaptiveRule === 'none') {
    report.fault([...here, 'adaptive-rx'], `off: ${driver.name} has no adaptive moderation`)
    adaptive = false
  }
  if (driver.moderation === 'none' && usecs !== undefined && usecs > 0) {
    report.fault([...here, 'rx-usecs'], `0: ${driver.name} does not moderate interrupts`)
  }
  if (!driver.rxFramesSupported && frames !== undefined && frames > 0) {
    report.fault([...here, 'rx-frames'], `no value: ${driver.name} has no such limit`)
  }
  if (driver.rxFramesSupported && usecs === 0 && frames === 0 && adaptive !== true) {
    report.fault(here, 'rx-usecs or rx-frames above 0: with both 0 nothing would raise an interrupt (use rx-frames: 1)')
  }
  // A fixed value given by hand means it: ethtool users who set rx-usecs expect it to hold.
  const fixed = usecs !== undefined || frames !== undefined
  const adaptiveRx = adaptive ?? (fixed ? false : driver.adaptiveDefault)
  if (adaptiveRx && fixed) {
    report.warn([...here, 'adaptive-rx'], 'adaptive moderation overrides rx-usecs and rx-frames after the start')
  }
  return { rxUsecs: usecs ?? driver.rxUsecsDefault, rxFrames: frames ?? driver.rxFramesDefault, adaptiveRx }
}

function compileFeatures(
  input: DeviceInput,
  driver: DriverProfile,
  ntupleExists: boolean,
  path: FaultPath,
  report: Report,
): { gro: boolean; groList: boolean; udpGroForwarding: boolean; ntuple: boolean } {
  const given = input.features ?? {}
  const rules = (input.ntuple ?? []).length > 0
  if (given.ntuple === true && !ntupleExists) {
    report.fault([...path, 'features', 'ntuple'], `off: ${driver.name} has no flow rules`)
  }
  if (rules && !ntupleExists) report.fault([...path, 'ntuple'], `no rules: ${driver.name} has none`)
  else if (rules && given.ntuple === false) {
    report.fault([...path, 'features', 'ntuple'], 'on: the device has ntuple rules')
  }
  const gro = given.gro ?? true
  if (!gro && given['rx-gro-list'] === true) {
    report.warn([...path, 'features', 'rx-gro-list'], 'has no effect while gro is off')
  }
  return {
    gro,
    groList: given['rx-gro-list'] ?? false,
    udpGroForwarding: given['rx-udp-gro-forwarding'] ?? false,
    ntuple: (given.ntuple ?? rules) && ntupleExists,
  }
}

function compileDeferral(
  input: DeviceInput,
  path: FaultPath,
  env: Environment,
): Pick<DevicePlan, 'napiDeferHardIrqs' | 'groFlushTimeoutNs' | 'irqSuspendTimeoutNs'> {
  const { report, version } = env
  let defer = input.napi_defer_hard_irqs ?? 0
  const timeout = input.gro_flush_timeout ?? 0
  let suspend = input['irq-suspend-timeout'] ?? 0
  if (defer > 0 && !version.napiDeferHardIrqs) {
    report.warn([...path, 'napi_defer_hard_irqs'], `Linux ${version.version} has no such setting; 0 is used`)
    defer = 0
  } else if (defer > 0 && timeout === 0) {
    report.warn([...path, 'napi_defer_hard_irqs'], 'has no effect without gro_flush_timeout')
  } else if (timeout > 0 && defer === 0) {
    report.warn(
      [...path, 'gro_flush_timeout'],
      'without napi_defer_hard_irqs interrupts are not deferred; only GRO packets wait',
    )
  }
  if (suspend > 0 && !version.irqSuspend) {
    report.warn([...path, 'irq-suspend-timeout'], `Linux ${version.version} has no such setting; 0 is used`)
    suspend = 0
  } else if (suspend > 0 && (defer === 0 || timeout === 0)) {
    report.warn([...path, 'irq-suspend-timeout'], 'works only with napi_defer_hard_irqs and gro_flush_timeout set')
  }
  return { napiDeferHardIrqs: defer, groFlushTimeoutNs: timeout, irqSuspendTimeoutNs: suspend }
}
