import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Bits of `Skb.flags`. */
export const SKB = {
  /** `CHECKSUM_UNNECESSARY`: the NIC has verified the L4 checksum. */
  csumUnnecessary: 1,
  /** The L4 checksum on the wire is wrong. */
  csumBad: 2,
  /** UDP checksum field is zero. */
  csumZero: 4,
  /** The IPv4 header checksum is wrong. */
  ipCsumBad: 8,
  /** `l4_hash` set by the NIC. */
  l4Hash: 16,
  /** Software hash computed. */
  swHash: 32,
  /** VLAN tag present in `vlanTci`. */
  vlan: 64,
  /** Frame length on the wire exceeds what IP says: Ethernet padding. */
  padded: 128,
  /** Head page can be recycled (page pool). */
  ppRecycle: 256,
  /** Result of GRO: several segments. */
  gso: 512,
  /** GRO chained the segments in a frag_list (fraglist GRO). */
  fragList: 1024,
  /** Allocated from the pfmemalloc reserve. */
  pfmemalloc: 2048,
  /** Has passed the stack on another CPU: cold for its reader. */
  remote: 4096,
  /** Timer-flushed GRO packet (observer only). */
  timerFlushed: 8192,
  /** Looped back or injected: carries no Ethernet header. */
  noEthernet: 16384,
  /** Route input found a broadcast destination (`RTCF_BROADCAST`); written by `ip_rcv_finish_core`. */
  routeBroadcast: 65536,
  /** Route input found a joined group (`RTCF_MULTICAST`); written by `ip_rcv_finish_core`. */
  routeMulticast: 131072,
  /** The L4 checksum is wrong for the destination behind the last stop of the source route. */
  lastStopCsumBad: 262144,
  /** Put together from fragments: `fragRunBytes` is the truesize of its head, `fragNextRun` what fits into it. */
  reassembled: 524288,
  /** The whole checksum has been computed in software and is wrong (`csum_complete_sw`): nobody waits for a copy to see it. */
  csumCompleteBad: 8388608,
  /** A DF bit does not keep the packet from being fragmented here (`ignore_df`). */
  ignoreDf: 4194304,
  /** `len` counts from the L4 header: the IP header has been pulled. */
  pulled: 1048576,
  /** Has its device and hardware address: on its way out. */
  outgoing: 268435456,
  /** `macHigh` and `macLow` are the sender's: it came over a link. */
  senderKnown: 536870912,
  /** Charged to the send buffer of the socket in `sock`. */
  charged: 134217728,
  /** Came back to its host, with the route it was sent by. */
  looped: 2097152,
  /** Has been shown to the taps of its device by the CPU that sent it. */
  tapped: 33554432,
} as const

/** Bits of `Skb.ipcb`. Kernel: include/net/ip.h, IPSKB_* */
export const IPSKB = {
  forwarded: 2,
  fragComplete: 8,
  rerouted: 16,
  doRedirect: 32,
  /** What `struct ip_options` says beside the places of options. */
  strictRoute: 64,
  sourceRouteHit: 128,
  routerAlert: 256,
  rrNeedAddress: 512,
  tsNeedAddress: 1024,
  tsNeedTime: 2048,
} as const

/** `skb->pkt_type`. Kernel: include/uapi/linux/if_packet.h */
export const PACKET_TYPE = { host: 0, broadcast: 1, multicast: 2, otherhost: 3, outgoing: 4, loopback: 5 } as const

/**
 * Packets: headers parsed into numbers, with the geometry of an sk_buff. Rows belong to the partition that holds the
 * packet; a packet that changes partition is copied to a row there and keeps its serial number.
 */
