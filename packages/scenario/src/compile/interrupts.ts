/** Queues, interrupt vectors and NAPI threads of a device. */

import { parseCpuMask } from '../cpu-set.js'
import type { FaultPath } from '../fault.js'
import type { DriverProfile, QueuePlan, VectorPlan } from '../plan.js'
import type { DeviceInput } from '../schema/device.js'
import { checkCpus } from './cpus.js'
import type { Environment } from './host.js'

/** What a device interrupts and where its packets are polled. */
export interface Interrupts {
  readonly queues: readonly QueuePlan[]
  readonly vectors: readonly VectorPlan[]
  readonly threaded: boolean
  readonly threadedCpus: readonly (readonly number[])[]
}

/** Compiles queues, vectors and threads. */
export function compileInterrupts(
  input: DeviceInput,
  driver: DriverProfile,
  cpuCount: number,
  firstIrq: number,
  path: FaultPath,
  env: Environment,
): Interrupts {
  const queueCount = compileQueueCount(input, driver, cpuCount, path, env)
  const vectorCount = compileVectorCount(input, driver, queueCount, path, env)
  const affinity = compileAffinity(input, vectorCount, cpuCount, path, env)
  const vectors = affinity.map((cpus, index) => ({ irq: driver.virtual ? 0 : firstIrq + index, affinity: cpus }))
  const threads = compileThreads(input, driver, vectorCount, cpuCount, path, env)
  return { queues: compileQueues(input, queueCount, vectorCount, cpuCount, path, env), vectors, ...threads }
}

function compileQueueCount(
  input: DeviceInput,
  driver: DriverProfile,
  cpuCount: number,
  path: FaultPath,
  env: Environment,
): number {
  const fallback = Math.min(driver.maxQueues, cpuCount, driver.virtual ? 1 : env.version.defaultQueuesMax)
  const given = input.channels?.combined
  if (given === undefined) return fallback
  if (given > driver.maxQueues) {
    env.report.fault([...path, 'channels', 'combined'], `1 to ${driver.maxQueues} for ${driver.name}`)
    return fallback
  }
  if (given > cpuCount && !driver.virtual) {
    env.report.fault([...path, 'channels', 'combined'], `1 to ${cpuCount}: a queue per CPU is the most a driver gives`)
    return fallback
  }
  return given
}

function compileVectorCount(
  input: DeviceInput,
  driver: DriverProfile,
  queueCount: number,
  path: FaultPath,
  env: Environment,
): number {
  const given = input.irq?.vectors ?? driver.defaultVectors
  if (given === 'single') return 1
  if (given === 'per-queue') return queueCount
  if (given > queueCount) {
    env.report.fault([...path, 'irq', 'vectors'], `1 to ${queueCount}, the number of queues`)
    return queueCount
  }
  return given
}

function compileAffinity(
  input: DeviceInput,
  count: number,
  cpuCount: number,
  path: FaultPath,
  env: Environment,
): readonly (readonly number[])[] {
  const { report } = env
  const fallback = Array.from({ length: count }, (_, index) => [index % cpuCount])
  const mask = input.irq?.smp_affinity
  const list = input.irq?.smp_affinity_list
  if (mask !== undefined && list !== undefined) {
    report.fault([...path, 'irq', 'smp_affinity_list'], 'only one of smp_affinity and smp_affinity_list')
    return fallback
  }
  const here = [...path, 'irq', mask !== undefined ? 'smp_affinity' : 'smp_affinity_list']
  if (typeof mask === 'string') {
    const parsed = parseCpuMask(mask)
    if (!parsed.ok) {
      report.fault(here, parsed.accepted)
      return fallback
    }
    return checkCpus(parsed.cpus, cpuCount, here, report, { emptyAllowed: false })
      ? fallback.map(() => parsed.cpus)
      : fallback
  }
  const given = mask ?? list
  if (given === undefined) return fallback
  if (given.length !== count) {
    report.fault(here, `${count} ${count === 1 ? 'entry' : 'entries'}, one per vector`, [], `${given.length} entries`)
  }
  const sound = given.map((cpus, index) => checkCpus(cpus, cpuCount, [...here, index], report, { emptyAllowed: false }))
  return fallback.map((cpus, index) => (sound[index] === true ? (given[index] as readonly number[]) : cpus))
}

function powerOfTwoAtLeast(value: number): number {
  let power = 1
  while (power < value) power *= 2
  return power
}

function compileQueues(
  input: DeviceInput,
  queueCount: number,
  vectorCount: number,
  cpuCount: number,
  path: FaultPath,
  env: Environment,
): readonly QueuePlan[] {
  const given = input.queues
  const here = [...path, 'queues']
  if (Array.isArray(given) && given.length !== queueCount) {
    env.report.fault(
      here,
      `${queueCount} ${queueCount === 1 ? 'entry' : 'entries'}, one per queue`,
      [],
      `${given.length} entries`,
    )
  }
  const entries = Array.isArray(given) ? given : given === undefined ? [] : [given]
  entries.forEach((entry, index) => {
    const place = Array.isArray(given) ? [...here, index, 'rps_cpus'] : [...here, 'rps_cpus']
    checkCpus(entry.rps_cpus ?? [], cpuCount, place, env.report, { emptyAllowed: true })
  })
  return Array.from({ length: queueCount }, (_, index) => {
    const entry = Array.isArray(given) ? given[index] : given
    const flows = entry?.rps_flow_cnt ?? 0
    return {
      vectorIndex: index % vectorCount,
      rpsCpus: entry?.rps_cpus ?? [],
      rpsFlowCnt: flows === 0 ? 0 : powerOfTwoAtLeast(flows),
    }
  })
}

function compileThreads(
  input: DeviceInput,
  driver: DriverProfile,
  vectorCount: number,
  cpuCount: number,
  path: FaultPath,
  env: Environment,
): Pick<Interrupts, 'threaded' | 'threadedCpus'> {
  const { report, version } = env
  let threaded = input.threaded ?? false
  if (threaded && driver.rxMode === 'non-napi') {
    report.fault([...path, 'threaded'], `off: ${driver.name} has no NAPI`)
    threaded = false
  }
  if (threaded && !version.threadedNapi) {
    report.warn([...path, 'threaded'], `Linux ${version.version} has no threaded NAPI; off is used`)
    threaded = false
  }
  const given = input['threaded-cpus']
  const here = [...path, 'threaded-cpus']
  if (given === undefined) return { threaded, threadedCpus: Array.from({ length: vectorCount }, () => []) }
  if (!threaded) report.warn(here, 'has no effect while threaded is off')
  if (given.length !== vectorCount) {
    report.fault(
      here,
      `${vectorCount} ${vectorCount === 1 ? 'entry' : 'entries'}, one per vector`,
      [],
      `${given.length} entries`,
    )
  }
  given.forEach((cpus, index) => {
    checkCpus(cpus, cpuCount, [...here, index], report, { emptyAllowed: true })
  })
  return { threaded, threadedCpus: Array.from({ length: vectorCount }, (_, index) => given[index] ?? []) }
}
