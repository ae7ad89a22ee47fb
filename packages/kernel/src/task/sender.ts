import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import type { AppStep } from './app.js'
import { block } from './block.js'
import { Task } from './components.js'
import { SendProgram } from './send-components.js'
import { sendDatagram } from './send-datagram.js'
import { sendMessage } from './send-message.js'

/** Where a sender stands. */
const PC = { next: 0, work: 1, message: 2, piece: 3, uncork: 4 } as const

/**
 * A program that sends: `sendto` for each message, or `sendmmsg` for as many as are due, up to its vlen. A message that fails
 * is given up, but for one that waits for room in the send buffer. A message in pieces is corked. Kernel: net/socket.c, __sys_sendto, __sys_sendmmsg
 */
export const senderStep = defineSystem<AppStep>('sender', 'task', 'net/socket.c, __sys_sendmmsg', (context) => {
  const { ERRNO, MSG, STAGE } = NUMBERS

  const { pc, program, nonblocking, syscalls, messages, sending, pendingWork } = context.write(Task)
  const {
    batch,
    left,
    done,
    nextPs,
    stopPs,
    index,
    limit,
    sock,
    bytes,
    toAddress,
    toPort,
    calls,
    datagrams,
    payloadSent,
    pieces,
    written,
    corks,
    cmsg,
    sendFlags,
  } = context.write(SendProgram)
  const { clockPs, coldPoll } = context.write(Cpu)
  const spend = context.system(charge)
  const sleep = context.system(block)
  const user = context.system(sendMessage)
  const call = context.system(sendDatagram)

  function begin(cpu: number, task: number): void {
    const row = program[task]
    spend(cpu, STAGE.app, 1)
    spend(cpu, STAGE.syscall, 1)
    coldPoll[cpu] = 1
    syscalls[task]++
    calls[row] += corks[row] === 0 ? 1 : 0
    left[row] = batch[row] === 0 ? 1 : batch[row]
    done[row] = 0
    pc[task] = PC.message
    if (corks[row] === 0) return
    user.choose(task)
    call.cork(cpu, sock[row], 1)
    pc[task] = PC.piece
  }

  /** One more call for the message under way. */
  function piece(cpu: number, task: number): void {
    spend(cpu, STAGE.syscall, 1)
    syscalls[task]++
    calls[program[task]]++
    pc[task] = PC.message
  }

  /** What was written is sent by clearing UDP_CORK. */
  function uncork(cpu: number, task: number): void {
    const row = program[task]
    spend(cpu, STAGE.syscall, 1)
    syscalls[task]++
    call.cork(cpu, sock[row], 0)
    over(task)
  }

  /** The message under way has been sent, or given up. */
  function over(task: number): void {
    const row = program[task]
    if (done[row] !== 0) {
      datagrams[row]++
      payloadSent[row] += bytes[row]
      messages[task]++
    }
    user.advance(task)
    pc[task] = PC.next
  }

  /** Payload of the piece that is next. */
  function pieceBytes(row: number): number {
    const n = pieces[row]
    const i = written[row]
    return Math.floor((bytes[row] * (i + 1)) / n) - Math.floor((bytes[row] * i) / n)
  }

  /** A piece of a message was taken, or (`answer` negative) the whole of it is lost. */
  function pieceDone(task: number, answer: number): void {
    const row = program[task]
    written[row]++
    if (answer < 0) user.failed(task, -answer)
    else if (written[row] < pieces[row]) {
      pc[task] = PC.piece
      return
    }
    written[row] = 0
    done[row] = answer < 0 ? 0 : 1
    if (corks[row] !== 0) pc[task] = PC.uncork
    else over(task)
  }

  /** The call goes on with its next message if that is due already. */
  function goesOn(cpu: number, row: number): boolean {
    return left[row] > 0 && nextPs[row] <= clockPs[cpu] && nextPs[row] < stopPs[row] && index[row] < limit[row]
  }

  function message(cpu: number, task: number): void {
    const row = program[task]
    user.choose(task)
    const waits = nonblocking[task] === 0
    const isPiece = pieces[row] > 1
    const size = isPiece ? pieceBytes(row) : bytes[row]
    const flags = sendFlags[row] | (corks[row] === 0 && written[row] < pieces[row] - 1 ? MSG.more : 0)
    const answer = call.send(cpu, sock[row], size, toAddress[row] | 0, toPort[row], 0, waits, flags, cmsg[row])
    if (answer === -ERRNO.EAGAIN && waits) {
      call.wait(task, sock[row])
      sending[task] = 1
      sleep(cpu, task)
      return
    }
    sending[task] = 0
    if (isPiece) {
      pieceDone(task, answer)
      return
    }
    left[row]--
    if (answer < 0) {
      // A later message of sendmmsg fails silently: the program hears how many were sent, and tries again from there.
      if (done[row] === 0) {
        user.failed(task, -answer)
        user.advance(task)
      }
      pc[task] = PC.next
      return
    }
    done[row]++
    datagrams[row]++
    payloadSent[row] += bytes[row]
    messages[task]++
    user.advance(task)
    if (!goesOn(cpu, row)) pc[task] = PC.next
  }

  return (cpu, task) => {
    switch (pc[task]) {
      case PC.next:
        if (pendingWork[task] > 0) pc[task] = PC.work
        else if (user.isDue(cpu, task)) begin(cpu, task)
        return
      case PC.work:
        if (user.work(cpu, task)) pc[task] = PC.next
        return
      case PC.piece:
        piece(cpu, task)
        return
      case PC.uncork:
        uncork(cpu, task)
        return
      default:
        message(cpu, task)
    }
  }
})
