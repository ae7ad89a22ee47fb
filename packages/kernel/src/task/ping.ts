import { defineSystem } from '@softnet/ecs'
import { bucketIndex } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { RAW_KIND, RawSock } from '../raw/components.js'
import { icmpSendmsg } from '../raw/icmp-sendmsg.js'
import { rawInput } from '../raw/raw-v4-input.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { sockQueueRcv } from '../sock/sock-queue-rcv.js'
import { SockSend, sockWfree } from '../sock/sock-wfree.js'
import { SoftirqState } from '../softirq/components.js'
import type { AppStep } from './app.js'
import { block } from './block.js'
import { Task, TaskSocket } from './components.js'
import { PingProgram, PingSent } from './ping-components.js'
import { RoundTrip, SendProgram } from './send-components.js'
import { sendMessage } from './send-message.js'
import { taskTimer } from './task-timer.js'

/** Where a ping stands. */
const PC = { pinger: 0, send: 1, receive: 2, woken: 3, drain: 4 } as const
/** A flood without replies sends a hundred requests a second. Kernel: none (iputils, MIN_INTERVAL_MS) */
const FLOOD_PAUSE_PS = 10e9
/** Data that has room for the time of sending, bytes: struct timeval. */
const TIMED_BYTES = 16
const ICMP_HLEN = 8

/**
 * `ping`: a request, then replies until the next one is due; at the end a wait of twice the longest round trip. Round trips are
 * from before `sendto` to the stamp of the reply (SO_TIMESTAMP). Kernel: none (user space: iputils, ping_common.c, main_loop)
 */
