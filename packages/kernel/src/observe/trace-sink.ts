/** What raised a hard interrupt: a device's vector, an IPI that asks for a function or a reschedule, the local timer. */
export const IRQ_KIND = { device: 0, callFunction: 1, reschedule: 2, localTimer: 3 } as const

/**
 * What an observer is told while the machine runs; nothing it does may change the run.
 *
 * `cpu` is a CPU entity and `nowPs` its clock; `skb` is a packet's row of `Skb`, whose columns say the rest and whose
 * `serial` stays the same when the packet changes rows. Calls of one CPU come in the order of its clock, except those
 * that say `atPs`: what the NIC did is noticed later, when the CPU looks.
 */
export interface TraceSink {
  /** False: no call is made. Constant from binding on. */
  readonly on: boolean
  /** The CPU's clock has moved from `startPs` to `endPs` for `units` of a stage, in a context (see `CONTEXT`). */
  charge(cpu: number, startPs: number, endPs: number, context: number, stage: number, units: number): void
  /** A handler begins and ends; `id` is the vector entity of a device's interrupt. */
  irqEntry(cpu: number, nowPs: number, kind: number, id: number): void
  irqExit(cpu: number, nowPs: number, kind: number, id: number): void
  softirqRaise(cpu: number, nowPs: number, vector: number): void
  softirqEntry(cpu: number, nowPs: number, vector: number, inKsoftirqd: boolean): void
  softirqExit(cpu: number, nowPs: number, vector: number): void
  /** A poll of a NAPI instance begins, in a softirq or in a task. */
  pollBegin(cpu: number, nowPs: number, napi: number, budget: number): void
  /** The poll function has returned. */
  napiPoll(cpu: number, nowPs: number, napi: number, work: number, budget: number): void
  /** The CPU goes over to a task, 0: to its idle loop. It may have run it before. */
  schedSwitch(cpu: number, nowPs: number, next: number): void
  /** Code on `cpu` wakes a task that will run on `target`. */
  schedWaking(cpu: number, nowPs: number, task: number, target: number): void
  /** The task joins the run queue of `cpu`. */
  schedWakeup(cpu: number, nowPs: number, task: number): void
  /** A frame was lost before it reached a lane: on the wire, in the card's buffer, by its filter. */
  wireDrop(wire: number, atPs: number, serial: number, drop: number): void
  /** The DMA of a frame is done: it fills a descriptor. */
  ringFill(queue: number, atPs: number, skb: number): void
  /** A frame is lost before it is an sk_buff: it found no descriptor, or native XDP dropped it. */
  frameDrop(cpu: number, atPs: number, skb: number, drop: number, queue: number): void
  /** The driver takes the packet of the oldest filled descriptor. */
  ringTake(cpu: number, nowPs: number, skb: number, queue: number): void
  /** napi_gro_receive begins with a packet. */
  groReceive(cpu: number, nowPs: number, napi: number, skb: number): void
  /** The frames of a packet become part of another one: in GRO, or when a datagram is put together. */
  merge(cpu: number, nowPs: number, head: number, skb: number): void
  /** The fragment waits for others of its datagram. */
  fragQueue(cpu: number, nowPs: number, skb: number): void
  groResult(cpu: number, nowPs: number, skb: number, result: number): void
  /** netif_rx: the packet goes by way of a backlog. */
  netifRx(cpu: number, nowPs: number, skb: number): void
  /** RPS, RFS or netif_rx have chosen the CPU whose backlog the packet goes to, and queueing it there is paid for. */
  steer(cpu: number, nowPs: number, skb: number, target: number): void
  /** The packet has joined `cpu`'s input_pkt_queue, which holds `queued` with it. */
  backlogEnqueue(cpu: number, atPs: number, skb: number, queued: number): void
  /** process_backlog takes the packet. */
  backlogTake(cpu: number, nowPs: number, skb: number): void
  netifReceiveSkb(cpu: number, nowPs: number, skb: number): void
  /** The packet is on its way to a socket whose reader runs on a CPU of another partition. */
  sockSend(cpu: number, nowPs: number, skb: number, sock: number): void
  /** A packet that was on its way to a socket of `cpu` has come, as of `atPs`; it joins the queue next, or is lost. */
  sockArrive(cpu: number, atPs: number): void
  /** The packet has joined the socket's queue. */
  sockEnqueue(cpu: number, nowPs: number, skb: number, sock: number): void
  /** A reader takes the packet off the socket's queue; `copiedBytes` of payload go to its buffer. */
  sockRead(cpu: number, nowPs: number, skb: number, sock: number, copiedBytes: number): void
  /** The call that read the packet (or this segment of it) is over. */
  delivered(cpu: number, nowPs: number, skb: number): void
  kfreeSkb(cpu: number, nowPs: number, skb: number, drop: number): void
  /** The kernel has used the packet up: neither lost nor read. */
  consumeSkb(cpu: number, nowPs: number, skb: number): void
  /** The host has made a packet; what is in it is not written yet. */
  made(cpu: number, nowPs: number, skb: number): void
  /** `part` is made from a packet that is too long; the first call for a packet is for its first part. */
  fragment(cpu: number, nowPs: number, skb: number, part: number): void
  /** The packet waits until the hardware address of its next hop is known. */
  neighQueue(cpu: number, nowPs: number, skb: number): void
  /** The packet is on its way to the CPU that owns its transmit queue. */
  xmitSend(cpu: number, nowPs: number, skb: number): void
  /** A packet comes to the discipline of a transmit queue, which it may pass by. */
  xmit(cpu: number, nowPs: number, skb: number): void
  /** The packet has joined a discipline, and is taken off it again. */
  qdiscEnqueue(cpu: number, nowPs: number, skb: number, queue: number): void
  qdiscDequeue(cpu: number, nowPs: number, skb: number, queue: number): void
  /** The packet leaves the host by a device without transmit rings, or by native XDP. */
  sent(cpu: number, nowPs: number, skb: number): void
  /** The driver puts the packet into the ring of a transmit queue. */
  txPost(cpu: number, nowPs: number, skb: number, queue: number): void
  /** The card sends the packet at the head of the ring: the bits of its first frame. `isLinked`: to another host of the run. */
  txFrame(queue: number, startPs: number, endPs: number, isLinked: boolean): void
  /** The packet at the head of the ring, or at its end (`isLast`), is lost there: no cable, or the ring is emptied. */
  txLost(queue: number, atPs: number, drop: number, isLast: boolean): void
  /** A frame made of packet `skb` comes to the port of a card, which numbers it `serial`. */
  linkFrame(wire: number, atPs: number, skb: number, serial: number): void
  /** The same, where the frame does not get there: what it is lost to follows. */
  linkLost(wire: number, atPs: number, skb: number, serial: number): void
  /** The address filter of the card passes the frame over. */
  linkForeign(wire: number, atPs: number, skb: number): void
  /** A system of a plugin has run for a CPU or a wire: positions among the plugins of the model and the plugin's systems. */
  pluginRun(owner: number, atPs: number, plugin: number, system: number): void
  /** Something has become of a device: position in `LOG_NAMES`. */
  linkEvent(cpu: number, nowPs: number, dev: number, what: number): void
  /** The watchdog finds a transmit queue of the device hung, before the driver resets it. Kernel: trace_net_dev_xmit_timeout */
  xmitTimeout(cpu: number, nowPs: number, dev: number, queue: number): void
  /** A packet at the taps (`ptype_all`) of the device it is on: behind GRO and generic XDP, once per device it passes. */
  tap(cpu: number, nowPs: number, skb: number): void
  /** A packet on its way to the driver, as taps see it there. */
  tapOut(cpu: number, nowPs: number, skb: number): void
}

