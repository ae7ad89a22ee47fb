import type { Columns } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import type { Model } from '../../build/build-model.js'
import { DROP, DROP_PLACES } from '../../count/drops.js'
import { CONTEXT, Cpu } from '../../cpu/components.js'
import { LOG_NAMES } from '../../link/components.js'
import { SKB, Skb } from '../../skb/components.js'
import { SOFTIRQ_NAMES, SoftirqState } from '../../softirq/components.js'
import { RunQueue, TASK_KIND, TASK_STATE, Task } from '../../task/components.js'
import { IRQ_KIND, NO_TRACE, type TraceSink } from '../trace-sink.js'
import { EventLog } from './event-log.js'
import {
  ftraceHeader,
  ftraceLine,
  type LineFlags,
  pointer,
  schedSwitchFields,
  schedWakeFields,
  socketAddress,
  verboseFields,
} from './ftrace-lines.js'
import { type PluginValue, PluginValues } from './plugin-values.js'
import { type TracedCpu, type TracedTask, type TraceNames, traceNames } from './trace-names.js'
import { isSampled, TextChunks, type TraceRecorder, type TraceWindow } from './trace-window.js'
import { firstUnseenPs } from './unseen-frames.js'

/** Kinds of addresses: nothing of one kind has the address of another. */
const POINTER = { skb: 0, napi: 1, sock: 2 } as const
/** Kernel: include/net/busy_poll.h, MIN_NAPI_ID, with NR_CPUS 8192 */
const FIRST_NAPI_ID = 8193
/** Characters that the counts in the header have room for. */
const COUNT_WIDTH = 25
/** A frame of more bytes than half a page holds is not linear. */
const LINEAR_BYTES = 2048
/** Numbers of system vectors. Kernel: arch/x86/include/asm/irq_vectors.h */
const SYSTEM_VECTORS: Readonly<Record<number, { readonly event: string; readonly vector: number }>> = {
  [IRQ_KIND.callFunction]: { event: 'call_function_single', vector: 0xfb },
  [IRQ_KIND.reschedule]: { event: 'reschedule', vector: 0xfd },
  [IRQ_KIND.localTimer]: { event: 'local_timer', vector: 0xec },
}
/** Drops that name the socket. Kernel: net/ipv4/udp.c, callers of sk_skb_reason_drop */
const SOCKET_DROPS: ReadonlySet<number> = new Set([DROP.rcvbuf, DROP.protoMem, DROP.udpCsumEnqueue, DROP.pfmemalloc])
const ENOMEM = 12
const ETH_P_ARP = 0x0806
const IPPROTO_ICMP = 1

type SkbColumns = Columns<(typeof Skb)['schema']>

/** A column of the CPU itself: every line has it. */
const isPlain = ({ isOwn, unit }: PluginValue): boolean => isOwn && (unit === 'count' || unit === 'value')

/** Records a run in the text form of /sys/kernel/tracing/trace. */
class FtraceRecorder implements TraceRecorder {
  readonly sink: TraceSink
  readonly window: TraceWindow
  events = 0
  head: string | null = null
  readonly #log = new EventLog<string>()
  readonly #out = new TextChunks()
  readonly #names: TraceNames
  readonly #model: Model
  readonly #skb: SkbColumns
  readonly #unseenPs: () => number
  readonly #context: Uint8Array
  readonly #active: Uint8Array
  readonly #needResched: Uint8Array
  /** Task on each CPU, 0 the idle one. */
  readonly #running = new Map<number, number>()
  readonly #pluginValues: PluginValues
  #begun = false
  #isClosed = false

  constructor(model: Model, window: TraceWindow) {
    this.#model = model
    this.window = window
    this.#names = traceNames(model)
    const { world } = model
    this.#skb = world.columns(Skb)
    this.#context = world.columns(Cpu).context
    this.#active = world.columns(SoftirqState).active
    this.#needResched = world.columns(RunQueue).needResched
    this.#unseenPs = firstUnseenPs(model)
    this.#pluginValues = new PluginValues(model)
    this.sink = {
      ...NO_TRACE,
      on: true,
      ...this.#interruptCalls(),
      ...this.#scheduleCalls(),
      ...this.#receiveCalls(),
      ...this.#endCalls(),
      ...this.#linkCalls(),
      pluginRun: (owner, atPs, plugin, system) => this.#pluginRun(owner, atPs, plugin, system),
    }
  }

  take(upToPs: number): string[] {
    this.#begin()
    this.#log.take(Math.min(upToPs, this.#unseenPs()), (line) => this.#out.add(line))
    return this.#out.take()
  }

