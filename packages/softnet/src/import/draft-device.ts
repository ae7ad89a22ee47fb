/** From what ethtool, /sys and /proc/interrupts say of a network card to a device of a scenario. */
import {
  DRIVER_HARDWARE,
  DRIVER_NAMES,
  type DriverName,
  type DriverProfile,
  driverProfile,
  nearestName,
  parseCpuMask,
} from '@softnet/scenario'
import { draftInterrupts } from './draft-interrupts.js'
import type { DeviceFacts, HostFacts } from './host-facts.js'
import type { EthtoolValues } from './parse-ethtool.js'
import type { Sourced } from './parse-machine.js'
import { type DraftPath, HOST, type ScenarioDraft } from './scenario-draft.js'
import type { TextFaults } from './text-faults.js'

/** Drivers that behave as one of softnet's families, by the name that ethtool -i prints. */
const DRIVERS_ALIKE: Readonly<Record<string, DriverName>> = {
  mlx5_core: 'mlx5',
  mlx4_en: 'mlx5',
  ixgbevf: 'ixgbe',
  txgbe: 'ixgbe',
  ice: 'i40e',
  iavf: 'i40e',
  i40evf: 'i40e',
  bnxt_en: 'i40e',
  igc: 'igb',
  igbvf: 'igb',
  r8169: 'e1000e',
  tg3: 'e1000e',
  gve: 'ena',
  vmxnet3: 'virtio_net',
  hv_netvsc: 'virtio_net',
  vif: 'virtio_net',
}

/** Families that are the same driver under another name, so that nothing is guessed. */
const SAME_DRIVER = ['mlx5_core']
const DEFAULT_DRIVER: DriverName = 'ixgbe'
const STAND_IN: DriverName = 'virtio_net'
const RX_USECS_MAX = 1_000_000
/** `rx-usecs` that Intel's drivers print for their dynamic setting. Kernel: drivers/net/ethernet/intel, …_ethtool.c */
const DYNAMIC_SETTING: Readonly<Record<string, number>> = { ixgbe: 1, igb: 3, e1000e: 3 }
/** Bytes of key that a hash of IPv4 addresses and ports can reach: softnet's keys have 40. */
const KEY_BYTES = 40

/** A device of the scenario. */
export interface DraftedDevice {
  readonly name: string
  readonly mtu: number
}

/** What the steps below share. */
interface Place {
  readonly draft: ScenarioDraft
  readonly facts: HostFacts
  readonly device: DeviceFacts
  readonly driver: DriverProfile
  readonly path: DraftPath
  readonly cpuCount: number
  readonly faults: TextFaults
}

/** Writes the devices of the host; virtual ones only where there is no other. */
export function draftDevices(
  draft: ScenarioDraft,
  facts: HostFacts,
  cpuCount: number,
  faults: TextFaults,
): readonly DraftedDevice[] {
  const isVirtual = (device: DeviceFacts) =>
    (device.info?.get('bus-info')?.value ?? '') === '' && device.info !== undefined
  const real = facts.devices.filter((device) => !isVirtual(device))
  const chosen = real.length > 0 ? real : facts.devices
  for (const device of facts.devices) {
    if (chosen.includes(device)) continue
    draft.ignore(`device ${device.name}: a virtual one (${device.info?.get('driver')?.value}); nothing is sent to it`)
  }
  if (chosen.length === 0) {
    draft.guess(['hosts', HOST, 'devices', 'eth0', 'driver'], DEFAULT_DRIVER, 'no file of ethtool was found')
    return [{ name: 'eth0', mtu: 1500 }]
  }
  return chosen.map((device) => draftDevice(draft, facts, device, cpuCount, faults))
}

function draftDevice(
  draft: ScenarioDraft,
  facts: HostFacts,
  device: DeviceFacts,
  cpuCount: number,
  faults: TextFaults,
): DraftedDevice {
  const path = ['hosts', HOST, 'devices', device.name]
  const driver = draftDriver(draft, device, path)
  const place: Place = { draft, facts, device, driver, path, cpuCount, faults }
  const mtu = draftPlace(place)
  draftRing(place)
  const queueCount = draftChannels(place)
  draftCoalesce(place)
  draftRss(place, queueCount)
  draftFeatures(place)
  draftInterrupts({ draft, facts, device, path, cpuCount, queueCount, driver })
  draftSteering(place, queueCount)
  draftDeferral(place)
  return { name: device.name, mtu }
}