/** A sink that is off; the ground for sinks that want some of the calls only. */
export const NO_TRACE: TraceSink = {
  on: false,
  charge() {},
  irqEntry() {},
  irqExit() {},
  softirqRaise() {},
  softirqEntry() {},
  softirqExit() {},
  pollBegin() {},
  napiPoll() {},
  schedSwitch() {},
  schedWaking() {},
  schedWakeup() {},
  wireDrop() {},
  ringFill() {},
  frameDrop() {},
  ringTake() {},
  groReceive() {},
  merge() {},
  fragQueue() {},
  groResult() {},
  netifRx() {},
  steer() {},
  backlogEnqueue() {},
  backlogTake() {},
  netifReceiveSkb() {},
  sockSend() {},
  sockArrive() {},
  sockEnqueue() {},
  sockRead() {},
  delivered() {},
  kfreeSkb() {},
  consumeSkb() {},
  made() {},
  fragment() {},
  neighQueue() {},
  xmitSend() {},
  xmit() {},
  qdiscEnqueue() {},
  qdiscDequeue() {},
  sent() {},
  txPost() {},
  txFrame() {},
  txLost() {},
  linkFrame() {},
  linkLost() {},
  linkForeign() {},
  pluginRun() {},
  linkEvent() {},
  xmitTimeout() {},
  tap() {},
  tapOut() {},
}

type SinkCall = (...values: readonly unknown[]) => void

/** One sink that tells several, in their order; off if all of them are. */
export function joinSinks(sinks: readonly TraceSink[]): TraceSink {
  const active = sinks.filter(({ on }) => on)
  const [first] = active
  if (first === undefined) return NO_TRACE
  if (active.length === 1) return first
  const joined: Record<string, unknown> = { on: true }
  for (const name of Object.keys(NO_TRACE) as (keyof TraceSink)[]) {
    if (name === 'on') continue
    const calls = active
      .filter((sink) => sink[name] !== NO_TRACE[name])
      .map((sink) => sink[name].bind(sink) as SinkCall)
    joined[name] = (...values: readonly unknown[]) => {
      for (const call of calls) call(...values)
    }
  }
  return joined as unknown as TraceSink
}

/** A sink for a model that is yet to be built, which `target` takes over; nobody hears what happens before. */
export function lateSink(): { readonly sink: TraceSink; target: TraceSink } {
  const late = { sink: NO_TRACE, target: NO_TRACE }
  const calls: Record<string, unknown> = { on: true }
  for (const name of Object.keys(NO_TRACE) as (keyof TraceSink)[]) {
    if (name === 'on') continue
    calls[name] = (...values: readonly unknown[]) => (late.target[name] as SinkCall)(...values)
  }
  late.sink = calls as unknown as TraceSink
  return late
}
