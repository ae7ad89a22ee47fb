/** Diagnoses of the way between hosts: frames lost on links, and ports of switches without room. */
import type { LinkPortRow } from '@softnet/scenario/plan'
import { formatBytes, formatCount, formatPercent, formatRate } from '../format.js'
import { type HostFacts, lostFor, type RunFacts } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { remedy } from './settings.js'

/** A port whose link is busy for so long has no time left; one that is not has bursts. */
const BUSY = 0.9
const DEFAULT_BUFFER_BYTES = 524_288

interface Way {
  readonly name: string
  readonly port: LinkPortRow
}

function waysTo(host: HostFacts, run: RunFacts): Way[] {
  return Object.entries(run.result.links ?? {}).flatMap(([name, { ports }]) =>
    ports.filter(({ to }) => to.startsWith(`${host.name}/`)).map((port) => ({ name, port })),
  )
}

/** The switch lost what it had no room for in front of a port. */
function switchFull(host: HostFacts, run: RunFacts): Finding | null {
  const lost = lostFor(host, 'SWITCH_FULL')
  const [way] = waysTo(host, run).sort((a, b) => b.port.overflow - a.port.overflow)
  if (lost === 0 || way === undefined) return null
  const { name, port } = way
  const plan = run.plan.links?.find((link) => link.name === name)
  const buffer = plan?.bufferBytes ?? DEFAULT_BUFFER_BYTES
  const isBusy = port.load >= BUSY
  const asked = (port.frames + port.overflow) / run.seconds
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames for ${port.to} found no room in front of its port of ${name}, ${
      isBusy ? 'whose link is the bottleneck' : 'in bursts'
    }.`,
    evidence: `${formatRate(asked)} came for it, its link was busy ${formatPercent(port.load)} of the time, and ${formatBytes(buffer)} may wait there.`,
    advice: isBusy
      ? 'A larger buffer only makes frames wait longer: the port needs a faster link, or less traffic.'
      : 'The port has the time to carry them, not the room to hold them.',
    remedies: isBusy
      ? [
          remedy(
            `hosts.${port.to.replace('/', '.devices.')}.link`,
            fasterLink(run, port.to),
            'the port carries what comes',
          ),
        ]
      : [remedy(`switches.${name}.buffer`, 4 * buffer, 'a burst finds room, and waits')],
  }
}

function fasterLink(run: RunFacts, to: string): string {
  const [host, dev] = to.split('/')
  const device = run.plan.hosts.find(({ name }) => name === host)?.devices.find(({ name }) => name === dev)
  return `${(10 * (device?.linkBitsPerSec ?? 1e9)) / 1e9}Gbit`
}

/** Links of the scenario lose frames by chance. */
function linkLoss(host: HostFacts, run: RunFacts): Finding | null {
  const lost = lostFor(host, 'LINK_LOSS')
  const [way] = waysTo(host, run).sort((a, b) => b.port.lost - a.port.lost)
  if (lost === 0 || way === undefined) return null
  const { name, port } = way
  return {
    lostFrames: lost,
    weight: 0,
    claim: `${formatCount(lost)} frames for ${port.to} were lost on ${name}, as the scenario has it.`,
    evidence: `${formatPercent(port.lost / Math.max(1, port.lost + port.frames))} of those that were to reach the port.`,
    advice: 'No setting of a host brings them back: UDP has to ask again.',
    remedies: [],
  }
}

/** Rules of links and switches. */
export const NETWORK_RULES: readonly DiagnosisRule[] = [
  { name: 'switch_full', subject: 'wire', summary: 'A port of a switch has no room', find: switchFull },
  { name: 'link_loss', subject: 'wire', summary: 'A link loses frames', find: linkLoss },
]