function draftDriver(draft: ScenarioDraft, device: DeviceFacts, path: DraftPath): DriverProfile {
  const given = device.info?.get('driver')
  const choose = (name: DriverName): DriverProfile => driverProfile(name) as DriverProfile
  const here = [...path, 'driver']
  if (given === undefined) {
    draft.guess(here, DEFAULT_DRIVER, 'no ethtool -i of this device')
    return choose(DEFAULT_DRIVER)
  }
  const known = DRIVER_NAMES.find((name) => name === given.value)
  const exact = known !== undefined && !choose(known).virtual
  if (exact || SAME_DRIVER.includes(given.value)) {
    const name = exact ? known : (DRIVERS_ALIKE[given.value] as DriverName)
    draft.found(here, name, given.at)
    return choose(name)
  }
  const alike = Object.hasOwn(DRIVERS_ALIKE, given.value) ? DRIVERS_ALIKE[given.value] : undefined
  if (alike !== undefined) draft.guess(here, alike, `${given.value} is not modelled; this family is the nearest`)
  else if (known !== undefined)
    draft.guess(here, STAND_IN, `nothing sends to ${given.value} here; a card of one ring stands for it`)
  else
    draft.guess(
      here,
      DEFAULT_DRIVER,
      `${given.value} is not known; nearest name ${nearestName(given.value, DRIVER_NAMES) ?? 'none'}`,
    )
  return choose(alike ?? (known !== undefined ? STAND_IN : DEFAULT_DRIVER))
}

/** Address, MTU, link and node; returns the MTU. */
function draftPlace({ draft, facts, device, path, faults }: Place): number {
  const value = (name: string) => facts.netValues.get(`${device.name}/${name}`)
  const addresses = facts.addresses.get(device.name) ?? []
  const [first] = addresses
  if (first === undefined) draft.leave([...path, 'address'], 'one of softnet’s own, as the host’s is not known')
  else
    draft.found(
      [...path, 'address'],
      addresses.map((each) => each.value),
      first.at,
    )
  const mtu = wholeNumber(value('mtu'), faults)
  if (mtu !== undefined) draft.found([...path, 'mtu'], mtu.value, mtu.at)
  const speed = value('speed')
  if (speed !== undefined && /^[1-9]\d{0,6}$/.test(speed.value)) {
    draft.found([...path, 'link'], `${speed.value}Mbit`, speed.at)
  } else draft.leave([...path, 'link'], 'that of the driver family, as the link’s speed is not known')
  const node = value('device/numa_node')
  const nodes = Number(facts.lscpu.get('NUMA node(s)')?.value ?? 1)
  if (node !== undefined && /^\d{1,4}$/.test(node.value) && Number(node.value) > 0) {
    if (Number(node.value) < nodes) draft.found([...path, 'numa-node'], Number(node.value), node.at)
    else draft.ignore(`device ${device.name}: node ${node.value}, which the CPUs do not have`, node.at)
  }
  return mtu?.value ?? 1500
}

function wholeNumber(given: Sourced<string> | undefined, faults: TextFaults): Sourced<number> | undefined {
  if (given === undefined) return undefined
  if (/^\d{1,12}$/.test(given.value)) return { value: Number(given.value), at: given.at }
  faults.add(given.at, given.value, 'a whole number')
  return undefined
}

/** A number that a card has and a family of softnet may not: the nearest that it has. */
function within({ draft, device }: Place, name: string, given: Sourced<number>, least: number, most: number): number {
  const value = Math.min(most, Math.max(least, given.value))
  if (value !== given.value) {
    draft.ignore(`device ${device.name}: ${name} ${given.value}; this family has ${least} to ${most}`, given.at)
  }
  return value
}

function draftRing(place: Place): void {
  const { draft, device, driver, path, faults } = place
  const given = wholeNumber(device.rings?.get('RX'), faults)
  if (given === undefined)
    draft.leave([...path, 'rings', 'rx'], `${driver.rxRingDefault}, the default of ${driver.name}`)
  else {
    const size = within(place, 'ring', given, driver.rxRingMin, driver.rxRingMax)
    draft.found([...path, 'rings', 'rx'], size, given.at)
  }
}

