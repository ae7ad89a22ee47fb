import { type Profiler, Session } from 'node:inspector/promises'
import { attribute } from './attribute.js'
import { cpuMs, wallMs } from './host-clock.js'
import type { ProfileFigures, RunRequest } from './request.js'
import { createSimulatedRun } from './simulated-run.js'

const SAMPLE_EVERY_US = 200

async function startProfiler(): Promise<() => Promise<Profiler.Profile>> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US })
  await session.post('Profiler.start')
  return async () => {
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    return profile
  }
}

/** Finds out by sampling in which system a run spends its time. Needs `number-lines` preloaded. */
export async function measureProfile(request: RunRequest): Promise<ProfileFigures> {
  // Before anything is compiled: only while a profiler runs V8 keeps the lines of functions it joins into others.
  const stopEarly = await startProfiler()
  const run = createSimulatedRun(request)
  run.warm(1)
  const stop = await startProfiler()
  const startMs = wallMs()
  const startCpuMs = cpuMs()
  for (let i = 0; i < request.slices; i++) run.slice()
  const total = { wallMs: wallMs() - startMs, cpuMs: cpuMs() - startCpuMs }
  const profile = await stop()
  await stopEarly()
  return { ...run.end(), ...total, ...attribute(profile) }
}
