import { defineSystem, drawFrom } from '@softnet/ecs'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Sock } from '../sock/components.js'
import { Task, TaskSocket } from './components.js'
import { ERRNO_ROWS, PayloadSize, SEND_ARRIVAL, SendError, SendProgram, SendStream } from './send-components.js'
import { taskTimer } from './task-timer.js'

/** What programs that send have in common. */
export interface SendMessage {
  /** Waits for the time of the next message; true if it has come, false if the task sleeps or has ended. */
  isDue(cpu: number, task: number): boolean
  /** One piece of the user's work; true when it is done. */
  work(cpu: number, task: number): boolean
  /** Decides socket, length and receiver of the next message, once. */
  choose(task: number): void
  /** The message under way is over, sent or given up. */
  advance(task: number): void
  /** Counts a failed call by its errno. */
  failed(task: number, errno: number): void
  /** Sleeps for a mean of `ps`, drawn if `random`; false if that is no time at all. */
  think(cpu: number, task: number): boolean
}

/** User code can be interrupted between pieces of this length. */
const WORK_PIECE_PS = 2_000_000

/** The user's side of programs that send: when, what and where to. Kernel: none (user space) */
export const sendMessage = defineSystem<SendMessage>('send_message', 'task', 'none (user space)', (context) => {
  const { STAGE } = NUMBERS

  const { program, firstSocket, socketCount, pendingWork, workPs } = context.write(Task)
  const { sock: taskSocket } = context.read(TaskSocket)
  const { peerAddress, peerPort } = context.read(Sock)
  const p = context.write(SendProgram)
  const { address, port, addressCount, portCount, payloadBytes, sizeBase, sizeCount, stream } = p
  const { arrival, gapWhole, gapRest, gapDenominator, burstMessages, everyPs, stopPs, limit, slackPs } = p
  const { thinkPs, thinkRandom, nextPs, restPs, burstLeft, index, chosen, sock, bytes, toAddress, toPort } = p
  const size = context.read(PayloadSize)
  const { count: errors } = context.write(SendError)
  const { clockPs } = context.read(Cpu)
  const random = drawFrom(context.write(SendStream))
  const spend = context.system(charge)
  const spendPs = context.system(chargePs)
  const timer = context.system(taskTimer)

  function drawBytes(row: number): number {
    if (sizeCount[row] === 0) return payloadBytes[row]
    const word = random.word(stream[row])
    let slot = sizeBase[row]
    while (word >= size.threshold[slot]) slot++
    return size.bytes[slot]
  }

  /** Adds one gap of the nominal rate; the part of a picosecond is carried on. */
  function addGap(row: number): void {
    let gap = gapWhole[row]
    const rest = restPs[row] + gapRest[row]
    if (rest >= gapDenominator[row]) {
      gap++
      restPs[row] = rest - gapDenominator[row]
    } else restPs[row] = rest
    nextPs[row] += gap
  }

  function addRandomGap(row: number): void {
    const mean = gapWhole[row] + gapRest[row] / gapDenominator[row]
    const gap = random.exponential(stream[row]) * mean + restPs[row]
    const whole = Math.floor(gap)
    restPs[row] = gap - whole
    nextPs[row] += whole
  }

  return {
    isDue(cpu, task) {
      const row = program[task]
      if (index[row] >= limit[row] || nextPs[row] >= stopPs[row] || clockPs[cpu] >= stopPs[row]) {
        timer.end(cpu)
        return false
      }
      if (nextPs[row] <= clockPs[cpu]) return true
      timer.due[0] = nextPs[row] + slackPs[row]
      timer.sleep(cpu, task)
      return false
    },
    work(cpu, task) {
      const piece = pendingWork[task] < WORK_PIECE_PS ? pendingWork[task] : WORK_PIECE_PS
      if (piece > 0) spendPs(cpu, STAGE.app, piece)
      pendingWork[task] -= piece
      return pendingWork[task] <= 0
    },
    choose(task) {
      const row = program[task]
      if (chosen[row] !== 0) return
      const n = index[row]
      chosen[row] = 1
      // A remainder of doubles is a call of the C library.
      sock[row] = taskSocket[firstSocket[task] + (socketCount[task] === 1 ? 0 : n % socketCount[task])]
      bytes[row] = drawBytes(row)
      toAddress[row] =
        port[row] === 0 ? peerAddress[sock[row]] : address[row] + (addressCount[row] === 1 ? 0 : n % addressCount[row])
      toPort[row] = port[row] === 0 ? peerPort[sock[row]] : port[row] + (portCount[row] === 1 ? 0 : n % portCount[row])
    },
    advance(task) {
      const row = program[task]
      chosen[row] = 0
      index[row]++
      pendingWork[task] += workPs[task]
      switch (arrival[row]) {
        case SEND_ARRIVAL.constant:
          addGap(row)
          return
        case SEND_ARRIVAL.poisson:
          addRandomGap(row)
          return
        case SEND_ARRIVAL.burst:
          burstLeft[row]--
          if (burstLeft[row] > 0) return
          burstLeft[row] = burstMessages[row]
          nextPs[row] += everyPs[row]
      }
    },
    failed(task, errno) {
      errors[program[task] * ERRNO_ROWS + errno]++
    },
    think(cpu, task) {
      const row = program[task]
      const ps = thinkRandom[row] === 0 ? thinkPs[row] : Math.floor(random.exponential(stream[row]) * thinkPs[row])
      spend(cpu, STAGE.app, 1)
      if (ps <= 0) return false
      timer.due[0] = clockPs[cpu] + ps + slackPs[row]
      timer.sleep(cpu, task)
      return true
    },
  }
})
