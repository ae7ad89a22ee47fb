import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { NUMBERS } from '../numbers.js'
import { SockSend } from '../sock/sock-wfree.js'
import { SoftirqState } from '../softirq/components.js'
import { udpSendmsg } from '../udp/udp-sendmsg.js'
import { Task } from './components.js'

/**
 * One sendto of a task: `bytes` payload to an address and port (port −1: the connected peer), in answer to a client's
 * `request` (0: nobody waits for it). False: the send buffer is full, and the task is noted as the one that waits for room.
 */
export type SendDatagram = (
  cpu: number,
  task: number,
  sock: number,
  bytes: number,
  address: number,
  port: number,
  request: number,
) => boolean

/** The send call of a program: what fails is not tried again, but for a full buffer. Kernel: net/socket.c, __sys_sendto; net/core/sock.c, sock_wait_for_wmem */
export const sendDatagram = defineSystem<SendDatagram>(
  '__sys_sendto',
  'task',
  'net/socket.c, __sys_sendto',
  (context) => {
    const { ERRNO, STAGE } = NUMBERS

    const { nonblocking } = context.read(Task)
    const { waiter, waits } = context.write(SockSend)
    const { bhDisabled, bhEnabled } = context.write(SoftirqState)
    const spend = context.system(charge)
    const udp = context.system(udpSendmsg)
    return (cpu, task, sock, bytes, address, port, request) => {
      spend(cpu, STAGE.sendmsg, 1)
      // Bottom halves are off from the queue to the driver, and run when they come on again. Kernel: __dev_queue_xmit
      bhDisabled[cpu] = 1
      const answer = udp.send(cpu, sock, bytes, address, port, null, request)
      bhDisabled[cpu] = 0
      bhEnabled[cpu] = 1
      if (answer !== -ERRNO.EAGAIN) return true
      waits[sock]++
      if (nonblocking[task] !== 0) return true
      waiter[sock] = task
      return false
    }
  },
)
