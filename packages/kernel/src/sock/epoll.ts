import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Task, TaskEvent } from '../task/components.js'
import { wakeTask } from '../task/wake.js'
import { Epoll, Sock } from './components.js'
import { udpRecvmsg } from './udp-recvmsg.js'

/** The ready list of an epoll instance. */
export interface EpollReady {
  /** Takes up to `max` ready sockets into TaskEvent rows from `first` on; returns how many. */
  collect(cpu: number, instance: number, first: number, max: number): number
  /** Lets the task wait on the instance. */
  wait(instance: number, task: number): void
  /** Wakes another waiter if sockets are still ready. */
  wakeNext(cpu: number, instance: number): void
}

/** epoll's ready list: level-triggered sockets go back to its tail. Kernel: fs/eventpoll.c, ep_send_events */
export const epollReady = defineSystem<EpollReady>(
  'ep_send_events',
  'sock',
  'fs/eventpoll.c, ep_send_events',
  (context) => {
    const { STAGE } = NUMBERS

    const { ready, readyNext } = context.write(Sock)
    const { readyHead, readyTail, readyCount, edge, waitHead } = context.write(Epoll)
    const { sock: eventSock } = context.write(TaskEvent)
    const { waitNext, waiting } = context.write(Task)
    const udp = context.system(udpRecvmsg)
    const spend = context.system(charge)
    const wake = context.system(wakeTask)
    context.read(Cpu)

    function toTail(instance: number, sock: number): void {
      readyNext[sock] = 0
      if (readyHead[instance] === 0) readyHead[instance] = sock
      else readyNext[readyTail[instance]] = sock
      readyTail[instance] = sock
      readyCount[instance]++
    }

    return {
      collect(cpu, instance, first, max) {
        let looked = readyCount[instance]
        let n = 0
        while (looked > 0 && n < max) {
          looked--
          const sock = readyHead[instance]
          readyHead[instance] = readyNext[sock]
          if (readyHead[instance] === 0) readyTail[instance] = 0
          readyCount[instance]--
          readyNext[sock] = 0
          if (!udp.readable(sock)) {
            // Level-triggered sockets stay listed until a look finds them empty.
            ready[sock] = 0
            continue
          }
          spend(cpu, STAGE.epoll_event, 1)
          eventSock[first + n++] = sock
          if (edge[instance] === 0) toTail(instance, sock)
          else ready[sock] = 0
        }
        return n
      },
      wait(instance, task) {
        waitNext[task] = waitHead[instance]
        waitHead[instance] = task
      },
      wakeNext(cpu, instance) {
        const waiter = waitHead[instance]
        if (waiter === 0 || readyCount[instance] === 0) return
        waitHead[instance] = waitNext[waiter]
        waitNext[waiter] = 0
        waiting[waiter] = 0
        wake(cpu, waiter)
      },
    }
  },
)