function draftChannels(place: Place): number {
  const { draft, device, driver, path, cpuCount, faults } = place
  const here = [...path, 'channels', 'combined']
  const combined = wholeNumber(device.channels?.get('Combined'), faults)
  const receive = wholeNumber(device.channels?.get('RX'), faults)
  const at = combined ?? receive
  const most = Math.min(driver.maxQueues, cpuCount)
  if (at === undefined) {
    const files = [...place.facts.netValues.keys()]
    const queues = files.filter((name) => name.startsWith(`${device.name}/queues/rx-`) && name.endsWith('/rps_cpus'))
    const source = place.facts.netValues.get(queues[0] ?? '')
    const count = { value: queues.length, at: source?.at ?? '' }
    if (source === undefined) {
      draft.guess(here, 1, 'nothing says how many receive queues there are')
      return 1
    }
    const value = within(place, 'queues', count, 1, most)
    draft.found(here, value, source.at, 'folders queues/rx-N of the device')
    return value
  }
  const count = { value: (combined?.value ?? 0) + (receive?.value ?? 0), at: at.at }
  const value = within(place, 'queues', count, 1, most)
  draft.found(here, value, at.at)
  return value
}

function draftCoalesce(place: Place): void {
  const { draft, device, driver, path, faults } = place
  const here = [...path, 'coalesce']
  const given = device.coalesce
  if (given === undefined || driver.moderation === 'none') {
    draft.leave(here, given === undefined ? `the defaults of ${driver.name}` : `${driver.name} does not moderate`)
    return
  }
  const adaptive = given.get('Adaptive RX')
  const usecs = wholeNumber(given.get('rx-usecs'), faults)
  const frames = wholeNumber(given.get('rx-frames'), faults)
  const isAdaptive = adaptive?.value === 'on'
  if (adaptive !== undefined && isAdaptive && driver.adaptiveRule !== 'none') {
    draft.found([...here, 'adaptive-rx'], 'on', adaptive.at)
    return
  }
  if (adaptive !== undefined && isAdaptive) draft.ignore(`${driver.name} has no adaptive moderation here`, adaptive.at)
  if (usecs !== undefined && DYNAMIC_SETTING[driver.name] === usecs.value) {
    draft.leave(here, `rx-usecs ${usecs.value} is how ${driver.name} names its default`)
    return
  }
  draftFixedCoalesce(place, usecs, frames)
}

function draftFixedCoalesce(
  { draft, device, driver, path, faults }: Place,
  usecs: Sourced<number> | undefined,
  frames: Sourced<number> | undefined,
): void {
  const here = [...path, 'coalesce']
  if (usecs !== undefined) {
    if (usecs.value > RX_USECS_MAX) faults.add(usecs.at, String(usecs.value), `rx-usecs up to ${RX_USECS_MAX}`)
    draft.found([...here, 'rx-usecs'], usecs.value, usecs.at)
  }
  if (frames !== undefined && driver.rxFramesSupported) {
    const never = frames.value === 0 && (usecs?.value ?? 0) === 0
    if (never) draft.guess([...here, 'rx-frames'], 1, 'the host has 0 and 0, which here would never interrupt')
    else draft.found([...here, 'rx-frames'], frames.value, frames.at)
  } else if (frames !== undefined && frames.value > 0) {
    draft.ignore(`device ${device.name}: rx-frames ${frames.value}; ${driver.name} has no such limit`, frames.at)
  }
  const completion = device.coalesce?.get('CQE mode RX')
  if (completion?.value === 'off' && driver.moderation === 'cqe') {
    draft.found([...here, 'cqe-mode-rx'], 'off', completion.at)
  }
}

function draftRss(place: Place, queueCount: number): void {
  const { draft, device, driver, path } = place
  const { indirection, udpHash } = device
  if (udpHash !== undefined) draft.found([...path, 'rx-flow-hash', 'udp4'], udpHash.value, udpHash.at)
  else draft.leave([...path, 'rx-flow-hash', 'udp4'], `${driver.hashFields.udp4}, the default of ${driver.name}`)
  if (driver.rssTableSize === 0) return
  const table = indirection?.queues
  if (table === undefined) draft.leave([...path, 'rxfh'], 'all queues alike, as there is no ethtool -x')
  else draftTable(place, table, queueCount)
  const key = indirection?.key
  if (key === undefined) return
  const bytes = key.value.split(':')
  if (bytes.length >= KEY_BYTES) {
    const text =
      bytes.length === KEY_BYTES ? '' : `the first ${KEY_BYTES} of ${bytes.length} bytes: IPv4 reaches no others`
    draft.found([...path, 'rxfh', 'hkey'], bytes.slice(0, KEY_BYTES).join(':'), key.at, text)
  } else draft.ignore(`device ${device.name}: a key of ${bytes.length} bytes`, key.at)
}

