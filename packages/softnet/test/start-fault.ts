/**
 * Preloaded into a program one of whose threads is not to start: `SOFTNET_START="refuse 2"` makes the system refuse the
 * second thread as Linux does at a limit on threads, `"leave 2"` makes that thread end before its first line.
 */
import { syncBuiltinESMExports } from 'node:module'
import threads, { type WorkerOptions } from 'node:worker_threads'

if (process.env.SOFTNET_LEAVES !== undefined) process.exit(9)

if (threads.isMainThread) {
  const [kind, which] = (process.env.SOFTNET_START ?? '').split(' ')
  const { Worker } = threads
  let started = 0
  threads.Worker = class extends Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const isBroken = ++started === Number(which)
      if (isBroken && kind === 'refuse') throw Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' })
      super(file, isBroken ? { ...options, env: { ...process.env, SOFTNET_LEAVES: '1' } } : options)
    }
  }
  syncBuiltinESMExports()
}