export const pingStep = defineSystem<AppStep>('ping', 'task', 'none (user space)', (context) => {
  const { ERRNO, ICMP_TYPE, IPPROTO_ICMP, LATENCY_BUCKETS, SKB, STAGE } = NUMBERS

  const { pc, program, syscalls, messages, sending, bufferBytes, woken, firstSocket } = context.write(Task)
  const { sock: taskSocket } = context.read(TaskSocket)
  const p = context.write(SendProgram)
  const { address, payloadBytes, limit, startPs, timeoutPs, slackPs, calls, datagrams, payloadSent } = p
  const { deadlinePs, timedOut, replies, sumNs, minNs, maxNs } = p
  const { lastPs, intervalPs, firstSent, sentRows, transmitted, received, duplicates, errors, sumSquaresNs } =
    context.write(PingProgram)
  const { sequence: sentSequence, atPs, answered } = context.write(PingSent)
  const { count: histogram } = context.write(RoundTrip)
  const { kind, ident } = context.read(RawSock)
  const { tcpWord, tcpSeq, tstampPs, flags, len, ipWord } = context.read(Skb)
  const { noSpace } = context.read(SockSend)
  const { bhDisabled, bhEnabled } = context.write(SoftirqState)
  const { clockPs, coldPoll } = context.write(Cpu)
  const { warmupPs } = context.resource(PLAN_CONSTANTS)
  const spend = context.system(charge)
  const sleep = context.system(block)
  const user = context.system(sendMessage)
  const send = context.system(icmpSendmsg)
  const queue = context.system(sockQueueRcv)
  const bytes = context.system(skbBytes)
  const wfree = context.system(sockWfree)
  const timer = context.system(taskTimer)
  const sockets = context.system(rawInput)

  function syscall(cpu: number, task: number): void {
    spend(cpu, STAGE.syscall, 1)
    syscalls[task]++
  }

  function inFlight(row: number): number {
    return transmitted[row] - received[row] - errors[row]
  }

  /** When the next request is due, or, after the last, when it has waited long enough. Kernel: none (iputils, pinger, __schedule_exit) */
  function dueAt(row: number): number {
    if (transmitted[row] === 0) return startPs[row]
    if (transmitted[row] >= limit[row]) {
      if (received[row] === 0) return lastPs[row] + timeoutPs[row]
      return lastPs[row] + Math.max(2000 * maxNs[row], intervalPs[row])
    }
    if (intervalPs[row] > 0) return lastPs[row] + intervalPs[row]
    return inFlight(row) >= 1 ? lastPs[row] + FLOOD_PAUSE_PS : lastPs[row]
  }

  function pinger(cpu: number, task: number): void {
    const row = program[task]
    const isOver = transmitted[row] >= limit[row]
    const due = dueAt(row)
    if (isOver && (received[row] + errors[row] >= limit[row] || due <= clockPs[cpu])) {
      sockets.close(taskSocket[firstSocket[task]])
      timer.end(cpu)
      return
    }
    if (due <= clockPs[cpu]) {
      pc[task] = PC.send
      return
    }
    if (transmitted[row] === 0) {
      timer.due[0] = due + slackPs[row]
      timer.sleep(cpu, task)
      return
    }
    deadlinePs[row] = due + slackPs[row]
    timedOut[row] = 0
    pc[task] = PC.receive
  }

  function sendOne(cpu: number, task: number): void {
    const row = program[task]
    const sock = taskSocket[firstSocket[task]]
    if (sending[task] === 0) {
      spend(cpu, STAGE.app, 1)
      coldPoll[cpu] = 1
      syscall(cpu, task)
      calls[row]++
      const slot = slotOf(row, transmitted[row] + 1)
      sentSequence[slot] = transmitted[row] + 1
      answered[slot] = 0
      atPs[slot] = clockPs[cpu]
    }
    bhDisabled[cpu] = 1
    const answer = send(cpu, sock, payloadBytes[row], address[row] | 0, transmitted[row] + 1)
    bhDisabled[cpu] = 0
    bhEnabled[cpu] = 1
    if (answer === -ERRNO.EAGAIN && noSpace[sock] !== 0) {
      wfree.wait(task, sock)
      sending[task] = 1
      sleep(cpu, task)
      return
    }
    sending[task] = 0
    lastPs[row] = clockPs[cpu]
    transmitted[row]++
    pc[task] = PC.pinger
    if (answer < 0) {
      user.failed(task, -answer)
      errors[row]++
      return
    }
    datagrams[row]++
    payloadSent[row] += payloadBytes[row]
  }

  function slotOf(row: number, sequence: number): number {
    return firstSent[row] + (sequence & (sentRows[row] - 1))
  }

  function measure(row: number, ps: number, sentPs: number): void {
    const ns = Math.max(0, ps) / 1000
    if (received[row] === 1 || ns < minNs[row]) minNs[row] = ns
    if (ns > maxNs[row]) maxNs[row] = ns
    sumNs[row] += ns
    sumSquaresNs[row] += ns * ns
    if (sentPs >= warmupPs) histogram[row * LATENCY_BUCKETS + bucketIndex(ns)]++
  }

  /** Kernel: none (iputils, gather_statistics) */
  function reply(cpu: number, task: number, skb: number): void {
    const row = program[task]
    // Sequence numbers are 16 bits of a longer count.
    const slot = slotOf(row, tcpSeq[skb] & 0xffff)
    if ((sentSequence[slot] & 0xffff) !== (tcpSeq[skb] & 0xffff)) return
    if (answered[slot] !== 0) {
      duplicates[row]++
      return
    }
    answered[slot] = 1
    received[row]++
    replies[row]++
    const nowPs = tstampPs[skb] > 0 ? tstampPs[skb] : clockPs[cpu]
    if (payloadBytes[row] >= TIMED_BYTES) measure(row, nowPs - atPs[slot], atPs[slot])
  }

  /** True if an ICMP error that a raw socket was given quotes a request of this ping. */
  function isOwnError(task: number, skb: number): boolean {
    if (!bytes.has(skb)) return false
    const quote = ((ipWord[skb] >>> 24) & 15) * 4 + ICMP_HLEN
    const header = quote + (bytes.u8(skb, quote) & 15) * 4
    if (bytes.u8(skb, quote + 9) !== IPPROTO_ICMP || bytes.u8(skb, header) !== ICMP_TYPE.echo) return false
    const row = program[task]
    return (
      bytes.u32(skb, quote + 16) === address[row] && bytes.u16(skb, header + 4) === ident[taskSocket[firstSocket[task]]]
    )
  }

  function take(cpu: number, task: number, skb: number): void {
    const sock = taskSocket[firstSocket[task]]
    messages[task]++
    spend(cpu, STAGE.app, 1)
    const type = tcpWord[skb] & 255
    const isOurs = kind[sock] === RAW_KIND.ping || tcpSeq[skb] >>> 16 === ident[sock]
    if (type === ICMP_TYPE.echoReply && isOurs) reply(cpu, task, skb)
    else if (type !== ICMP_TYPE.echoReply && isOwnError(task, skb)) errors[program[task]]++
    const header = (flags[skb] & SKB.pulled) !== 0 ? 0 : ((ipWord[skb] >>> 24) & 15) * 4
    const whole = kind[sock] === RAW_KIND.raw ? bytes.length(skb) : len[skb] - header
    queue.finish(cpu, skb, sock, Math.min(whole, bufferBytes[task]))
  }

  /** `isNew`: the call has just been made; else it goes on after a sleep. */
  function receive(cpu: number, task: number, isNew: boolean): void {
    const row = program[task]
    const sock = taskSocket[firstSocket[task]]
    if (isNew) syscall(cpu, task)
    woken[task] = 0
    const skb = queue.take(cpu, sock)
    if (skb !== 0) {
      take(cpu, task, skb)
      pc[task] = inFlight(row) === 0 ? over(row) : PC.drain
      return
    }
    if (timedOut[row] !== 0) {
      pc[task] = over(row)
      return
    }
    pc[task] = PC.woken
    timer.arm(cpu, task)
    sleep(cpu, task)
  }

  function over(row: number): number {
    deadlinePs[row] = Number.POSITIVE_INFINITY
    return PC.pinger
  }

  /** After the first message the call does not wait. */
  function drain(cpu: number, task: number): void {
    const row = program[task]
    syscall(cpu, task)
    const skb = queue.take(cpu, taskSocket[firstSocket[task]])
    if (skb !== 0) take(cpu, task, skb)
    if (skb === 0 || inFlight(row) === 0) pc[task] = over(row)
  }

  return (cpu, task) => {
    switch (pc[task]) {
      case PC.pinger:
        pinger(cpu, task)
        return
      case PC.send:
        sendOne(cpu, task)
        return
      case PC.drain:
        drain(cpu, task)
        return
      default:
        receive(cpu, task, pc[task] === PC.receive)
    }
  }
})
