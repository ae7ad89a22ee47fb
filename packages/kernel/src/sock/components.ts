import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** UDP sockets: pool rows from 1, in bind order. */
export const Sock = defineComponent(
  'sock',
  {
    used: u8,
    host: i32,
    address: u32,
    port: u16,
    peerAddress: u32,
    peerPort: u16,
    connected: u8,
    boundDev: i32,
    incomingCpu: i32,
    reuseport: u8,
    /** Reuseport group: row of the group's member list in `ReuseportSlot`, or 0. */
    groupBase: i32,
    groupCount: u16,
    groupIncoming: u8,
    /** 1: a member of the group was connected (`has_conns`), so that the lookup goes on scoring behind it. */
    groupConns: u8,
    /** 1: the first of its (address, port) list, the only one early demux looks at. */
    listFirst: u8,
    /** Next in the (address, port) chain, 0 at the end. */
    chainNext: i32,
    /** Next in the chain of connected four-tuples. */
    chain4Next: i32,
    /** Task that reads it; −1 when several share it. */
    task: i32,
    app: i32,
    epoll: i32,
    /** CPU whose partition owns it. */
    cpu: i32,
    rcvbuf: u32,
    rmemAlloc: u32,
    /** sk_forward_alloc, bytes: allocated and not used; kept only where the total of the host can reach udp_mem. */
    forwardAlloc: i32,
    forwardDeficit: u32,
    rmemMax: u32,
    /** sk_receive_queue and reader_queue as one list each. */
    queueHead: i32,
    queueTail: i32,
    queueCount: u32,
    readerHead: i32,
    readerTail: i32,
    readerCount: u32,
    received: f64,
    drops: f64,
    udpGro: u8,
    /** SO_TIMESTAMP is set. */
    timestamp: u8,
    busyPollPs: f64,
    preferBusyPoll: u8,
    busyPollBudget: u16,
    napi: i32,
    rxHash: u32,
    /** epoll: linked on the ready list, and next on it. */
    ready: u8,
    readyNext: i32,
    /** Watchers of a shared socket: first row of SockWatch and how many. */
    firstWatch: i32,
    watchCount: u16,
    /** 1: remote CPUs were told it is full. */
    fullTold: u8,
    /** `sk_err`: errno that the next call on the socket returns, 0 for none. */
    err: u16,
    /** SO_BROADCAST. */
    broadcast: u8,
    /** IP_MULTICAST_ALL, and the groups it has joined itself: first row of `SockGroup` and how many. */
    multicastAll: u8,
    firstMembership: i32,
    membershipCount: u16,
    /** IP id of the next packet of a connected socket. */
    inetId: u16,
    /** `port | host << 16`, signed: with the address, what a lookup compares. Constant. */
    portHost: i32,
  },
  { references: ['queueHead', 'queueTail', 'readerHead', 'readerTail'], undigested: ['portHost'] },
)

/** Bits of an entry of `UdpList`. */
export const LIST = {
  /** The first socket of the list in the order of its chain; 0: free slot. */
  first: 0x7fffffff,
  /** It is the only one, and takes every datagram to the address and port. */
  takesAll: 0x80000000 | 0,
} as const

/**
 * Where the lists of sockets of one (host, address, port) begin, open addressing. Sixteen slots are a cache line, and the socket
 * found there tells by two neighbouring words whether it is the one. Constant in a run and made from the chains of
 * `SockHash`.
 */
export const UdpList = defineComponent('udp_list', { entry: i32 }, { role: 'observer' })

/** Groups that sockets have joined; rows of a socket are consecutive. Constant in a run. Kernel: include/linux/igmp.h, struct ip_mc_socklist */
export const SockGroup = defineComponent('sock_group', { dev: i32, group: u32 }, { role: 'observer' })

/** Hash slots of (address, port): head socket. */
export const SockHash = defineComponent('sock_hash', { head: i32 })
/** Hash slots of connected four-tuples. */
export const SockHash4 = defineComponent('sock_hash4', { head: i32 })
/** Members of reuseport groups in bind order. */
export const ReuseportSlot = defineComponent('reuseport', { sock: i32 })

/** What a remote CPU believes of a socket, and what it lost for it: row `sock * sources + source`. */
export const SockView = defineComponent('sock_view', {
  /** Written by the source: 1 while it believes the socket to be full. */
  full: u8,
  /** Written by the owner: 1 if the source was told so and waits to hear of room. */
  told: u8,
  /** Written by the source: datagrams it dropped itself. */
  drops: f64,
})

/** epoll instances: pool rows from 1. */
export const Epoll = defineComponent('epoll', {
  readyHead: i32,
  readyTail: i32,
  readyCount: u32,
  edge: u8,
  exclusive: u8,
  busyPollPs: f64,
  preferBusyPoll: u8,
  busyPollBudget: u16,
  napi: i32,
  /** Task that waits first, 0 for none; linked by Task.waitNext. */
  waitHead: i32,
  waitTail: i32,
})

/** Watches: which epoll instance or task watches a shared socket; rows of a socket are consecutive. */
export const SockWatch = defineComponent('sock_watch', { epoll: i32, task: i32 })
