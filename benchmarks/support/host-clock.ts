/** The machine's clocks, for measuring only. */

/** Wall milliseconds since some fixed moment, with fraction. */
export function wallMs(): number {
  return performance.now()
}

/** Processor milliseconds this process has used in all its threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
