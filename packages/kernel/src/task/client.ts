import { defineSystem } from '@softnet/ecs'
import { bucketIndex } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { wheelExpiry } from '../defrag/timer-wheel.js'
import { NUMBERS } from '../numbers.js'
import { udpRecvmsg } from '../sock/udp-recvmsg.js'
import { udpSendmsg } from '../udp/udp-sendmsg.js'
import type { AppStep } from './app.js'
import { block } from './block.js'
import { Task } from './components.js'
import { RoundTrip, SendProgram } from './send-components.js'
import { sendDatagram } from './send-datagram.js'
import { sendMessage } from './send-message.js'
import { taskTimer } from './task-timer.js'

/** Where a client stands. */
const PC = { next: 0, work: 1, send: 2, receive: 3, waited: 4, think: 5 } as const
/** Requests of tasks are told apart by their program: more rows than this no scenario has. */
const PROGRAMS_MAX = 2 ** 20

/**
 * A program that sends a request, waits for its reply at most as long as SO_RCVTIMEO says, and thinks, as netperf's UDP_RR
 * does; a reply to an earlier request is thrown away. Kernel: net/socket.c, __sys_sendto, __sys_recvfrom
 */
export const clientStep = defineSystem<AppStep>('client', 'task', 'net/socket.c, __sys_recvfrom', (context) => {
  const { ERRNO, LATENCY_BUCKETS, STAGE } = NUMBERS

  const { pc, program, syscalls, messages, sending, pendingWork, bufferBytes, woken } = context.write(Task)
  const p = context.write(SendProgram)
  const { sock, bytes, toAddress, toPort, index, calls, datagrams, payloadSent, request, sentAtPs, deadlinePs } = p
  const { timedOut, timeoutPs, replies, timeouts, late, sumNs, minNs, maxNs, sendFlags, cmsg } = p
  const { count: histogram } = context.write(RoundTrip)
  const { clockPs, coldPoll } = context.write(Cpu)
  const { jiffyPs, warmupPs } = context.resource(PLAN_CONSTANTS)
  const spend = context.system(charge)
  const sleep = context.system(block)
  const user = context.system(sendMessage)
  const call = context.system(sendDatagram)
  const udp = context.system(udpRecvmsg)
  const errors = context.system(udpSendmsg)
  const timer = context.system(taskTimer)

  function syscall(cpu: number, task: number): void {
    spend(cpu, STAGE.syscall, 1)
    syscalls[task]++
  }

  function begin(cpu: number, task: number): void {
    const row = program[task]
    spend(cpu, STAGE.app, 1)
    coldPoll[cpu] = 1
    user.choose(task)
    request[row] = -(index[row] * PROGRAMS_MAX + row)
    sentAtPs[row] = clockPs[cpu]
    calls[row]++
    pc[task] = PC.send
  }

  function send(cpu: number, task: number): void {
    const row = program[task]
    if (sending[task] === 0) syscall(cpu, task)
    const answer = call.send(
      cpu,
      sock[row],
      bytes[row],
      toAddress[row] | 0,
      toPort[row],
      request[row],
      true,
      sendFlags[row],
      cmsg[row],
    )
    if (answer === -ERRNO.EAGAIN) {
      call.wait(task, sock[row])
      sending[task] = 1
      sleep(cpu, task)
      return
    }
    sending[task] = 0
    if (answer < 0) {
      user.failed(task, -answer)
      pc[task] = PC.think
      return
    }
    datagrams[row]++
    payloadSent[row] += bytes[row]
    timedOut[row] = 0
    const jiffy = jiffyPs[cpu]
    const jiffies = Math.ceil(timeoutPs[row] / jiffy)
    deadlinePs[row] = wheelExpiry(Math.floor(clockPs[cpu] / jiffy), jiffies) * jiffy
    pc[task] = PC.receive
  }

  function record(cpu: number, row: number): void {
    replies[row]++
    if (sentAtPs[row] < warmupPs) return
    const ns = (clockPs[cpu] - sentAtPs[row]) / 1000
    histogram[row * LATENCY_BUCKETS + bucketIndex(ns)]++
    if (sumNs[row] === 0 || ns < minNs[row]) minNs[row] = ns
    if (ns > maxNs[row]) maxNs[row] = ns
    sumNs[row] += ns
  }

  /** `isNew`: the call has just been made; else it goes on after a sleep. */
  function receive(cpu: number, task: number, isNew: boolean): void {
    const row = program[task]
    if (isNew) syscall(cpu, task)
    woken[task] = 0
    const pending = errors.takeError(sock[row])
    if (pending !== 0) {
      user.failed(task, pending)
      deadlinePs[row] = Number.POSITIVE_INFINITY
      pc[task] = PC.think
      return
    }
    if (udp.receive(cpu, sock[row], bufferBytes[task]) !== 0) {
      messages[task]++
      pc[task] = PC.receive
      if (udp.lastRequest[0] !== request[row]) {
        late[row]++
        return
      }
      record(cpu, row)
      deadlinePs[row] = Number.POSITIVE_INFINITY
      pc[task] = PC.think
      return
    }
    if (timedOut[row] !== 0) {
      timeouts[row]++
      user.failed(task, ERRNO.EAGAIN)
      deadlinePs[row] = Number.POSITIVE_INFINITY
      pc[task] = PC.think
      return
    }
    pc[task] = PC.waited
    timer.arm(cpu, task)
    sleep(cpu, task)
  }

  function next(cpu: number, task: number): void {
    if (pendingWork[task] > 0) pc[task] = PC.work
    else if (user.isDue(cpu, task)) begin(cpu, task)
  }

  return (cpu, task) => {
    switch (pc[task]) {
      case PC.next:
        next(cpu, task)
        return
      case PC.work:
        if (user.work(cpu, task)) pc[task] = PC.next
        return
      case PC.send:
        send(cpu, task)
        return
      case PC.think:
        user.advance(task)
        pc[task] = PC.next
        user.think(cpu, task)
        return
      default:
        receive(cpu, task, pc[task] === PC.receive)
    }
  }
})
