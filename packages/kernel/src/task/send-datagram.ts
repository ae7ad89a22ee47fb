import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { NUMBERS } from '../numbers.js'
import { SockSend, sockWfree } from '../sock/sock-wfree.js'
import { SoftirqState } from '../softirq/components.js'
import { udpSendmsg } from '../udp/udp-sendmsg.js'

/** Sending by the calls of a task. */
export interface SendDatagram {
  /**
   * One message: `bytes` payload to an address and port (port −1: the connected peer), in answer to a client's `request`, or
   * as one (0: neither). Returns `bytes` or a negative errno; −EAGAIN: the send buffer is full,
   * which is no failure where the task is going to wait (`isBlocking`). `flags`: bits of `MSG`; `cmsg`: row of `SendCmsg`.
   */
  send(
    cpu: number,
    sock: number,
    bytes: number,
    address: number,
    port: number,
    request: number,
    isBlocking: boolean,
    flags: number,
    cmsg: number,
  ): number
  /** setsockopt(UDP_CORK): 1 holds what is sent back, 0 sends it. */
  cork(cpu: number, sock: number, on: number): void
  /** Notes a task that is about to sleep until there is room. */
  wait(task: number, sock: number): void
}

/** Part of `sendmsg` that a call costs which fails before it has a packet: the call's layers, reading the message, the route. */
const FAILED_PART = 0.35
/** Parts of it that setting UDP_CORK and clearing it cost, apart from what is sent then: see `udp/model.md`. */
const CORK_PART = 0.06
const UNCORK_PART = 0.16

/** The send calls of a program. Kernel: net/socket.c, __sys_sendto; net/core/sock.c, sock_wait_for_wmem */
export const sendDatagram = defineSystem<SendDatagram>(
  '__sys_sendto',
  'task',
  'net/socket.c, __sys_sendto',
  (context) => {
    const { ERRNO, STAGE } = NUMBERS

    const { cork } = context.write(SockSend)
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
      flags: number,
      cmsg: number,
    ): number {
      // Bottom halves are off from the queue to the driver, and run when they come on again. Kernel: __dev_queue_xmit
      bhDisabled[cpu] = 1
      const answer = udp.send(cpu, sock, bytes, address, port, null, request, flags, cmsg)
      bhDisabled[cpu] = 0
      bhEnabled[cpu] = 1
      if (answer < 0 && !(isBlocking && answer === -ERRNO.EAGAIN)) {
        spend(cpu, STAGE.sendmsg, FAILED_PART)
        udp.failed(cpu, sock, -answer)
      }
      return answer
    }
    function setCork(cpu: number, sock: number, on: number): void {
      spend(cpu, STAGE.sendmsg, on !== 0 ? CORK_PART : UNCORK_PART)
      if (on !== 0) {
        cork[sock] = 1
        return
      }
      bhDisabled[cpu] = 1
      udp.uncork(cpu, sock)
      bhDisabled[cpu] = 0
      bhEnabled[cpu] = 1
    }

    return { send, cork: setCork, wait: wfree.wait }
  },
)
