/** Sets of CPUs against the CPUs that a host has. */
import { formatCpuList } from '../cpu-set.js'
import type { FaultPath, Report } from '../fault.js'

/** Records a fault if a set names CPUs beyond the host's, or is empty where one is needed; true if it is sound. */
export function checkCpus(
  cpus: readonly number[],
  cpuCount: number,
  path: FaultPath,
  report: Report,
  options: { readonly emptyAllowed: boolean },
): boolean {
  const range = cpuCount === 1 ? 'CPU 0' : `CPUs 0 to ${cpuCount - 1}`
  if (cpus.length === 0 && !options.emptyAllowed) {
    report.fault(path, `at least one of ${range}`)
    return false
  }
  const beyond = cpus.filter((cpu) => cpu >= cpuCount)
  if (beyond.length === 0) return true
  report.fault(path, `${range}; the host has no CPU ${formatCpuList(beyond)}`)
  return false
}
