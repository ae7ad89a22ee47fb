import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { Napi } from '../napi/components.js'
import { napiControl } from '../napi/napi.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Epoll, Sock } from '../sock/components.js'
import { epollReady } from '../sock/epoll.js'
import { udpRecvmsg } from '../sock/udp-recvmsg.js'
import { block } from './block.js'
import { busyPoll } from './busy-poll.js'
import { Task, TaskEvent, TaskRequest, TaskSocket } from './components.js'
import { sendDatagram } from './send-datagram.js'

/** One step of an application: at most one message, one event list or one piece of a poll. */
export type AppStep = (cpu: number, task: number) => void

const MICROSECOND_PS = 1_024_000
/** User code can be interrupted between pieces of this length. */
const WORK_PIECE_PS = 2_000_000

/**
 * Programs that read UDP sockets: recvfrom, recvmmsg, epoll_wait, select and poll loops, with busy polling where asked.
 * Kernel: net/socket.c, __sys_recvfrom, do_recvmmsg; fs/eventpoll.c, ep_poll; fs/select.c, do_select
 */
export const appStep = defineSystem<AppStep>('app', 'task', 'net/socket.c, __sys_recvfrom', (context) => {
  const { ERRNO, PC, STAGE, WAIT } = NUMBERS

  const t = context.write(Task)
  const { pc, wait, firstSocket, socketCount, epoll, batch, maxEvents, nonblocking, workPs, workPerBytePs, echo } = t
  const { bufferBytes, replyBytes, left, got, socket, events, cursor, pendingWork, busyUntilPs, busyNapi, busyReturn } =
    t
  const { messages, syscalls, firstRequest, requestCount, firstEvent, sending } = t
  const { sock: taskSocket } = context.read(TaskSocket)
  const { sock: eventSock } = context.write(TaskEvent)
  const req = context.write(TaskRequest)
  const { busyPollPs, preferBusyPoll, busyPollBudget, napi: sockNapi, connected } = context.read(Sock)
  const ep = context.write(Epoll)
  const { dev: napiDev } = context.read(Napi)
  const { irqSuspendTimeoutPs } = context.read(NetDev)
  const { clockPs, coldPoll } = context.write(Cpu)
  const constants = context.resource(PLAN_CONSTANTS)
  const globalBusyPs = perCpu(constants, ({ sysctl }) => sysctl['net.core.busy_poll'] * MICROSECOND_PS)
  const spend = context.system(charge)
  const spendPs = context.system(chargePs)
  const udp = context.system(udpRecvmsg)
  const ready = context.system(epollReady)
  const sleep = context.system(block)
  const busy = context.system(busyPoll)
  const control = context.system(napiControl)
  const call = context.system(sendDatagram)

  function syscall(cpu: number, task: number): void {
    spend(cpu, STAGE.syscall, 1)
    syscalls[task]++
  }

  /** Takes one message off `sock`; true if there was one. */
  function readMessage(cpu: number, task: number, sock: number): boolean {
    const bytes = udp.receive(cpu, sock, bufferBytes[task])
    if (bytes === 0) return false
    messages[task]++
    got[task]++
    pendingWork[task] += workPs[task] + workPerBytePs[task] * (bytes - 1)
    if (echo[task] !== 0) {
      const row = firstRequest[task] + requestCount[task]
      req.request[row] = udp.lastRequest[0]
      req.bytes[row] = replyBytes[task] === 0 ? bytes - 1 : replyBytes[task]
      req.sock[row] = sock
      req.address[row] = udp.lastAddress()
      req.port[row] = udp.lastPort()
      requestCount[task]++
    }
    return true
  }

  function begin(task: number): void {
    const kind = wait[task]
    pc[task] = kind === WAIT.epollWait ? PC.epollCall : kind >= WAIT.select ? PC.pollCall : PC.receive
    if (pc[task] !== PC.receive) return
    socket[task] = taskSocket[firstSocket[task]]
    left[task] = kind === WAIT.recvmmsg ? batch[task] : 1
    got[task] = 0
  }

  /** Nothing to read: poll the device (`napi` 0: none) for `budgetPs` or once, come back at once, or sleep until `again`. */
  function nothing(cpu: number, task: number, napi: number, budgetPs: number, again: number): void {
    if (napi !== 0 && busyUntilPs[task] === 0) {
      busyNapi[task] = napi
      busyUntilPs[task] = clockPs[cpu] + budgetPs
      busyReturn[task] = again
      pc[task] = PC.busyTurn
      return
    }
    busyUntilPs[task] = 0
    pc[task] = again
    if (nonblocking[task] !== 0) {
      pc[task] = PC.start
      return
    }
    sleep(cpu, task)
  }

  function receive(cpu: number, task: number): void {
    const sock = socket[task]
    if (got[task] === 0 && left[task] > 0 && busyUntilPs[task] === 0 && t.woken[task] === 0) syscall(cpu, task)
    t.woken[task] = 0
    if (left[task] > 0 && readMessage(cpu, task, sock)) {
      busyUntilPs[task] = 0
      left[task]--
      if (left[task] === 0) pc[task] = PC.work
      return
    }
    if (got[task] > 0) {
      pc[task] = PC.work
      return
    }
    nothing(cpu, task, busyPollPs[sock] > 0 ? sockNapi[sock] : 0, busyPollPs[sock], PC.receive)
  }

  function work(cpu: number, task: number): void {
    coldPoll[cpu] = 1
    if (got[task] > 0) spend(cpu, STAGE.app, got[task])
    got[task] = 0
    const piece = pendingWork[task] < WORK_PIECE_PS ? pendingWork[task] : WORK_PIECE_PS
    if (piece > 0) spendPs(cpu, STAGE.app, piece)
    pendingWork[task] -= piece
    if (pendingWork[task] > 0) return
    if (requestCount[task] > 0) pc[task] = PC.reply
    else afterWork(task)
  }

  function afterWork(task: number): void {
    if (wait[task] < WAIT.epollWait) pc[task] = PC.start
    else pc[task] = cursor[task] < events[task] ? PC.readEvent : PC.start
  }

  function reply(cpu: number, task: number): void {
    const row = firstRequest[task] + requestCount[task] - 1
    if (sending[task] === 0) syscall(cpu, task)
    sending[task] = 0
    const sock = req.sock[row]
    const to = connected[sock] !== 0 ? -1 : req.port[row]
    const answer = call.send(
      cpu,
      sock,
      req.bytes[row],
      req.address[row] | 0,
      to,
      req.request[row],
      nonblocking[task] === 0,
      0,
      0,
    )
    if (answer === -ERRNO.EAGAIN && nonblocking[task] === 0) {
      call.wait(task, sock)
      sending[task] = 1
      sleep(cpu, task)
      return
    }
    requestCount[task]--
    if (requestCount[task] === 0) afterWork(task)
  }

  function eventsFound(cpu: number, task: number): void {
    busyUntilPs[task] = 0
    cursor[task] = 0
    left[task] = batch[task]
    pc[task] = PC.readEvent
    const instance = epoll[task]
    if (instance === 0 || ep.preferBusyPoll[instance] === 0) return
    const napi = ep.napi[instance]
    const suspendPs = napi === 0 ? 0 : irqSuspendTimeoutPs[napiDev[napi]]
    if (suspendPs > 0) control.startTimer(cpu, napi, suspendPs)
  }

  /** Ends a suspension early: the poll that follows unmasks or defers. Kernel: net/core/dev.c, napi_resume_irqs */
  function resumeIrqs(cpu: number, napi: number): void {
    if (irqSuspendTimeoutPs[napiDev[napi]] > 0 && control.schedulePrep(napi)) control.schedule(cpu, napi)
  }

  function epollCollect(cpu: number, task: number): void {
    const instance = epoll[task]
    const n = ready.collect(cpu, instance, firstEvent[task], maxEvents[task])
    events[task] = n
    if (n > 0) {
      ready.wakeNext(cpu, instance)
      eventsFound(cpu, task)
      return
    }
    const budgetPs = ep.busyPollPs[instance] > 0 ? ep.busyPollPs[instance] : globalBusyPs[cpu]
    const prefer = ep.preferBusyPoll[instance] !== 0
    // Without a time of its own, an instance that prefers polling does so once.
    const napi = budgetPs > 0 || prefer ? ep.napi[instance] : 0
    const polled = napi !== 0 && busyUntilPs[task] !== 0
    if (polled) ep.napi[instance] = 0
    if (polled && prefer) resumeIrqs(cpu, napi)
    if (nonblocking[task] === 0 && (napi === 0 || polled)) ready.wait(instance, task)
    nothing(cpu, task, napi, budgetPs, PC.epollCollect)
  }

  /** Reads the socket of the next event: one message per step, with a call each. */
  function readEvent(cpu: number, task: number): void {
    const sock = eventSock[firstEvent[task] + cursor[task]]
    if (left[task] > 0) {
      syscall(cpu, task)
      if (readMessage(cpu, task, sock)) {
        left[task]--
        if (left[task] === 0 && !(epoll[task] !== 0 && ep.edge[epoll[task]] !== 0)) nextEvent(task)
        else if (left[task] === 0) left[task] = batch[task]
        pc[task] = PC.work
        return
      }
    }
    nextEvent(task)
    pc[task] = cursor[task] < events[task] ? PC.readEvent : PC.start
  }

  function nextEvent(task: number): void {
    cursor[task]++
    left[task] = batch[task]
  }

  /** select and poll look at every descriptor on each call. Kernel: fs/select.c, do_select, do_poll */
  function pollCall(cpu: number, task: number): void {
    if (t.woken[task] === 0 && busyUntilPs[task] === 0) syscall(cpu, task)
    t.woken[task] = 0
    const n = socketCount[task]
    spend(cpu, STAGE.poll_fd, n)
    let found = 0
    for (let i = 0; i < n && found < maxEvents[task]; i++) {
      const sock = taskSocket[firstSocket[task] + i]
      if (udp.readable(sock)) eventSock[firstEvent[task] + found++] = sock
    }
    events[task] = found
    if (found > 0) {
      eventsFound(cpu, task)
      return
    }
    const budgetPs = globalBusyPs[cpu]
    nothing(cpu, task, budgetPs > 0 ? sockNapi[taskSocket[firstSocket[task]]] : 0, budgetPs, PC.pollCall)
  }

  function anythingToRead(task: number): boolean {
    if (epoll[task] !== 0) return ep.readyCount[epoll[task]] > 0
    const n = socketCount[task]
    for (let i = 0; i < n; i++) if (udp.readable(taskSocket[firstSocket[task] + i])) return true
    return false
  }

  function busyBudget(task: number): number {
    const own = epoll[task] !== 0 ? ep.busyPollBudget[epoll[task]] : busyPollBudget[taskSocket[firstSocket[task]]]
    return own > 0 ? own : 8
  }

  function prefers(task: number): boolean {
    return epoll[task] !== 0
      ? ep.preferBusyPoll[epoll[task]] !== 0
      : preferBusyPoll[taskSocket[firstSocket[task]]] !== 0
  }

  function busyTurn(cpu: number, task: number): void {
    if (busy.begin(cpu, task, busyBudget(task), prefers(task))) {
      pc[task] = PC.busyPolling
      return
    }
    busyCheck(cpu, task)
  }

  function busyCheck(cpu: number, task: number): void {
    if (!anythingToRead(task) && clockPs[cpu] < busyUntilPs[task]) {
      pc[task] = PC.busyTurn
      return
    }
    pc[task] = busy.stop(cpu, task, busyBudget(task), prefers(task)) ? PC.busyStopping : busyReturn[task]
  }

  function busyPolling(cpu: number, task: number): void {
    if (!busy.run(cpu, task)) return
    if (pc[task] === PC.busyStopping) pc[task] = busyReturn[task]
    else busyCheck(cpu, task)
  }

  return (cpu, task) => {
    switch (pc[task]) {
      case PC.start:
        begin(task)
        return
      case PC.receive:
        receive(cpu, task)
        return
      case PC.work:
        work(cpu, task)
        return
      case PC.reply:
        reply(cpu, task)
        return
      case PC.epollCall:
        syscall(cpu, task)
        spend(cpu, STAGE.epoll_wait, 1)
        pc[task] = PC.epollCollect
        return
      case PC.epollCollect:
        epollCollect(cpu, task)
        return
      case PC.readEvent:
        readEvent(cpu, task)
        return
      case PC.pollCall:
        pollCall(cpu, task)
        return
      case PC.busyTurn:
        busyTurn(cpu, task)
        return
      default:
        busyPolling(cpu, task)
    }
  }
})
