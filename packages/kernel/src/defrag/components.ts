import { defineComponent, f64, i32, u8, u32 } from '@softnet/ecs'

/** Bits of `FragQueue.flags`. Kernel: include/net/inet_frag.h, INET_FRAG_FIRST_IN, INET_FRAG_LAST_IN */
export const FRAG_QUEUE = { firstIn: 1, lastIn: 2 } as const

/** Reassembly state of a host, row host index + 1. Kernel: include/net/inet_frag.h, struct fqdir */
export const FragDir = defineComponent('frag_dir', {
  /** Memory of queues and held fragments, bytes: what `FRAG: memory` of /proc/net/sockstat says. */
  memoryBytes: f64,
  /** Most memory ever, bytes. */
  memoryMaxBytes: f64,
  /** Queues in use. */
  queues: u32,
  /** First free row of `FragQueue` and of `FragPeer`, linked by `hashNext`. */
  freeQueue: i32,
  freePeer: i32,
})

/**
 * A datagram of which fragments are held. Rows are split among hosts. Written by the partition of the host's CPUs that
 * see fragments. Kernel: include/net/inet_frag.h, struct inet_frag_queue; net/ipv4/ip_fragment.c, struct ipq
 */
export const FragQueue = defineComponent(
  'frag_queue',
  {
    /** 1: in use. */
    live: u8,
    host: i32,
    saddr: u32,
    daddr: u32,
    /** identification × 65536 + protocol. */
    idProtocol: u32,
    /** Bits of `FRAG_QUEUE`. */
    flags: u8,
    /** ECN codepoints seen, one bit each. */
    ecn: u8,
    /** Bytes of the datagram behind its IP header, as far as known. */
    lenBytes: u32,
    /** Bytes held. */
    meatBytes: u32,
    /** Largest fragment, and largest with DF, bytes with IP header. */
    maxSizeBytes: u32,
    maxDfSizeBytes: u32,
    /** Row of `FragPeer`, 0 if ipfrag_max_dist is 0; and the peer's counter at the queue's last fragment. */
    peer: i32,
    rid: f64,
    /** Rows of Skb: first run, last run, last fragment of the last run. */
    firstRun: i32,
    lastRun: i32,
    tail: i32,
    /** Jiffy at which the timer fires, CPU whose timer it is, and its neighbours there. */
    expiresJiffy: f64,
    timerCpu: i32,
    timerNext: i32,
    timerPrevious: i32,
    /** Next queue of the hash bucket, or next free row. */
    hashNext: i32,
  },
  { references: ['firstRun', 'lastRun', 'tail'] },
)

/** Heads of hash chains of `FragQueue`, a power of two per host. */
export const FragBucket = defineComponent('frag_bucket', { queue: i32 })

/**
 * What is known of a sender of fragments while a queue refers to it; the rest of an `inet_peer` is elsewhere.
 * Kernel: include/net/inetpeer.h, struct inet_peer (rid)
 */
export const FragPeer = defineComponent('frag_peer', {
  /** Queues that refer to it; 0: free row. */
  users: u32,
  saddr: u32,
  /** Fragments seen from it. */
  rid: f64,
  /** Next peer of the hash bucket, or next free row. */
  hashNext: i32,
})

/** Heads of hash chains of `FragPeer`, as many as those of queues. */
export const FragPeerBucket = defineComponent('frag_peer_bucket', { peer: i32 })

/** Timers of queues on one CPU, in order of time: they all run equally long. Row CPU entity. */
export const FragTimer = defineComponent('frag_timer', {
  head: i32,
  tail: i32,
  /** First of those that fire at the jiffy of the last one, 0 if those are gone. */
  lastSlot: i32,
  /** 1: an event of the CPU stands for the first of them, or for one that has gone since. */
  armed: u8,
})
