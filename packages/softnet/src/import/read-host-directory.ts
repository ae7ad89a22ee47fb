/** The files that the collecting script leaves, read with limits. */
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { readText, systemReason } from '../read-file.js'
import { type HostText, hostText } from './text-faults.js'

/** Files of the whole host, in the order they are asked for. */
export const HOST_FILES = [
  'uname',
  'kernel-config',
  'lscpu',
  'sysctl',
  'ip-addr',
  'irq-affinity',
  'queues',
  'devices',
  'start/uptime',
  'start/softnet_stat',
  'start/net_dev',
  'start/interrupts',
  'end/uptime',
  'end/softnet_stat',
  'end/net_dev',
  'end/interrupts',
] as const

/** Name of a file of the whole host. */
export type HostFile = (typeof HOST_FILES)[number]

/** Folders with a file per network device, named as the option of ethtool. */
export const DEVICE_FOLDERS = [
  'ethtool-i',
  'ethtool-g',
  'ethtool-l',
  'ethtool-c',
  'ethtool-x',
  'ethtool-k',
  'ethtool-n-udp4',
] as const

/** Name of such a folder. */
export type DeviceFolder = (typeof DEVICE_FOLDERS)[number]

/** What was found in the directory; a name without a file is not in the maps. */
export interface HostTexts {
  readonly directory: string
  readonly files: ReadonlyMap<HostFile, HostText>
  /** Files of one folder by device name. */
  readonly devices: ReadonlyMap<DeviceFolder, ReadonlyMap<string, HostText>>
  /** Names in the device folders that no device of softnet can have. */
  readonly oddNames: readonly string[]
}

const ACCEPTED = 'a directory that sh collect.sh DIR has written (softnet import --script > collect.sh)'
const MAX_FILE_BYTES = 8 * 1024 * 1024
const MAX_NAMES_PER_FOLDER = 1024
/** Kernel: net/core/dev.c, dev_valid_name; without the dots of VLAN devices, as in scenarios. */
const DEVICE_NAME = /^[A-Za-z0-9_-]{1,15}$/

function directoryFault(given: string, reason: string): ScenarioError {
  return new ScenarioError([{ path: 'DIR', given, accepted: `${ACCEPTED} (${reason})`, nearest: null }])
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return false
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'
  }
}

/** Names in a directory, none where there is none; throws a {@link ScenarioError} for one that cannot be read. */
async function namesIn(directory: string, given: string, isNeeded: boolean): Promise<readonly string[]> {
  try {
    const names: string[] = []
    for await (const entry of await opendir(directory)) {
      names.push(entry.name)
      if (names.length > MAX_NAMES_PER_FOLDER) throw directoryFault(given, `more than ${MAX_NAMES_PER_FOLDER} files`)
    }
    return names.sort()
  } catch (thrown) {
    if (thrown instanceof ScenarioError) throw thrown
    if (!isNeeded && (await isMissing(directory))) return []
    throw directoryFault(given, systemReason(thrown))
  }
}

/** Reads what is in the directory; faults of single files go to `faults`, a directory without any is thrown. */
export async function readHostDirectory(given: string, faults: InputFault[]): Promise<HostTexts> {
  const read = async (file: string): Promise<HostText | undefined> => {
    const path = join(given, file)
    if (await isMissing(path)) return undefined
    try {
      const rule = { given: path, path, accepted: 'a text file', maxBytes: MAX_FILE_BYTES }
      return hostText(file, path, await readText(path, rule))
    } catch (thrown) {
      if (!(thrown instanceof ScenarioError)) throw thrown
      faults.push(...thrown.errors)
      return undefined
    }
  }
  await namesIn(given, given, true)
  const files = new Map<HostFile, HostText>()
  for (const file of HOST_FILES) {
    const text = await read(file)
    if (text !== undefined) files.set(file, text)
  }
  const devices = new Map<DeviceFolder, ReadonlyMap<string, HostText>>()
  const oddNames = new Set<string>()
  for (const folder of DEVICE_FOLDERS) {
    const texts = new Map<string, HostText>()
    for (const name of await namesIn(join(given, folder), given, false)) {
      const text = DEVICE_NAME.test(name) ? await read(join(folder, name)) : undefined
      if (text !== undefined) texts.set(name, text)
      else if (!DEVICE_NAME.test(name)) oddNames.add(name)
    }
    devices.set(folder, texts)
  }
  if (files.size === 0 && faults.length === 0) throw directoryFault(given, 'it has none of the files')
  return { directory: given, files, devices, oddNames: [...oddNames] }
}
