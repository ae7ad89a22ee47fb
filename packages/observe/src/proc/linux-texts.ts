/** The files of one host that people's tools read. */
import type { DeviceRow, NetnsResult, ResultDocument } from '@softnet/scenario/plan'
import { ethtoolText, interruptsText, softirqsText } from './interrupts.js'
import { arpCacheText } from './neighbours.js'
import { netDevText, netstatText, snmpText, softnetStatText } from './net.js'
import { conntrackStatText, conntrackText, rulesetText } from './netfilter.js'
import { tcQdiscText } from './tc.js'

/** One text and the place it has below the output folder. */
export interface LinuxText {
  /** Relative, with slashes: `proc/net/softnet_stat`, `ethtool-S/eth0`. */
  readonly path: string
  readonly text: string
}

const ROOT_NAMES = ['init', 'root', 'default', 'host', '']

/**
 * Linux's texts of one host of a result; none if the result does not know the host.
 *
 * The first namespace (or the one named `init`, `root`, `default` or `host`) is written to `proc/net`, others to `netns/NAME/proc/net`.
 */
export function linuxTexts(result: Pick<ResultDocument, 'kernel' | 'hosts'>, host: string): LinuxText[] {
  const found = result.hosts[host]
  if (found === undefined) return []
  const { kernel } = result
  const texts: LinuxText[] = [
    { path: 'proc/net/softnet_stat', text: softnetStatText(found.cpus, kernel) },
    { path: 'proc/interrupts', text: interruptsText(found, kernel) },
    { path: 'proc/softirqs', text: softirqsText(found) },
  ]
  if (found.qdiscs !== undefined) texts.push({ path: 'tc/qdisc', text: tcQdiscText(found.qdiscs) })
  const names = Object.keys(found.netns)
  const root = ROOT_NAMES.find((name) => names.includes(name)) ?? names[0]
  for (const name of names) {
    const folder = name === root ? 'proc/net' : `netns/${name}/proc/net`
    texts.push(
      { path: `${folder}/snmp`, text: snmpText(found.netns[name]!, kernel) },
      { path: `${folder}/netstat`, text: netstatText(found.netns[name]!, kernel) },
      { path: `${folder}/dev`, text: netDevText(devicesOf(found.devices, name === root ? null : name)) },
    )
    texts.push(...netfilterTexts(found.netns[name]!, name === root ? '' : `netns/${name}/`))
  }
  const arpCache = root === undefined ? undefined : found.netns[root]?.arp_cache
  if (arpCache !== undefined) texts.push({ path: 'proc/net/stat/arp_cache', text: arpCacheText(arpCache) })
  for (const [device, counters] of Object.entries(found.ethtool)) {
    const [netns, inside] = device.split('/') as [string, string | undefined]
    const path = inside === undefined ? `ethtool-S/${device}` : `netns/${netns}/ethtool-S/${inside}`
    texts.push({ path, text: ethtoolText(counters) })
  }
  return texts
}

/** Devices of a namespace under the names they have there; null: those of the first one. */
function devicesOf(devices: readonly DeviceRow[], netns: string | null): DeviceRow[] {
  if (netns === null) return devices.filter(({ name }) => !name.includes('/'))
  const before = `${netns}/`
  return devices
    .filter(({ name }) => name.startsWith(before))
    .map((device) => ({ ...device, name: device.name.slice(before.length) }))
}

function netfilterTexts({ netfilter }: NetnsResult, folder: string): LinuxText[] {
  if (netfilter === undefined) return []
  const texts = [{ path: `${folder}nft/ruleset`, text: rulesetText(netfilter) }]
  if (netfilter.conntrack === undefined) return texts
  return [
    ...texts,
    { path: `${folder}proc/net/nf_conntrack`, text: conntrackText(netfilter.conntrack) },
    { path: `${folder}proc/net/stat/nf_conntrack`, text: conntrackStatText(netfilter.conntrack) },
  ]
}
