import { defineSystem } from '@softnet/ecs'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { PACKET_KIND, PacketSlot, PacketSock } from '../packet/components.js'
import { packetTaps } from '../packet/packet-rcv.js'
import { tpacketRcv } from '../packet/tpacket-rcv.js'
import { Skb } from '../skb/components.js'
import { sockQueueRcv } from '../sock/sock-queue-rcv.js'
import type { AppStep } from './app.js'
import { block } from './block.js'
import { Task, TaskSocket } from './components.js'
import { taskTimer } from './task-timer.js'

/** Where a capture stands. */
const PC = { look: 0, work: 1, woken: 2 } as const
/** User code can be interrupted between pieces of this length. */
const WORK_PIECE_PS = 2_000_000
const ETH_HLEN = 14

/**
 * A program that captures packets: from a ring it takes slots and blocks without a call and polls when there is none, from a
 * socket's queue it takes each by `recvfrom`. Kernel: net/packet/af_packet.c, packet_poll, packet_recvmsg
 */
export const captureStep = defineSystem<AppStep>(
  'capture',
  'task',
  'net/packet/af_packet.c, packet_poll',
  (context) => {
    const { STAGE } = NUMBERS

    const t = context.write(Task)
    const { pc, firstSocket, syscalls, messages, left, pendingWork, workPs, workPerBytePs, woken } = t
    const { sock: taskSocket } = context.read(TaskSocket)
    const { kind, firstSlot, reader, captured, capturedBytes, maxPackets, dgram, snapBytes } = context.write(PacketSock)
    const slot = context.read(PacketSlot)
    const { len } = context.read(Skb)
    const { coldPoll } = context.write(Cpu)
    const spend = context.system(charge)
    const spendPs = context.system(chargePs)
    const sleep = context.system(block)
    const timer = context.system(taskTimer)
    const queue = context.system(sockQueueRcv)
    const rings = context.system(tpacketRcv)
    const taps = context.system(packetTaps)

    function syscall(cpu: number, task: number): void {
      spend(cpu, STAGE.syscall, 1)
      syscalls[task]++
    }

    /** One packet is the program's: its work is to be done. */
    function see(cpu: number, task: number, sock: number, bytes: number): void {
      spend(cpu, STAGE.app, 1)
      captured[sock]++
      capturedBytes[sock] += bytes
      messages[task]++
      pendingWork[task] += workPs[task] + workPerBytePs[task] * bytes
    }

    function wait(cpu: number, task: number): void {
      pc[task] = PC.woken
      sleep(cpu, task)
    }

    function fromQueue(cpu: number, task: number, sock: number): void {
      if (pc[task] === PC.look) syscall(cpu, task)
      woken[task] = 0
      const row = queue.take(cpu, sock)
      if (row === 0) {
        wait(cpu, task)
        return
      }
      const bytes = Math.min(len[row] + (dgram[sock] !== 0 ? 0 : ETH_HLEN), snapBytes[sock])
      queue.finish(cpu, row, sock, bytes)
      taps.relieve(sock)
      see(cpu, task, sock, bytes)
      pc[task] = PC.work
    }

    function fromRing(cpu: number, task: number, sock: number): void {
      const row = firstSlot[sock] + reader[sock]
      if (slot.user[row] === 0) {
        if (pc[task] === PC.look) {
          syscall(cpu, task)
          spend(cpu, STAGE.poll_fd, 1)
          taps.relieve(sock)
        }
        woken[task] = 0
        wait(cpu, task)
        return
      }
      if (left[task] === 0) left[task] = slot.packets[row]
      see(cpu, task, sock, slot.bytes[row] / slot.packets[row])
      left[task]--
      pc[task] = PC.work
    }

    function work(cpu: number, task: number, sock: number): void {
      coldPoll[cpu] = 1
      const piece = pendingWork[task] < WORK_PIECE_PS ? pendingWork[task] : WORK_PIECE_PS
      if (piece > 0) spendPs(cpu, STAGE.app, piece)
      pendingWork[task] -= piece
      if (pendingWork[task] > 0) return
      const isRing = kind[sock] !== PACKET_KIND.queue
      if (isRing && left[task] === 0) rings.release(sock)
      pc[task] = PC.look
      if (captured[sock] < maxPackets[sock]) return
      kind[sock] = 0
      timer.end(cpu)
    }

    return (cpu, task) => {
      const sock = taskSocket[firstSocket[task]]
      if (pc[task] === PC.work) work(cpu, task, sock)
      else if (kind[sock] === PACKET_KIND.queue) fromQueue(cpu, task, sock)
      else fromRing(cpu, task, sock)
    }
  },
)
