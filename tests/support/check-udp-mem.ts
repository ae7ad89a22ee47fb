import { checkScenario, planOf } from './check-scenario.js'
import { runModel } from './run-model.js'
import { atUdpMem } from './udp-mem-scenario.js'

/** Checks that six CPUs that share udp_mem reach its limit, see each other's pages, and end alike however they are advanced. */
export function checkUdpMem(
  kernel: Parameters<typeof atUdpMem>[0],
  drawnOrders?: number,
  turn: number | null = null,
): string[] {
  const scenario = atUdpMem(kernel)
  const { report, model } = runModel(planOf(scenario, kernel))
  const lost = report.drops.find(({ reason }) => reason === 'PROTO_MEM')?.count ?? 0
  const edges = model.partitions.edges.filter(({ why }) => why.startsWith('pages of UDP sockets')).length
  const faults: string[] = []
  if (lost <= 100) faults.push(`${lost} datagrams found no memory`)
  if (edges !== 10) faults.push(`pages of UDP sockets go ${edges} ways`)
  return [...faults, ...checkScenario(scenario, 1, drawnOrders, turn)]
}
