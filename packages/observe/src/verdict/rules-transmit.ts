/** Diagnoses of the way out: which CPU sends by whose queue. */
import { formatCpuMask, formatPercent } from '../format.js'
import type { HostFacts, RunFacts } from './facts.js'
import type { DiagnosisRule, Finding } from './rule.js'
import { remedy, settingPaths } from './settings.js'

/** From this share of packets on that another CPU's queue takes it is worth a word. */
const MUCH = 0.25

function otherQueues(host: HostFacts, run: RunFacts): Finding | null {
  for (const device of host.plan.devices) {
    const queues = (host.result.tx_queues ?? []).filter(({ dev }) => dev === device.name)
    const packets = queues.reduce((sum, queue) => sum + queue.packets, 0)
    const remote = queues.reduce((sum, queue) => sum + (queue.remote_packets ?? 0), 0)
    const owners = new Set(queues.map(({ cpu }) => cpu))
    const senders = host.plan.apps.flatMap(({ tasks }) => tasks.flat())
    // Where a sender has no queue of its own, it has to use another CPU's.
    if (packets === 0 || remote < packets * MUCH || senders.some((cpu) => !owners.has(cpu))) continue
    const isBusy = host.cpus.some((cpu) => owners.has(cpu.cpu) && cpu.saturated)
    const masks = queues.map(({ cpu }) => ({ xps_cpus: formatCpuMask([cpu]) }))
    const paths = settingPaths(run, host.name)
    return {
      lostFrames: isBusy ? host.lostAt.socket : 0,
      weight: remote / packets,
      claim: `${formatPercent(remote / packets)} of what ${device.name} sends goes by the transmit queue of another CPU than the one that sends it.`,
      evidence:
        'The lines of queue and ring move between CPUs with each such packet, and another CPU is interrupted to free it (remote_packets of tx_queues).',
      advice: 'Map each transmit queue to the CPU that takes its completions (XPS).',
      ...(isBusy ? { limits: 'place' as const } : {}),
      remedies: [
        remedy(paths.device(device.name, 'tx-queues'), JSON.stringify(masks), 'each CPU sends by its own queue'),
      ],
    }
  }
  return null
}

/** Rules about sending. */
export const TRANSMIT_RULES: readonly DiagnosisRule[] = [
  { name: 'other_cpus_queue', subject: 'socket', summary: 'CPUs send by each other’s queues', find: otherQueues },
]
