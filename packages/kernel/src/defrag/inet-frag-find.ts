import { defineSystem, mixSigned32 } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { STAGE } from '../cpu/stage-ids.js'
import { Skb } from '../skb/components.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { FragBucket, FragDir, FragPeer, FragPeerBucket, FragQueue } from './components.js'
import { fragRows, IPQ_BYTES } from './frag-rows.js'
import { fragTimers } from './frag-timer.js'

/** Queues of a host's fragments. */
export interface InetFrags {
  /** Queue that a fragment belongs to, made if there is none; 0 if memory is above ipfrag_high_thresh. */
  find(cpu: number, row: number): number
  /** inet_frag_kill: takes the queue out of the hash and stops its timer. */
  kill(queue: number): void
  /** Frees held fragments; `drop` names place and reason, −1 is SKB_CONSUMED, which no drop event shows. */
  purge(cpu: number, queue: number, drop: number): void
  /** inet_frag_destroy: gives the row of a killed queue back, with all it holds (see `purge`). */
  destroy(cpu: number, queue: number, drop: number): void
  /** add_frag_mem_limit, and sub_frag_mem_limit with less than 0. */
  account(queue: number, bytes: number): void
}

/**
 * The table of reassembly queues by addresses, id and protocol, and the memory they are charged for. Nothing is evicted:
 * above the limit every fragment is refused until timers have freed memory.
 * Kernel: net/ipv4/inet_fragment.c, inet_frag_find, inet_frag_create, inet_frag_kill, inet_frag_destroy
 */
