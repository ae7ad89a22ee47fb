import { defineSystem } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { Task } from '../task/components.js'
import { wakeTask } from '../task/wake.js'
import { Sock } from './components.js'

/** Errors that come from elsewhere. */
export interface SockError {
  /** Tells a socket of an error; on a CPU of another partition the news takes a cache line's time. */
  tell(cpu: number, sock: number, errno: number): void
  /** On the socket's own CPUs: the next call returns it, and a client that waits is woken. Kernel: net/core/sock.c, sock_def_error_report */
  report(cpu: number, sock: number, errno: number): void
}

/** `sk_err` and who is told of it. Kernel: include/net/sock.h, sk_error_report */
export const sockError = defineSystem<SockError>(
  'sk_error_report',
  'sock',
  'net/core/sock.c, sk_error_report',
  (context) => {
    const { EVENT, TASK_KIND, VIA } = NUMBERS

    const { err } = context.write(Sock)
    const { cpu: sockCpu, task } = context.read(Sock)
    const { waiting } = context.write(Task)
    const { kind } = context.read(Task)
    const { packetPool } = context.read(Cpu)
    const wake = context.system(wakeTask)
    const post = context.system(mail)

    function report(cpu: number, sock: number, errno: number): void {
      err[sock] = errno
      const reader = task[sock]
      if (reader <= 0 || kind[reader] !== TASK_KIND.client || waiting[reader] === 0) return
      waiting[reader] = 0
      wake(cpu, reader)
    }

    return {
      report,
      tell(cpu, sock, errno) {
        const home = sockCpu[sock]
        if (packetPool[home] === packetPool[cpu]) report(cpu, sock, errno)
        else if (post.connected(cpu, home)) post.note(cpu, home, VIA.line, EVENT.sockError, sock, errno, 0)
      },
    }
  },
)
