/** What an event of a CPU's (or wire's) list means; `a`, `b` and `c` are as said here. */
export const EVENT = {
  /** Moderation timer of vector `a` ran out; `b` is the arming it belongs to. */
  irqTimer: 1,
  /** hrtimer of NAPI `a` (gro_flush_timeout, irq_suspend_timeout); `b` is the arming it belongs to. */
  napiTimer: 2,
  /** Inter-processor interrupt from CPU `a` that schedules this CPU's backlog. */
  ipiBacklog: 3,
  /** Packet row `a` steered here by CPU `b` reaches the backlog; `c` is 1 if the sender's flow table entry wants the tail. */
  backlogPacket: 4,
  /** Packet row `a` for socket `b` handled by another CPU; `c` is that CPU. */
  socketPacket: 5,
  /** This CPU learns that CPU `a` has taken `c` of its packets so far, and whether (`b` = 1) its backlog has gone idle. */
  backlogView: 6,
  /** This CPU learns that socket `a` is full (`b` = 1) or has room (0). */
  socketView: 7,
  /** This CPU learns that task `a` sleeps (`b` = 1). */
  sleepView: 8,
  /** RFS: hash `c` was last read on CPU number `a`. */
  sockFlow: 9,
  /** This CPU, which has a flow limit, learns how full CPU `a`'s input_pkt_queue is (`b`, see BACKLOG_LEVEL). */
  backlogLevel: 10,
  /** The device has carried out the command that programs DIM's profile of vector `a`. */
  dimApplied: 19,
  /** Task `a` is woken from another CPU. */
  taskWake: 11,
  /** Rows freed elsewhere come home: `a` skbs of this CPU. */
  deferredFree: 12,
  /** Wire: reply of client request `c` by flow `a` has arrived. */
  reply: 13,
  /** Wire: client `a` sends its next request. */
  think: 14,
  /** Wire: the NIC is told to steer hash `c` to queue `a` (aRFS). */
  arfs: 17,
  /** The partition led by CPU `a` has moved the pages of all UDP sockets of the host by `c`. */
  udpMemory: 18,
  /** First of this CPU's reassembly timers is due. */
  fragTimer: 20,
  /** Timer of neighbour `a` ran out; `b` is the arming it belongs to. */
  neighTimer: 21,
  /** Packet row `a` for transmit queue `b`, sent by CPU `c`. */
  txPacket: 33,
  /** Watchdog of the discipline of transmit queue `a`; `b` is the arming it belongs to. */
  qdiscTimer: 34,
  /** Page `a` of this CPU's pool, whose packet another CPU has sent, is free. */
  pageHome: 36,
  /** `c` bytes that socket `a` was charged for are free. */
  wmemFree: 35,
  /** Timer of task `a`: its sleep is over (`b` = 0), or it has waited long enough (1). */
  taskTimer: 37,
  /** Error `b` for socket `a`, from an ICMP message. */
  sockError: 38,
  /** The timer of packet socket `a`, whose ring has blocks. */
  packetRetire: 39,
  /** ARP request `a` for somebody else has waited long enough. */
  proxyArp: 22,
  /** Timer of IGMP `a` (which and kind) ran out; `b` is the arming it belongs to. */
  igmpTimer: 23,
  /** Linkwatch looks at its devices; `b` is the queueing it belongs to. */
  linkWatch: 40,
  /** This CPU learns what has become of device `a`: bits `b`, and the notifier event `c`. */
  netdev: 41,
  /** Something happens to the host: row `a` of HostEvent. */
  hostEvent: 42,
  /** This CPU does its part of what a command asks for: row `a` of HostEvent. */
  hostCommand: 43,
  /** A close of device `a` that had to wait looks again. */
  devClose: 44,
  /** The driver of device `a`, which was opened, looks whether its cable is in. */
  linkCheck: 45,
  /** The watchdog over this CPU's transmit queues of device `a` runs out; `b` is the arming it belongs to. */
  txWatchdog: 46,
  /** Link: frame in row `a` reaches the port. */
  linkFrame: 50,
  /** Switch: it has the whole of the frame in row `a`, which came by this port. */
  switchFrame: 51,
  /** Injected by a test or an oracle case: call `a` of the harness. */
  call: 16,
} as const