function draftTable(
  { draft, driver, path, device }: Place,
  table: Sourced<readonly number[]>,
  queueCount: number,
): void {
  const queues = table.value
  const used = Math.max(...queues) + 1
  if (used > queueCount) {
    draft.ignore(`device ${device.name}: its table names queue ${used - 1}, and ${queueCount} are left`, table.at)
    return
  }
  if (queues.every((queue, index) => queue === index % used)) {
    if (used < queueCount) draft.found([...path, 'rxfh', 'equal'], used, table.at)
    return
  }
  const period = queues.findIndex(
    (_, length) => length > 0 && queues.every((each, index) => each === queues[index % length]),
  )
  const pattern = period > 0 ? queues.slice(0, period) : queues
  if (driver.rssTableSize % pattern.length === 0) draft.found([...path, 'rxfh', 'indir'], pattern, table.at)
  else {
    const weight = Array.from({ length: queueCount }, (_, queue) => queues.filter((each) => each === queue).length)
    const text = `entries per queue: the table has ${queues.length}, that of ${driver.name} ${driver.rssTableSize}`
    draft.found([...path, 'rxfh', 'weight'], weight, table.at, text)
  }
}

const FEATURES: readonly (readonly [ethtool: string, ours: string])[] = [
  ['generic-receive-offload', 'gro'],
  ['rx-gro-list', 'rx-gro-list'],
  ['rx-udp-gro-forwarding', 'rx-udp-gro-forwarding'],
]

function draftFeatures({ draft, device, driver, path }: Place): void {
  const { features } = device
  if (features === undefined) {
    draft.leave([...path, 'features'], 'GRO on, as there is no ethtool -k')
    return
  }
  for (const [name, ours] of FEATURES) {
    const given = features.get(name)
    if (given !== undefined && (given.value === 'on') !== (ours === 'gro')) {
      draft.found([...path, 'features', ours], given.value, given.at)
    }
  }
  const ntuple = features.get('ntuple-filters')
  if (ntuple?.value === 'on' && DRIVER_HARDWARE[driver.name]?.ntuple === true) {
    draft.found([...path, 'features', 'ntuple'], 'on', ntuple.at, 'the rules themselves are not collected')
  }
  ignoreFeatures(draft, device.name, features)
}

function ignoreFeatures(draft: ScenarioDraft, name: string, features: EthtoolValues): void {
  for (const feature of ['large-receive-offload', 'rx-gro-hw', 'hw-tc-offload']) {
    const given = features.get(feature)
    if (given?.value === 'on') draft.ignore(`device ${name}: ${feature} is on; softnet does not model it`, given.at)
  }
}

function draftSteering({ draft, facts, device, path, cpuCount, faults }: Place, queueCount: number): void {
  const value = (queue: number, name: string) => facts.netValues.get(`${device.name}/queues/rx-${queue}/${name}`)
  const entries = Array.from({ length: queueCount }, (_, queue) => {
    const mask = value(queue, 'rps_cpus')
    const flows = wholeNumber(value(queue, 'rps_flow_cnt'), faults)
    const cpus = parseCpuMask(mask?.value ?? '0')
    if (!cpus.ok && mask !== undefined) faults.add(mask.at, mask.value, 'rps_cpus: a hex mask')
    const outside = cpus.ok && cpus.cpus.some((cpu) => cpu >= cpuCount)
    if (outside && mask !== undefined) faults.add(mask.at, mask.value, `rps_cpus: CPUs below ${cpuCount}`)
    return { mask: cpus.ok && cpus.cpus.length > 0 ? mask?.value : undefined, flows: flows?.value ?? 0, at: mask?.at }
  })
  const at = entries[0]?.at
  if (at === undefined) {
    draft.leave([...path, 'queues'], 'RPS and RFS off, as nothing is known of them')
    return
  }
  if (entries.every((entry) => entry.mask === undefined && entry.flows === 0)) return
  const written = entries.map(({ mask, flows }) => ({
    rps_cpus: mask ?? '0',
    ...(flows > 0 ? { rps_flow_cnt: flows } : {}),
  }))
  const isSame = new Set(written.map((entry) => JSON.stringify(entry))).size === 1
  draft.found([...path, 'queues'], isSame ? written[0] : written, at)
}

function draftDeferral({ draft, facts, device, path, faults }: Place): void {
  for (const name of ['napi_defer_hard_irqs', 'gro_flush_timeout']) {
    const given = wholeNumber(facts.netValues.get(`${device.name}/${name}`), faults)
    if (given !== undefined && given.value > 0) draft.found([...path, name], given.value, given.at)
  }
  const threaded = facts.netValues.get(`${device.name}/threaded`)
  if (threaded?.value === '1') draft.found([...path, 'threaded'], true, threaded.at)
}
