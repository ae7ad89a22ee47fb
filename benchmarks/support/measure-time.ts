import { Bench } from 'tinybench'
import { cpuMs, wallMs } from './host-clock.js'
import type { RunRequest, TimeFigures } from './request.js'
import { createSimulatedRun } from './simulated-run.js'
import { median } from './statistics.js'

/** Times each slice of a run. */
export function measureTime(request: RunRequest): TimeFigures {
  const run = createSimulatedRun(request)
  run.warm(1)
  const cpuOfSlice: number[] = []
  const bench = new Bench({
    now: wallMs,
    warmup: false,
    iterations: request.slices,
    time: 0,
    retainSamples: true,
    throws: true,
  })
  let sliceCpuMs = 0
  bench.add(request.scenario, () => run.slice(), {
    async: false,
    beforeEach() {
      sliceCpuMs = cpuMs()
    },
    afterEach() {
      cpuOfSlice.push(cpuMs() - sliceCpuMs)
    },
  })
  const startCpuMs = cpuMs()
  const startMs = wallMs()
  const [task] = bench.runSync()
  const total = { wallMs: wallMs() - startMs, cpuMs: cpuMs() - startCpuMs }
  if (task?.result.state !== 'completed') throw new Error(`${request.scenario} was not measured`)
  const samples = task.result.latency.samples ?? []
  const figures = run.end()
  const nsPerPacket = (sliceMs: number): number => (sliceMs * 1e6 * samples.length) / figures.packets.offered
  return {
    ...figures,
    ...total,
    buildMs: run.buildMs,
    wallNsPerPacket: nsPerPacket(median(samples)),
    cpuNsPerPacket: nsPerPacket(median(cpuOfSlice)),
    fastestNsPerPacket: nsPerPacket(Math.min(...samples)),
  }
}