export const inetFrags = defineSystem<InetFrags>(
  'inet_frags',
  'defrag',
  'net/ipv4/inet_fragment.c, inet_frag_find',
  (context) => {
    const { saddr, daddr, idFrag, ipWord } = context.read(Skb)
    const { next, truesize, fragNextRun } = context.write(Skb)
    const { net } = context.read(Cpu)
    const dir = context.write(FragDir)
    const q = context.write(FragQueue)
    const { queue: bucket } = context.write(FragBucket)
    const peers = context.write(FragPeer)
    const { peer: peerBucket } = context.write(FragPeerBucket)
    const spend = context.system(charge)
    const timers = context.system(fragTimers)
    const kfree = context.system(kfreeSkb)
    const consume = context.system(consumeSkb)
    const { packetRows, nets } = context.resource(PLAN_CONSTANTS)
    const rows = fragRows(nets, packetRows)
    const firstBucket = Int32Array.from(rows, (each) => each.firstBucket)
    const bucketMask = Int32Array.from(rows, (each) => each.bucketMask)
    const highThresh = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.ipfrag_high_thresh'])
    const maxDist = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.ipfrag_max_dist'])

    function slot(at: number, from: number, to: number, idProtocol: number): number {
      return firstBucket[at] + (mixSigned32(mixSigned32(from, to), idProtocol) & bucketMask[at])
    }

    function peerSlot(at: number, from: number): number {
      return firstBucket[at] + (mixSigned32(from, 0) & bucketMask[at])
    }

    function account(queue: number, bytes: number): void {
      const at = q.host[queue] + 1
      const memory = dir.memoryBytes[at] + bytes
      dir.memoryBytes[at] = memory
      if (memory > dir.memoryMaxBytes[at]) dir.memoryMaxBytes[at] = memory
    }

    /** Kernel: net/ipv4/inetpeer.c, inet_getpeer */
    function getPeer(at: number, from: number): number {
      const head = peerSlot(at, from)
      for (let peer = peerBucket[head]; peer !== 0; peer = peers.hashNext[peer]) {
        if (peers.saddr[peer] !== from) continue
        peers.users[peer]++
        return peer
      }
      const peer = dir.freePeer[at + 1]
      dir.freePeer[at + 1] = peers.hashNext[peer]
      peers.users[peer] = 1
      peers.saddr[peer] = from
      peers.rid[peer] = 0
      peers.hashNext[peer] = peerBucket[head]
      peerBucket[head] = peer
      return peer
    }

    function putPeer(at: number, peer: number): void {
      peers.users[peer]--
      if (peers.users[peer] !== 0) return
      const head = peerSlot(at, peers.saddr[peer])
      if (peerBucket[head] === peer) peerBucket[head] = peers.hashNext[peer]
      else {
        let before = peerBucket[head]
        while (peers.hashNext[before] !== peer) before = peers.hashNext[before]
        peers.hashNext[before] = peers.hashNext[peer]
      }
      peers.hashNext[peer] = dir.freePeer[at + 1]
      dir.freePeer[at + 1] = peer
    }

    function create(cpu: number, row: number, head: number, idProtocol: number): number {
      const at = net[cpu]
      const queue = dir.freeQueue[at + 1]
      if (queue === 0) return 0
      spend(cpu, STAGE.inet_frag_create, 1)
      dir.freeQueue[at + 1] = q.hashNext[queue]
      dir.queues[at + 1]++
      q.live[queue] = 1
      q.host[queue] = at
      q.saddr[queue] = saddr[row]
      q.daddr[queue] = daddr[row]
      q.idProtocol[queue] = idProtocol
      q.flags[queue] = 0
      q.ecn[queue] = 0
      q.lenBytes[queue] = 0
      q.meatBytes[queue] = 0
      q.maxSizeBytes[queue] = 0
      q.maxDfSizeBytes[queue] = 0
      q.rid[queue] = 0
      q.firstRun[queue] = 0
      q.lastRun[queue] = 0
      q.tail[queue] = 0
      q.timerCpu[queue] = 0
      q.peer[queue] = maxDist[at] === 0 ? 0 : getPeer(at, saddr[row])
      q.hashNext[queue] = bucket[head]
      bucket[head] = queue
      account(queue, IPQ_BYTES)
      timers.start(cpu, queue)
      return queue
    }

    function purge(cpu: number, queue: number, drop: number): void {
      let bytes = 0
      for (let run = q.firstRun[queue]; run !== 0; ) {
        const nextRun = fragNextRun[run]
        for (let row = run; row !== 0; ) {
          const following = next[row]
          bytes += truesize[row]
          next[row] = 0
          if (drop < 0) consume(cpu, row)
          else kfree(cpu, row, drop)
          row = following
        }
        run = nextRun
      }
      q.firstRun[queue] = 0
      q.lastRun[queue] = 0
      q.tail[queue] = 0
      account(queue, -bytes)
    }

    return {
      find(cpu, row) {
        const at = net[cpu]
        const high = highThresh[at]
        if (high === 0 || dir.memoryBytes[at + 1] > high) return 0
        const idProtocol = ((idFrag[row] & 0xffff0000) | (ipWord[row] & 255)) >>> 0
        const head = slot(at, saddr[row], daddr[row], idProtocol)
        for (let queue = bucket[head]; queue !== 0; queue = q.hashNext[queue]) {
          if (
            q.idProtocol[queue] === idProtocol &&
            q.saddr[queue] === saddr[row] &&
            q.daddr[queue] === daddr[row] &&
            q.host[queue] === at
          )
            return queue
        }
        return create(cpu, row, head, idProtocol)
      },
      kill(queue) {
        timers.stop(queue)
        const head = slot(q.host[queue], q.saddr[queue], q.daddr[queue], q.idProtocol[queue])
        if (bucket[head] === queue) {
          bucket[head] = q.hashNext[queue]
          return
        }
        let before = bucket[head]
        while (q.hashNext[before] !== queue) before = q.hashNext[before]
        q.hashNext[before] = q.hashNext[queue]
      },
      purge,
      destroy(cpu, queue, drop) {
        purge(cpu, queue, drop)
        account(queue, -IPQ_BYTES)
        const at = q.host[queue]
        if (q.peer[queue] !== 0) putPeer(at, q.peer[queue])
        q.live[queue] = 0
        q.hashNext[queue] = dir.freeQueue[at + 1]
        dir.freeQueue[at + 1] = queue
        dir.queues[at + 1]--
      },
      account,
    }
  },
)