export const Skb = defineComponent(
  'skb',
  {
    /** 0: free row. Otherwise `users`. */
    users: u8,
    /** Serial number of the (first) wire frame, from 1. */
    serial: f64,
    /** Time of the last bit at the host's port, ps. */
    arrivalPs: f64,
    /** Lane and mailbox rows: when the packet reaches its receiver (DMA done, cache line moved), ps; in a discipline: when it was put in. */
    duePs: f64,
    /** Segments chained behind this one by fraglist or UDP GRO: first and last, 0 for none; linked by `next`. */
    fragHead: i32,
    fragTail: i32,
    /** Hash of both MAC addresses: equal for packets with the same 14-byte header. */
    macHash: u32,
    /** Next packet of the list this one is on, 0 at the end. */
    next: i32,
    /** Wire frames this skb stands for (GRO adds up). */
    frames: u32,
    /** Bytes of those frames without FCS. */
    wireBytes: u32,
    /** Bytes from the current header on. */
    len: u32,
    truesize: u32,
    saddr: u32,
    daddr: u32,
    /** Source port × 65536 + destination port. */
    ports: u32,
    /** protocol | tos << 8 | ttl << 16 | ihl << 24 | version << 28 */
    ipWord: u32,
    /** identification << 16 | flags and fragment offset */
    idFrag: u32,
    /** IP total length. */
    totLen: u32,
    /** UDP length field. */
    udpLen: u16,
    /** EtherType after untagging, host order. */
    protocol: u16,
    packetType: u8,
    vlanTci: u16,
    flags: u32,
    /** Malformations found while parsing, bits of the wire package's `FAULT`. */
    faults: u32,
    hash: u32,
    tcpSeq: u32,
    tcpAck: u32,
    /** flags (low 9 bits) | doff << 12 | window << 16 */
    tcpWord: u32,
    /** Hash of the TCP option bytes. */
    tcpOptions: u32,
    gsoSize: u16,
    /** Payload bytes behind the L4 header. */
    payload: u32,
    /** Receive queue entity, 0 for none. */
    queue: i32,
    /** Device entity the packet is on now. */
    dev: i32,
    /** CPU that allocated it. */
    allocCpu: i32,
    /** In a backlog: the CPU that sent it there, 0 if it was the backlog's own. */
    backlogFrom: i32,
    /** GRO: IP id relation of the held flow, 0 undecided, 1 incrementing, 2 fixed. GRO bookkeeping reuses no other column. */
    groIdMode: u8,
    /** GRO: jiffy of holding, low 32 bits. */
    groAge: u32,
    /** GRO: page frags used so far. */
    groFrags: u16,
    /** Socket found by early demux, 0 for none. */
    sock: i32,
    /** Client request number of a closed loop, 0 for none. */
    request: f64,
    /** Page with the packet's bytes in the page pool, 0: virtual payload. */
    page: i32,
    /** Software receive stamp (`skb->tstamp`), ps; 0: none taken. */
    tstampPs: f64,
    /** Fragments: sum of the bytes behind the IP header with `FRAG_SUM_KNOWN`, 0 if it is not known. Else left over. */
    fragSum: u32,
    /** Held fragments that begin a run: bytes of the run, and first fragment of the next run (`next` links a run). */
    fragRunBytes: u32,
    fragNextRun: i32,
    /** Route (`skb->dst`): its type (`RTN`), flags (`RTCF`), output device, next hop (0: the destination), path MTU. */
    rtType: u8,
    rtFlags: u8,
    rtDev: i32,
    rtGateway: u32,
    rtMtu: u32,
    /** Error of a route that refuses the packet (`dst.error`), 0 otherwise. */
    rtError: u8,
    /** Bits of `IPSKB`. */
    ipcb: u16,
    priority: u8,
    /** IP options as `ip_options_compile` found them: where each begins (from the IP header), 0 for none, and the next hop of a source route. */
    optRr: u8,
    optTs: u8,
    optSrr: u8,
    optCipso: u8,
    optNexthop: u32,
    /** Hardware address: the sender's of a received ARP frame, the destination's of a frame that is sent. */
    macHigh: u16,
    macLow: u32,
    /** `SKB.reassembled`: largest fragment it came in, bytes with IP header (`IPCB(skb)->frag_max_size`). */
    fragMax: u16,
  },
  {
    unorderedRows: true,
    references: [],
    undigested: [
      'users',
      'duePs',
      'next',
      'fragHead',
      'fragTail',
      'truesize',
      'queue',
      'dev',
      'allocCpu',
      'backlogFrom',
      'tcpSeq',
      'tcpAck',
      'tcpWord',
      'tcpOptions',
      'groIdMode',
      'groAge',
      'groFrags',
      'sock',
      'fragSum',
      'fragRunBytes',
      'fragNextRun',
      'rtType',
      'rtFlags',
      'rtDev',
      'rtGateway',
      'rtMtu',
      'rtError',
      'ipcb',
      'priority',
      'optRr',
      'optTs',
      'optSrr',
      'optCipso',
      'optNexthop',
      'macHigh',
      'macLow',
      'fragMax',
    ],
  },
)

/** Memory for sk_buffs, one row per packet pool owner. */
export const SkbAccount = defineComponent('skb_account', {
  /** Rows held by descriptor rings and packet buffers: no sk_buff yet. */
  buffers: i32,
  /** sk_buffs that may be alive; the last `reserve` only as pfmemalloc. */
  limit: i32,
  reserve: i32,
})