  close(): string[] {
    this.#begin()
    this.#isClosed = true
    this.#log.take(Number.POSITIVE_INFINITY, (line) => this.#out.add(line))
    this.head = this.#header(`${this.events}/${this.events}`)
    return this.#out.take()
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#out.add(this.#header(''))
  }

  /**
   * A system of a plugin is an event of its own, with what the plugin keeps for the CPU, and what else has changed; a wire
   * has no CPU to stand under.
   */
  #pluginRun(owner: number, atPs: number, plugin: number, system: number): void {
    if (!this.#names.cpus.has(owner)) return
    const { plan, systems } = this.#model.plugins.instances[plugin]
    const { name, hook } = systems[system]
    let fields = `plugin=${plan.name} hook=${hook}`
    for (const value of this.#pluginValues.of(plugin, owner)) {
      if (isPlain(value)) fields += ` ${value.name}=${value.read()}`
    }
    this.#pluginValues.changed(plugin, owner, atPs, (value, now) => {
      if (!isPlain(value)) fields += ` ${value.isOwn ? '' : `${value.place.name}.`}${value.name}=${now}`
    })
    this.#line(owner, atPs, `plugin_${name}`, fields)
  }

  /**
   * Linux has a tracepoint for the watchdog alone; the rest stands as what somebody wrote to trace_marker, in the form of
   * a mark of a process that Perfetto reads: free text it counts as a fault.
   */
  #linkCalls(): Partial<TraceSink> {
    const { devices } = this.#names
    const drivers = new Map<number, string>()
    for (const host of this.#model.layout.hosts) {
      for (const { device, plan } of host.devices) drivers.set(device, plan.driver.name)
    }
    return {
      linkEvent: (cpu, nowPs, dev, what) => {
        const name = LOG_NAMES[what] ?? `event ${what}`
        const text = dev === 0 ? name : `${name} ${devices.get(dev) ?? '(no_device)'}`
        this.#line(cpu, nowPs, 'tracing_mark_write', `I|${this.#task(cpu).pid}|${text}`)
      },
      xmitTimeout: (cpu, nowPs, dev, queue) => {
        const fields = `dev=${devices.get(dev) ?? '(no_device)'} driver=${drivers.get(dev) ?? ''} queue=${queue}`
        this.#line(cpu, nowPs, 'net_dev_xmit_timeout', fields)
      },
    }
  }

  /** The counts are known at the end only: they have their room from the beginning. */
  #header(events: string): string {
    return ftraceHeader(events.padEnd(COUNT_WIDTH), this.#names.cpus.size)
  }

  #line(cpu: number, atPs: number, event: string, fields: string, flags = this.#flags(cpu)): void {
    if (this.#isClosed || atPs < this.window.fromPs || atPs >= this.window.toPs) return
    this.events++
    const { index } = this.#cpu(cpu)
    this.#log.add(atPs, cpu, ftraceLine(this.#task(cpu), index, flags, atPs, event, fields))
  }

  #cpu(cpu: number): TracedCpu {
    const found = this.#names.cpus.get(cpu)
    if (found === undefined) throw new Error(`CPU ${cpu} is not in the trace's model`)
    return found
  }

  #task(cpu: number): TracedTask {
    return this.#names.tasks.get(this.#running.get(cpu) ?? 0) ?? this.#cpu(cpu).idle
  }

  #flags(cpu: number, off?: LineFlags['off'], depth?: number): LineFlags {
    const at = this.#context[cpu]
    const inSoftirq = this.#active[cpu] !== 0 || at === CONTEXT.softirq
    const interrupt = at === CONTEXT.hardirq ? (inSoftirq ? 'H' : 'h') : inSoftirq ? 's' : '.'
    // The idle task runs with preemption off.
    const base = (this.#running.get(cpu) ?? 0) === 0 ? 1 : 0
    const needResched = this.#needResched[cpu] !== 0 && base === 0
    return { off: off ?? (at === CONTEXT.hardirq ? 'd' : '.'), needResched, interrupt, depth: depth ?? base }
  }

  #interruptCalls(): Partial<TraceSink> {
    const softirq = (vector: number) => `vec=${vector} [action=${SOFTIRQ_NAMES[vector] ?? vector}]`
    const irq = (cpu: number, nowPs: number, kind: number, id: number, isEntry: boolean) => {
      const system = SYSTEM_VECTORS[kind]
      const end = isEntry ? 'entry' : 'exit'
      if (system !== undefined) {
        this.#line(cpu, nowPs, `${system.event}_${end}`, `vector=${system.vector}`)
        return
      }
      const vector = this.#names.vectors.get(id)
      const what = isEntry ? `name=${vector?.name ?? 'nic'}` : 'ret=handled'
      this.#line(cpu, nowPs, `irq_handler_${end}`, `irq=${vector?.irq ?? 0} ${what}`)
    }
    return {
      irqEntry: (cpu, nowPs, kind, id) => irq(cpu, nowPs, kind, id, true),
      irqExit: (cpu, nowPs, kind, id) => irq(cpu, nowPs, kind, id, false),
      softirqRaise: (cpu, nowPs, vector) =>
        this.#line(cpu, nowPs, 'softirq_raise', softirq(vector), this.#flags(cpu, 'd')),
      softirqEntry: (cpu, nowPs, vector) => this.#line(cpu, nowPs, 'softirq_entry', softirq(vector)),
      softirqExit: (cpu, nowPs, vector) => this.#line(cpu, nowPs, 'softirq_exit', softirq(vector)),
      napiPoll: (cpu, nowPs, napi, work, budget) => {
        const device = this.#names.napis.get(napi) ?? '(no_device)'
        const text = `napi poll on napi struct ${pointer(napi, POINTER.napi)} for device ${device}`
        this.#line(cpu, nowPs, 'napi_poll', `${text} work ${work} budget ${budget}`)
      },
    }
  }

  #scheduleCalls(): Partial<TraceSink> {
    const { state, kind } = this.#model.world.columns(Task)
    const stateOf = (task: number) => {
      if (task === 0 || state[task] !== TASK_STATE.sleeping) return 'R'
      return kind[task] === TASK_KIND.kworker ? 'I' : 'S'
    }
    const wake = (cpu: number, nowPs: number, event: string, task: number, target: number, depth: number) => {
      const woken = this.#names.tasks.get(task)
      if (woken === undefined) return
      const flags = this.#flags(cpu, 'd')
      const deeper = { ...flags, depth: flags.depth + depth + (flags.interrupt === '.' ? 0 : 2) }
      this.#line(cpu, nowPs, event, schedWakeFields(woken, this.#cpu(target).index), deeper)
    }
    return {
      schedSwitch: (cpu, nowPs, next) => {
        const before = this.#running.get(cpu) ?? 0
        if (before === next) return
        const to = this.#names.tasks.get(next) ?? this.#cpu(cpu).idle
        const flags = this.#flags(cpu, 'd', 2)
        this.#line(cpu, nowPs, 'sched_switch', schedSwitchFields(this.#task(cpu), stateOf(before), to), flags)
        this.#running.set(cpu, next)
      },
      schedWaking: (cpu, nowPs, task, target) => wake(cpu, nowPs, 'sched_waking', task, target, 2),
      schedWakeup: (cpu, nowPs, task) => wake(cpu, nowPs, 'sched_wakeup', task, cpu, 3),
    }
  }

  #isShown(skb: number): boolean {
    return isSampled(this.#skb.serial[skb], this.window.sample)
  }

  #address(skb: number): string {
    return pointer(this.#skb.serial[skb], POINTER.skb)
  }

  #device(skb: number): string {
    return this.#names.devices.get(this.#skb.dev[skb]) ?? '(no_device)'
  }

  #receiveCalls(): Partial<TraceSink> {
    const { len, wireBytes, flags, payload } = this.#skb
    const onWire = (skb: number) => `dev=${this.#device(skb)} skbaddr=${this.#address(skb)} len=${wireBytes[skb]}`
    const short = (skb: number) => `dev=${this.#device(skb)} skbaddr=${this.#address(skb)} len=${len[skb]}`
    return {
      groReceive: (cpu, nowPs, napi, skb) => {
        if (this.#isShown(skb)) this.#line(cpu, nowPs, 'napi_gro_receive_entry', this.#verbose(napi, skb))
      },
      groResult: (cpu, nowPs, skb, result) => {
        if (this.#isShown(skb)) this.#line(cpu, nowPs, 'napi_gro_receive_exit', `ret=${result}`)
      },
      netifRx: (cpu, nowPs, skb) => {
        if (this.#isShown(skb)) this.#line(cpu, nowPs, 'netif_rx', short(skb))
      },
      netifReceiveSkb: (cpu, nowPs, skb) => {
        if (this.#isShown(skb)) this.#line(cpu, nowPs, 'netif_receive_skb', short(skb))
      },
      sockRead: (cpu, nowPs, skb, _sock, copiedBytes) => {
        if (!this.#isShown(skb) || this.#isLinear(skb) || (flags[skb] & SKB.csumBad) !== 0) return
        const fields = `skbaddr=${this.#address(skb)} len=${Math.min(copiedBytes, payload[skb])}`
        this.#line(cpu, nowPs, 'skb_copy_datagram_iovec', fields)
      },
      xmit: (cpu, nowPs, skb) => {
        if (this.#isShown(skb)) this.#line(cpu, nowPs, 'net_dev_queue', onWire(skb))
      },
      txPost: (cpu, nowPs, skb) => {
        if (this.#isShown(skb)) this.#line(cpu, nowPs, 'net_dev_xmit', `${onWire(skb)} rc=0`)
      },
      sent: (cpu, nowPs, skb) => {
        if (!this.#isShown(skb)) return
        this.#line(cpu, nowPs, 'net_dev_queue', onWire(skb))
        this.#line(cpu, nowPs, 'net_dev_xmit', `${onWire(skb)} rc=0`)
      },
    }
  }

  /** A linear datagram is copied without the function that has the tracepoint. Kernel: net/ipv4/udp.c, udp_recvmsg */
  #isLinear(skb: number): boolean {
    const { frames, wireBytes } = this.#skb
    return frames[skb] === 1 && wireBytes[skb] <= LINEAR_BYTES
  }

  #verbose(napi: number, skb: number): string {
    const { flags, protocol, hash, len, truesize, vlanTci, queue } = this.#skb
    const { napis } = this.#model.layout
    return verboseFields({
      dev: this.#device(skb),
      napiId: FIRST_NAPI_ID + Math.max(0, napis.indexOf(napi)),
      queueMapping: (this.#names.queues.get(queue[skb])?.index ?? -1) + 1,
      skbaddr: this.#address(skb),
      vlanTagged: (flags[skb] & SKB.vlan) !== 0,
      vlanTci: vlanTci[skb],
      protocol: protocol[skb],
      ipSummed: (flags[skb] & SKB.csumUnnecessary) === 0 ? 0 : 1,
      hash: hash[skb],
      l4Hash: (flags[skb] & SKB.l4Hash) !== 0,
      len: len[skb],
      dataLen: this.#isLinear(skb) ? 0 : len[skb],
      truesize: truesize[skb],
      frags: this.#isLinear(skb) ? 0 : Math.ceil(len[skb] / LINEAR_BYTES),
    })
  }

  #endCalls(): Partial<TraceSink> {
    const { protocol, sock, saddr, daddr, ports, ipWord } = this.#skb
    const defers = KERNEL_VERSIONS[this.#model.plan.kernel].udpDeferFree
    const consume = (cpu: number, nowPs: number, skb: number, location: string) => {
      if (!this.#isShown(skb)) return
      this.#line(cpu, nowPs, 'consume_skb', `skbaddr=${this.#address(skb)} location=${location}+0x0/0x0`)
    }
    const consumer = (skb: number) => {
      if (protocol[skb] === ETH_P_ARP) return 'arp_process'
      return (ipWord[skb] & 0xff) === IPPROTO_ICMP ? 'icmp_rcv' : '__netif_receive_skb_core'
    }
    return {
      // Since 6.18 datagrams that were read are freed without the tracepoint.
      delivered: (cpu, nowPs, skb) => {
        if (!defers) consume(cpu, nowPs, skb, 'skb_consume_udp')
      },
      consumeSkb: (cpu, nowPs, skb) => consume(cpu, nowPs, skb, consumer(skb)),
      kfreeSkb: (cpu, nowPs, skb, drop) => {
        if (!this.#isShown(skb)) return
        const { where, reason } = DROP_PLACES[drop]
        if (drop === DROP.rcvbuf) {
          const from = socketAddress(saddr[skb], ports[skb] >>> 16)
          const to = socketAddress(daddr[skb], ports[skb] & 0xffff)
          const fields = `rc=-${ENOMEM} family=AF_INET src=${from} dest=${to}`
          this.#line(cpu, nowPs, 'udp_fail_queue_rcv_skb', fields)
        }
        const sk = SOCKET_DROPS.has(drop) && sock[skb] !== 0 ? pointer(sock[skb], POINTER.sock) : '0'.padStart(16, '0')
        const head = `skbaddr=${this.#address(skb)} rx_sk=${sk} protocol=${protocol[skb]}`
        this.#line(cpu, nowPs, 'kfree_skb', `${head} location=${where}+0x0/0x0 reason: ${reason}`)
      },
    }
  }
}

/** What records a model in the text form of tracefs, from before it runs. */
export function ftraceRecorder(model: Model, window: TraceWindow): TraceRecorder {
  return new FtraceRecorder(model, window)
}
