/** Everything that the files of a host say, read but not yet judged. */

import {
  type Interrupts,
  type NetDevRow,
  parseInterrupts,
  parseNetDev,
  parseSoftnetStat,
  parseUptime,
  type SoftnetStatRow,
} from './parse-counters.js'
import {
  type EthtoolValues,
  type IndirectionTable,
  parseCoalesce,
  parseCurrentSettings,
  parseDriverInfo,
  parseFeatures,
  parseFlowHash,
  parseIndirection,
} from './parse-ethtool.js'
import {
  type IrqAffinity,
  type Lscpu,
  parseAddresses,
  parseIrqAffinity,
  parseKernelConfig,
  parseLscpu,
  parseNetValues,
  parseSysctl,
  parseUname,
  type Sourced,
} from './parse-machine.js'
import type { DeviceFolder, HostFile, HostTexts } from './read-host-directory.js'
import type { HostText, TextFaults } from './text-faults.js'

/** Counters at one time. */
export interface Counters {
  readonly uptimeSec: number | undefined
  readonly softnetStat: readonly SoftnetStatRow[]
  readonly netDev: ReadonlyMap<string, NetDevRow>
}

/** What ethtool says of one device; a part is missing where the driver does not support it or the file is not there. */
export interface DeviceFacts {
  readonly name: string
  readonly info: EthtoolValues | undefined
  readonly rings: EthtoolValues | undefined
  readonly channels: EthtoolValues | undefined
  readonly coalesce: EthtoolValues | undefined
  readonly indirection: IndirectionTable | undefined
  readonly features: EthtoolValues | undefined
  readonly udpHash: Sourced<'sd' | 'sdfn'> | undefined
}

/** The files of a host as values; what is undefined or empty was not there. */
export interface HostFacts {
  readonly directory: string
  readonly kernel: Sourced<string> | undefined
  readonly hz: Sourced<number> | undefined
  readonly lscpu: Lscpu
  readonly sysctl: ReadonlyMap<string, Sourced<string>>
  readonly addresses: ReadonlyMap<string, readonly Sourced<string>[]>
  readonly affinity: ReadonlyMap<number, IrqAffinity>
  /** Values below `/sys/class/net`, `eth0/queues/rx-0/rps_cpus`. */
  readonly netValues: ReadonlyMap<string, Sourced<string>>
  readonly interrupts: Interrupts
  readonly start: Counters
  readonly end: Counters
  readonly devices: readonly DeviceFacts[]
  readonly oddNames: readonly string[]
  /** Files that were not there. */
  readonly missing: readonly HostFile[]
}

/** Reads every file; what is wrong in them goes to `faults`. */
export function parseHost(texts: HostTexts, missing: readonly HostFile[], faults: TextFaults): HostFacts {
  for (const text of [
    ...texts.files.values(),
    ...[...texts.devices.values()].flatMap((folder) => [...folder.values()]),
  ]) {
    const last = text.lines.at(-1)
    if (!text.isWhole && last !== undefined) {
      faults.add(last.at, last.text, 'the whole file: the end of this line is missing')
    }
  }
  const read = <Value>(file: HostFile, parse: (text: HostText, faults: TextFaults) => Value): Value | undefined => {
    const text = texts.files.get(file)
    return text === undefined ? undefined : parse(text, faults)
  }
  const counters = (when: 'start' | 'end'): Counters => ({
    uptimeSec: read(`${when}/uptime`, parseUptime),
    softnetStat: read(`${when}/softnet_stat`, parseSoftnetStat) ?? [],
    netDev: read(`${when}/net_dev`, parseNetDev) ?? new Map(),
  })
  const netValues = [read('queues', parseNetValues), read('devices', parseNetValues)]
  return {
    directory: texts.directory,
    kernel: read('uname', parseUname),
    hz: read('kernel-config', parseKernelConfig),
    lscpu: read('lscpu', parseLscpu) ?? new Map(),
    sysctl: read('sysctl', parseSysctl) ?? new Map(),
    addresses: read('ip-addr', parseAddresses) ?? new Map(),
    affinity: read('irq-affinity', parseIrqAffinity) ?? new Map(),
    netValues: new Map(netValues.flatMap((values) => [...(values ?? [])])),
    interrupts: read('end/interrupts', parseInterrupts) ??
      read('start/interrupts', parseInterrupts) ?? { cpus: [], rows: [] },
    start: counters('start'),
    end: counters('end'),
    devices: deviceNames(texts).map((name) => parseDevice(texts, name, faults)),
    oddNames: texts.oddNames,
    missing,
  }
}

function deviceNames(texts: HostTexts): readonly string[] {
  const names = new Set([...texts.devices.values()].flatMap((folder) => [...folder.keys()]))
  return [...names].sort()
}

function parseDevice(texts: HostTexts, name: string, faults: TextFaults): DeviceFacts {
  const read = <Value>(
    folder: DeviceFolder,
    parse: (text: HostText, faults: TextFaults) => Value,
  ): Value | undefined => {
    const text = texts.devices.get(folder)?.get(name)
    return text === undefined ? undefined : parse(text, faults)
  }
  return {
    name,
    info: read('ethtool-i', parseDriverInfo),
    rings: read('ethtool-g', parseCurrentSettings),
    channels: read('ethtool-l', parseCurrentSettings),
    coalesce: read('ethtool-c', parseCoalesce),
    indirection: read('ethtool-x', parseIndirection),
    features: read('ethtool-k', parseFeatures),
    udpHash: read('ethtool-n-udp4', parseFlowHash),
  }
}
