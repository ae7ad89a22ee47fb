/** Receive descriptors of a queue. */
import type { FaultPath, Report } from '../fault.js'
import type { DriverProfile } from '../plan.js'

/** Descriptors that a driver makes of a number that is asked for. Kernel: ethtool_ops.set_ringparam of drivers */
export function ringOf(given: number, driver: DriverProfile, path: FaultPath, report: Report): number {
  if (given < driver.rxRingMin || given > driver.rxRingMax) {
    const range =
      driver.rxRingMin === driver.rxRingMax
        ? `${driver.rxRingMin}, which is fixed`
        : `${driver.rxRingMin} to ${driver.rxRingMax}`
    report.fault(path, `${range} for ${driver.name}`)
    return driver.rxRingDefault
  }
  let rounded = 1
  if (driver.rxBuffer === 'page-frag' || driver.rxBuffer === 'mergeable') while (rounded < given) rounded *= 2
  else rounded = Math.ceil(given / 8) * 8
  if (rounded !== given) report.warn(path, `${driver.name} rounds ${given} up to ${rounded}`)
  return rounded
}
