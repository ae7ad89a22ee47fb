import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Task } from '../task/components.js'
import { wakeTask } from '../task/wake.js'
import { Epoll, Sock, SockWatch } from './components.js'

/** Tells whoever waits for a socket that it has data. */
export type DataReady = (cpu: number, sock: number, charged: boolean) => void

/**
 * sock_def_readable: marks the socket ready in its epoll instance, or wakes the reader that sleeps on it. `charged` is
 * false when the code runs on behalf of another CPU that has paid for it. Kernel: net/core/sock.c, sock_def_readable;
 * fs/eventpoll.c, ep_poll_callback
 */
export const dataReady = defineSystem<DataReady>(
  'sock_def_readable',
  'sock',
  'net/core/sock.c, sock_def_readable',
  (context) => {
    const { STAGE, TASK_STATE, WAIT } = NUMBERS

    const { ready, readyNext, epoll, task, firstWatch, watchCount, napi: sockNapi } = context.write(Sock)
    const ep = context.write(Epoll)
    const { readyHead, readyTail, readyCount, waitHead, exclusive } = ep
    const watch = context.read(SockWatch)
    const { waiting, waitNext, waitSincePs, wait, state } = context.write(Task)
    const wake = context.system(wakeTask)
    const spend = context.system(charge)
    context.read(Cpu)

    /** Puts the socket on the ready list and wakes one waiter; true if there was one. */
    function epollCallback(cpu: number, sock: number, instance: number, charged: boolean): boolean {
      if (ready[sock] === 0) {
        ready[sock] = 1
        readyNext[sock] = 0
        if (readyHead[instance] === 0) readyHead[instance] = sock
        else readyNext[readyTail[instance]] = sock
        readyTail[instance] = sock
        readyCount[instance]++
        if (charged) spend(cpu, STAGE.ep_poll_callback, 1)
      }
      ep.napi[instance] = sockNapi[sock]
      const waiter = waitHead[instance]
      if (waiter === 0) return false
      waitHead[instance] = waitNext[waiter]
      waitNext[waiter] = 0
      waiting[waiter] = 0
      if (charged) spend(cpu, STAGE.wakeup, 1)
      wake(cpu, waiter)
      return true
    }

    function wakeReader(cpu: number, reader: number, charged: boolean): void {
      waiting[reader] = 0
      if (state[reader] !== TASK_STATE.sleeping) return
      if (charged) spend(cpu, STAGE.wakeup, 1)
      wake(cpu, reader)
    }

    /** Several tasks or epoll instances watch one socket. */
    function shared(cpu: number, sock: number, charged: boolean): void {
      let oldest = 0
      const end = firstWatch[sock] + watchCount[sock]
      for (let row = firstWatch[sock]; row < end; row++) {
        const instance = watch.epoll[row]
        if (instance !== 0) {
          if (epollCallback(cpu, sock, instance, charged) && exclusive[instance] !== 0) return
          continue
        }
        const reader = watch.task[row]
        if (waiting[reader] === 0) continue
        if (wait[reader] === WAIT.select || wait[reader] === WAIT.poll) wakeReader(cpu, reader, charged)
        else if (oldest === 0 || waitSincePs[reader] < waitSincePs[oldest]) oldest = reader
      }
      if (oldest !== 0) wakeReader(cpu, oldest, charged)
    }

    return (cpu, sock, charged) => {
      if (watchCount[sock] !== 0) shared(cpu, sock, charged)
      else if (epoll[sock] !== 0) epollCallback(cpu, sock, epoll[sock], charged)
      else if (task[sock] > 0 && waiting[task[sock]] !== 0) wakeReader(cpu, task[sock], charged)
    }
  },
)
