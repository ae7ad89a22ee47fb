import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { NUMBERS } from '../numbers.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { SoftirqState } from '../softirq/components.js'
import { udpSendmsg } from '../udp/udp-sendmsg.js'

/** Sending by the calls of a task. */
export interface SendDatagram {
  /**
   * One message: `bytes` payload to an address and port (port −1: the connected peer), in answer to a client's `request`, or
   * as one (0: neither). Returns `bytes` or a negative errno; −EAGAIN: the send buffer is full,
   * which is no failure where the task is going to wait (`isBlocking`).
   */
  send(
    cpu: number,
    sock: number,
    bytes: number,
    address: number,
    port: number,
    request: number,
    isBlocking: boolean,
  ): number
  /** Notes a task that is about to sleep until there is room. */
  wait(task: number, sock: number): void
}

/** Part of `sendmsg` that a call costs which fails before it has a packet: the call's layers, reading the message, the route. */
const FAILED_PART = 0.35

/** The send calls of a program. Kernel: net/socket.c, __sys_sendto; net/core/sock.c, sock_wait_for_wmem */
export const sendDatagram = defineSystem<SendDatagram>(
  '__sys_sendto',
  'task',
  'net/socket.c, __sys_sendto',
  (context) => {
    const { ERRNO, STAGE } = NUMBERS

    const { bhDisabled, bhEnabled } = context.write(SoftirqState)
    const spend = context.system(charge)
    const udp = context.system(udpSendmsg)
    const wfree = context.system(sockWfree)
    function send(
      cpu: number,
      sock: number,
      bytes: number,
      address: number,
      port: number,
      request: number,
      isBlocking: boolean,
    ): number {
      // Bottom halves are off from the queue to the driver, and run when they come on again. Kernel: __dev_queue_xmit
      bhDisabled[cpu] = 1
      const answer = udp.send(cpu, sock, bytes, address, port, null, request)
      bhDisabled[cpu] = 0
      bhEnabled[cpu] = 1
      if (answer < 0 && !(isBlocking && answer === -ERRNO.EAGAIN)) {
        spend(cpu, STAGE.sendmsg, FAILED_PART)
        udp.failed(cpu, sock, -answer)
      }
      return answer
    }
    return { send, wait: wfree.wait }
  },
)
