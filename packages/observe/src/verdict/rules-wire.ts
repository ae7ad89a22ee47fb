/** Diagnoses of the wire and the bus: limits that no setting of the stack can move. */
import { formatBitRate, formatCount, formatPercent, formatRate } from '../format.js'
import { type HostFacts, lostFor, type RunFacts } from './facts.js'
import { meanFrameBytes, meanFrameRate, openTraffic, wireBits } from './offered-traffic.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { remedy, settingPaths } from './settings.js'

/** Sources that ask for this much of the link are at its rate. */
const AT_LINE_RATE = 0.99
const AT_PCIE_RATE = 0.9

function lineRate(host: HostFacts, run: RunFacts): Finding | null {
  for (const device of host.plan.devices) {
    const sources = openTraffic(run.plan, host.name, device.name)
    const asked = sources.map((source) => ({
      rate: meanFrameRate(source),
      bits: meanFrameRate(source) * wireBits(meanFrameBytes(source.frame), device),
    }))
    const rate = asked.reduce((sum, source) => sum + source.rate, 0)
    const bits = asked.reduce((sum, source) => sum + source.bits, 0)
    if (rate <= 0 || device.driver.virtual || bits < device.linkBitsPerSec * AT_LINE_RATE) continue
    const most = (rate * device.linkBitsPerSec) / bits
    const paths = settingPaths(run, host.name)
    const gigabits = Math.ceil((bits * 1.1) / 1e9)
    return {
      lostFrames: 0,
      weight: Math.min(1, bits / device.linkBitsPerSec),
      claim: `The wire of ${device.name} is the limit: a link of ${formatBitRate(device.linkBitsPerSec)} carries at most ${formatRate(most)} of these frames.`,
      evidence: `The sources ask for ${formatRate(rate)} (${formatBitRate(bits)} with preamble, gap and FCS), ${formatPercent(bits / device.linkBitsPerSec)} of the link.`,
      advice: 'Use a faster link, longer frames or a second port; no setting of the host brings more packets in.',
      remedies: [remedy(paths.device(device.name, 'link'), `${gigabits}Gbit`, 'a link that carries what is asked for')],
    }
  }
  return null
}

function pcieRate(host: HostFacts, run: RunFacts): Finding | null {
  const lost = lostFor(host, 'NIC_RX_MISSED')
  if (lost === 0 || run.seconds <= 0) return null
  for (const device of host.plan.devices) {
    if (device.pcieBitsPerSec <= 0) continue
    const queues = host.queues.filter((queue) => queue.row.dev === device.name)
    const frames = queues.reduce((sum, queue) => sum + queue.row.frames, 0)
    const bytes = queues.reduce((sum, queue) => sum + queue.row.bytes, 0)
    const bits = ((bytes + frames * device.pcieOverheadBytes) * 8) / run.seconds
    const ringsFull = queues.every((queue) => queue.row.ring_max >= queue.row.ring_size - 1)
    if (bits < device.pcieBitsPerSec * AT_PCIE_RATE || ringsFull) continue
    const paths = settingPaths(run, host.name)
    return {
      lostFrames: lost,
      weight: 1,
      claim: `The bus of ${device.name} is the limit: ${formatCount(lost)} frames overflowed the NIC's packet buffer (rx_missed_errors) while the rings had room.`,
      evidence: `DMA moved ${formatBitRate(bits)} of the ${formatBitRate(device.pcieBitsPerSec)} the slot carries, ${formatRate(frames / run.seconds)} with ${device.pcieOverheadBytes} bytes of bus overhead each.`,
      advice: 'Put the card into a wider or faster slot, or send longer frames; ring and budget settings cannot help.',
      remedies: [remedy(paths.device(device.name, 'pcie'), 'none', 'shows the host without the cap of the slot')],
    }
  }
  return null
}

/** Rules about the wire and the bus. */
export const WIRE_RULES: readonly DiagnosisRule[] = [
  { name: 'pcie_rate', subject: 'ring', summary: 'The bus slot carries no more', find: pcieRate },
  { name: 'line_rate', subject: 'wire', summary: 'The link carries no more', find: lineRate },
]
