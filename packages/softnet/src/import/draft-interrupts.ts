/** Which vector of a card belongs to which queue, and on which CPU it ends: from `/proc/interrupts` and `/proc/irq`. */
import type { DriverProfile } from '@softnet/scenario'
import type { DeviceFacts, HostFacts } from './host-facts.js'
import type { InterruptRow } from './parse-counters.js'
import type { DraftPath, ScenarioDraft } from './scenario-draft.js'

interface Place {
  readonly draft: ScenarioDraft
  readonly facts: HostFacts
  readonly device: DeviceFacts
  readonly path: DraftPath
  readonly cpuCount: number
  readonly queueCount: number
  readonly driver: DriverProfile
}

/** Vectors of a card that receive nothing. */
const NOT_RECEIVE =
  /(?:^|[-_.])(?:tx(?!-?rx)|output|config|async|fdir|mgmnt|event|misc|ctrl|control|pages|cmd|other)(?:[-_.@]|\d|$)/i

/** The part of a vector's name behind the device's, and the number of its queue; null for what is no receive vector. */
function queueOf(row: InterruptRow, device: string, bus: string): number | null {
  const words = row.name.split(/[-@]/)
  const isNamed = words.includes(device)
  const isOnBus = bus !== '' && row.text.includes(bus)
  if (!isNamed && !isOnBus) return null
  const rest = row.name.replace(device, '').replace(/@.*$/, '')
  if (NOT_RECEIVE.test(rest)) return null
  const number = /(\d+)$/.exec(rest)?.[1]
  return number === undefined ? -1 : Number(number)
}

/** Receive vectors in the order of their queues; a vector without a number only where there is no other. */
function receiveVectors({ facts, device }: Place): readonly InterruptRow[] {
  const bus = device.info?.get('bus-info')?.value ?? ''
  const found = facts.interrupts.rows.flatMap((row) => {
    const queue = queueOf(row, device.name, bus)
    return queue === null ? [] : [{ row, queue }]
  })
  const numbered = found.filter(({ queue }) => queue >= 0).sort((a, b) => a.queue - b.queue)
  return (numbered.length > 0 ? numbered : found.slice(0, 1)).map(({ row }) => row)
}

/** Where an interrupt goes: what the kernel says, else where most of them went, else what is allowed. */
function target({ facts, cpuCount }: Place, row: InterruptRow): { cpus: readonly number[]; at: string } {
  const { allowed, effective } = facts.affinity.get(row.irq) ?? {}
  const inside = (cpus: readonly number[]) => cpus.filter((cpu) => cpu < cpuCount)
  if (effective !== undefined && inside(effective.value).length > 0) {
    return { cpus: inside(effective.value), at: effective.at }
  }
  const most = Math.max(...row.counts)
  const busiest = facts.interrupts.cpus[row.counts.indexOf(most)]
  if (most > 0 && busiest !== undefined && busiest < cpuCount) return { cpus: [busiest], at: row.at }
  const cpus = inside(allowed?.value ?? [])
  return cpus.length > 0 ? { cpus, at: allowed?.at ?? row.at } : { cpus: [0], at: row.at }
}

/** Writes vectors and their CPUs. */
export function draftInterrupts(place: Place): void {
  const { draft, device, path, queueCount, driver } = place
  const here = [...path, 'irq']
  const all = receiveVectors(place)
  if (all.length === 0) {
    draft.leave(here, 'queue q interrupts CPU q, as no vector of this card is in interrupts')
    return
  }
  if (all.length > queueCount) {
    draft.ignore(
      `device ${device.name}: ${all.length} vectors for ${queueCount} queues; the first are taken`,
      all[0]?.at,
    )
  }
  const vectors = all.slice(0, queueCount)
  const targets = vectors.map((row) => target(place, row))
  const at = targets[0]?.at ?? ''
  const perDefault = driver.defaultVectors === 'single' ? 1 : queueCount
  if (vectors.length !== perDefault) draft.found([...here, 'vectors'], vectors.length, vectors[0]?.at ?? at)
  const lists = targets.map(({ cpus }) => (cpus.length === 1 ? cpus[0] : cpus))
  draft.found([...here, 'smp_affinity_list'], lists, at, `irq ${vectors.map((row) => row.irq).join(' ')}`)
}
