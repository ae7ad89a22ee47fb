import { Session } from 'node:inspector/promises'
import { attribute } from './attribute.js'
import { cpuMs, monotonicUs, wallMs } from './host-clock.js'
import type { ProfileFigures, RunRequest } from './request.js'
import { createSimulatedRun } from './simulated-run.js'

const SAMPLE_EVERY_US = 200

/** Finds out by sampling in which system a run spends its time. */
export async function measureProfile(request: RunRequest): Promise<ProfileFigures> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US })
  // Before anything is compiled: only then V8 keeps which functions it joined into which.
  await session.post('Profiler.start')
  const run = createSimulatedRun(request)
  run.warm()
  const fromUs = monotonicUs()
  const startMs = wallMs()
  const startCpuMs = cpuMs()
  for (let i = 0; i < request.slices; i++) run.slice()
  const total = { wallMs: wallMs() - startMs, cpuMs: cpuMs() - startCpuMs }
  const untilUs = monotonicUs()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return { ...run.end(), ...total, ...attribute(profile, fromUs, untilUs) }
}
