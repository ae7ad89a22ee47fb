/** The part of a scenario that no setting says: what arrives, and who reads it. */
import type { DraftedDevice } from './draft-device.js'
import type { HostFacts } from './host-facts.js'
import type { NetDevRow } from './parse-counters.js'
import { HOST, type ScenarioDraft } from './scenario-draft.js'

const FIRST_PORT = 9000
const SOCKETS_MAX = 256
const FLOWS = 256
const FCS_BYTES = 4
const FRAME_BYTES_MIN = 64
/** Ethernet header and FCS around an IP packet of the MTU. */
const FRAME_OVERHEAD_BYTES = 18
const RATE_DEFAULT_PPS = 100_000
/** Below it a run of the longest duration would show hardly a packet. */
const RATE_MIN_PPS = 500
const RATE_MAX_PPS = 100_000_000
/** A device that received fewer packets says nothing about its load. */
const PACKETS_MIN = 100
const PACKETS_SIMULATED = 30_000
const DURATION_MIN_MS = 20
const DURATION_MAX_MS = 2000

/** Load of one device as its counters show it. */
interface Load {
  readonly packetsPerSec: number
  readonly frameBytes: number
  readonly text: string
}

function loadOf(facts: HostFacts, device: DraftedDevice): Load | null {
  const { start, end } = facts
  const last = end.netDev.get(device.name) ?? start.netDev.get(device.name)
  const first = start.netDev.get(device.name)
  const upSec = end.uptimeSec ?? start.uptimeSec
  if (last === undefined || upSec === undefined) return null
  const elapsedSec = (end.uptimeSec ?? 0) - (start.uptimeSec ?? 0)
  const frame = (packets: NetDevRow): number => {
    const bytes = Math.round(packets.bytes / packets.packets) + FCS_BYTES
    return Math.min(device.mtu + FRAME_OVERHEAD_BYTES, Math.max(FRAME_BYTES_MIN, bytes))
  }
  if (first !== undefined && elapsedSec > 0 && last.packets - first.packets >= PACKETS_MIN) {
    const window = { packets: last.packets - first.packets, bytes: Math.max(0, last.bytes - first.bytes) }
    const text = `mean of the ${elapsedSec.toFixed(1)} s that were watched`
    return { packetsPerSec: window.packets / elapsedSec, frameBytes: frame(window), text }
  }
  if (last.packets < PACKETS_MIN || upSec <= 0) return null
  const text = 'mean since boot: hardly anything came while it was watched'
  return { packetsPerSec: last.packets / upSec, frameBytes: frame(last), text }
}

/** The load of a device if it is worth simulating. */
function busyLoad(draft: ScenarioDraft, facts: HostFacts, device: DraftedDevice): Load | null {
  const load = loadOf(facts, device)
  if (load === null || load.packetsPerSec >= RATE_MIN_PPS) return load
  draft.ignore(
    `device ${device.name}: ${Math.round(load.packetsPerSec)} packets per second (${load.text}), too few to show anything`,
  )
  return null
}

/** Writes traffic, programs and how long to simulate. */
export function draftTraffic(
  draft: ScenarioDraft,
  facts: HostFacts,
  devices: readonly DraftedDevice[],
  cpuCount: number,
): void {
  const sockets = Math.min(SOCKETS_MAX, cpuCount * 4)
  const sink = ['hosts', HOST, 'apps', 'sink']
  const readers = Array.from({ length: cpuCount }, (_, cpu) => cpu)
  draft.guess([...sink, 'cpus'], readers, 'a reader on each CPU: nothing says who reads')
  draft.guess([...sink, 'wait'], 'epoll_wait', 'what most servers do')
  draft.guess([...sink, 'sockets'], { count: sockets, bind: `0.0.0.0:${FIRST_PORT}` }, 'four sockets for each reader')
  const loads = devices.map((device) => ({ device, load: busyLoad(draft, facts, device) }))
  const busy = loads.filter(({ load }) => load !== null)
  const chosen = busy.length > 0 ? busy : loads.slice(0, 1)
  let totalPps = 0
  for (const { device, load } of chosen) {
    const path = ['traffic', device.name]
    const rate = Math.min(RATE_MAX_PPS, Math.max(1, Math.round(load?.packetsPerSec ?? RATE_DEFAULT_PPS)))
    totalPps += rate
    draft.guess([...path, 'to'], `${HOST}/${device.name}`, 'UDP from many clients, whatever the host really gets')
    draft.guess([...path, 'pattern'], 'poisson', 'independent senders')
    draft.guess([...path, 'rate'], `${rate}pps`, load?.text ?? 'nothing shows how much arrives under load')
    draft.guess(
      [...path, 'frame'],
      load?.frameBytes ?? FRAME_BYTES_MIN,
      load === null ? 'small packets' : 'mean length with FCS',
    )
    const flows = { count: FLOWS, pick: 'uniform', 'src-count': FLOWS, dport: FIRST_PORT, 'dport-count': sockets }
    draft.guess([...path, 'flows'], flows, 'flows decide which queue is busy; nothing says how many there are')
  }
  for (const { device } of loads) {
    if (!chosen.some((each) => each.device === device)) draft.ignore(`device ${device.name}: no traffic is sent to it`)
  }
  const wanted = Math.ceil((PACKETS_SIMULATED / totalPps) * 1000)
  const durationMs = Math.min(DURATION_MAX_MS, Math.max(DURATION_MIN_MS, wanted))
  draft.guess(['duration'], `${durationMs}ms`, `about ${Math.round((durationMs / 1000) * totalPps)} packets`)
  draft.guess(['warmup'], `${Math.round(durationMs / 10)}ms`, 'a tenth of it')
}
