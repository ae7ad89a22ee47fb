import { eventList } from '@softnet/ecs'
import type { Plan } from '@softnet/scenario/plan'
import { buildModel, type Model } from '../build/build-model.js'
import { SNMP_ROWS, SnmpCount } from '../count/components.js'
import { GRO } from '../count/device.js'
import { DROP_PLACES } from '../count/drops.js'
import { SNMP } from '../count/snmp.js'
import { CONTEXT, Cpu } from '../cpu/components.js'
import type { HarnessCalls } from '../cpu/dispatch.js'
import { EVENT } from '../cpu/event-kinds.js'
import { hardirq } from '../irq/hardirq.js'
import type { ProgramXmit } from '../link/program-xmit.js'
import { Napi, POLL_KIND } from '../napi/components.js'
import { pollVirtual } from '../napi/poll-virtual.js'
import { RX_HANDLER } from '../netif/components.js'
import type { RxHandler } from '../netif/rx-handler.js'
import { steer } from '../netif/steer.js'
import { NetDev } from '../nic/components.js'
import { NO_TRACE, type TraceSink } from '../observe/trace-sink.js'
import { Skb } from '../skb/components.js'
import { SOFTIRQ, SoftirqState } from '../softirq/components.js'
import { handleSoftirqs } from '../softirq/handle-softirqs.js'
import { Softnet } from '../softnet/components.js'
import { RunQueue } from '../task/components.js'
import { benchCounters } from './bench-counters.js'
import { benchNeighbours } from './bench-neighbours.js'
import { type BenchPackets, benchPackets } from './bench-packets.js'
import { benchProgram } from './bench-program.js'
import { type BenchSocket, benchSocket } from './bench-socket.js'

/** What a bench tells while it runs; each call is optional. */
export interface BenchObserver {
  /** A NET_RX softirq begins. */
  softirq?(inKsoftirqd: boolean): void
  /** A poll has returned; `device` is null for the backlog. */
  poll?(device: string | null, work: number, weight: number): void
  /** GRO has answered for the packet with this serial number. */
  gro?(serial: number, result: string): void
  /** A packet of `lenBytes` enters the stack. */
  deliver?(lenBytes: number): void
  /** A packet was dropped: `REASON@function`. */
  drop?(place: string): void
  /** A packet was sent on the tun or tap device of that name: an IP packet, or an Ethernet frame. */
  transmit?(device: string, frame: Uint8Array): void
}

/** What an rx_handler of a bench does with a packet, beside looking at it. */
export interface BenchBridge {
  /** Device the packet is on. */
  device(row: number): string
  /** Puts a clone into the ring of a virtual device's NAPI. */
  flood(row: number, device: string): void
  /** Hands the packet itself up on another device. */
  handUp(row: number, device: string): void
}

/** Counters of one CPU's line of /proc/net/softnet_stat. */
export interface SoftnetLine {
  readonly processed: number
  readonly dropped: number
  readonly timeSqueeze: number
}

/**
 * A one-CPU machine whose packets come from a process that does one thing after the other, each with bottom halves
 * disabled, as a recording program does: what it raises runs when the step ends.
 */
export interface Bench {
  readonly model: Model
  readonly packets: BenchPackets
  /** Device entity of a name. */
  device(name: string): number
  /** Does `body` in process context, `delayPs` after the last step and once its softirqs are over. */
  step(body: () => void, delayPs?: number): void
  /** netif_rx: the packet joins the CPU's backlog. */
  netifRx(row: number): void
  /** The packet joins the ring of a virtual device's NAPI, which is scheduled. */
  napiRx(row: number, device: string): void
  /** Makes a virtual device one that a program writes to (`IFF_TUN | IFF_NAPI`). */
  makeTun(device: string): void
  /** Calls `handle` for each packet that comes in on `device`, instead of the device's own rx_handler. */
  bridge(device: string, handle: (row: number, bridge: BenchBridge) => void): void
  /** A program writes to its tun or tap device: an IP packet (`protocol` from its packet information), or an Ethernet frame. */
  programWrite(device: string, frame: Uint8Array, protocol?: number): void
  /** Lines of `ip neigh`. */
  neighbours(): string[]
  /** Socket `index` of the host's first program, of which nobody waits for data. */
  socket(index: number): BenchSocket
  softnet(): SoftnetLine
  /** All counters that moved, by their full names: SNMP, ICMP messages by type, and devices (`tun0.rx_bytes`). */
  counters(): { readonly snmp: Readonly<Record<string, number>>; readonly dev: Readonly<Record<string, number>> }
  /** An SNMP counter by its full name; undefined if the model has no such counter. */
  snmp(name: string): number | undefined
}

/** Time from one step to the next unless said otherwise, and between looks whether softirqs are over, ps. */
const STEP_PS = 1_000_000
/** Steps begin just behind a jiffy, so that limits at jiffy resolution have all of it. */
const BEHIND_JIFFY_PS = 1000

/** Names of the GRO results. Kernel: include/linux/netdevice.h, enum gro_result */
const GRO_RESULTS = {
  [GRO.merged]: 'MERGED',
  [GRO.mergedFree]: 'MERGED_FREE',
  [GRO.held]: 'HELD',
  [GRO.normal]: 'NORMAL',
  [GRO.consumed]: 'CONSUMED',
  [GRO.drop]: 'DROP',
}

/** Observer calls as a trace sink; the model is there by the time anything is traced. */
function traceOf(observer: BenchObserver, model: () => Model): TraceSink {
  return {
    ...NO_TRACE,
    on: true,
    softirqEntry(_cpu, _nowPs, vector, inKsoftirqd) {
      if (vector === SOFTIRQ.netRx) observer.softirq?.(inKsoftirqd)
    },
    napiPoll(_cpu, _nowPs, napi, work, budget) {
      observer.poll?.(napiDevice(model(), napi), work, budget)
    },
    groResult(_cpu, _nowPs, skb, result) {
      observer.gro?.(model().world.columns(Skb).serial[skb], GRO_RESULTS[result as keyof typeof GRO_RESULTS])
    },
    kfreeSkb(_cpu, _nowPs, _skb, drop) {
      const place = DROP_PLACES[drop]
      observer.drop?.(`${place.reason}@${place.where}`)
    },
    netifReceiveSkb(_cpu, _nowPs, skb) {
      observer.deliver?.(model().world.columns(Skb).len[skb])
    },
  }
}

function napiDevice(model: Model, napi: number): string | null {
  const { layout } = model
  for (const { plan, napis } of layout.hosts[0].devices) {
    if (napis.includes(napi)) return plan.name
  }
  return null
}

/** Builds the machine of a plan whose first host has one CPU; the plan's own traffic runs too. */
export function createBench(plan: Plan, observer: BenchObserver = {}): Bench {
  const harness: HarnessCalls = { call: null }
  const rxHandler: { handle: RxHandler | null } = { handle: null }
  const programXmit: ProgramXmit = { xmit: null, reflect: null }
  const model: Model = buildModel(plan, {
    trace: traceOf(observer, () => model),
    rxHandler,
    harness,
    program: programXmit,
  })
  const { binder, world, layout } = model
  const cpu = layout.cpus[0]
  const packets = benchPackets(binder, cpu)
  const program = benchProgram(model, cpu, packets, observer)
  programXmit.xmit = program.transmit
  programXmit.reflect = program.reflect
  const process = benchProcess(model, cpu, harness)
  const steering = binder.bind(steer)
  const virtual = binder.bind(pollVirtual)
  const { dev: skbDev } = world.columns(Skb)
  const netDev = world.columns(NetDev)
  const softnet = world.columns(Softnet)
  const { value: snmp } = world.columns(SnmpCount)

  const layoutOf = (name: string) => {
    const found = layout.hosts[0].devices.find((each) => each.plan.name === name)
    if (found === undefined) throw new Error(`the bench has no device ${name}`)
    return found
  }
  const device = (name: string) => layoutOf(name).device
  const nameOf = (dev: number) => layout.hosts[0].devices.find((each) => each.device === dev)?.plan.name ?? ''

  function napiRx(row: number, name: string): void {
    if (virtual.transmit(cpu, layoutOf(name).napis[0], row) === 0) throw new Error(`the ring of ${name} is full`)
  }

  const bridgePorts: BenchBridge = {
    device: (row) => nameOf(skbDev[row]),
    flood: (row, name) => napiRx(packets.clone(row), name),
    handUp(row, name) {
      skbDev[row] = device(name)
    },
  }

  return {
    model,
    packets,
    device,
    step: process.step,
    netifRx: (row) => steering.toBacklog(cpu, row, cpu),
    napiRx,
    makeTun(name) {
      world.columns(Napi).pollKind[layoutOf(name).napis[0]] = POLL_KIND.tun
    },
    bridge(name, handle) {
      netDev.rxHandler[device(name)] = RX_HANDLER.custom
      rxHandler.handle = (_cpu, row) => {
        const before = skbDev[row]
        handle(row, bridgePorts)
        return skbDev[row] === before ? RX_HANDLER.passed : RX_HANDLER.another
      }
    },
    socket: (index) => benchSocket(model, layout.hosts[0].appSockets[0][index], cpu),
    programWrite: program.write,
    counters: () => benchCounters(model, cpu),
    neighbours: () => benchNeighbours(model, cpu),
    softnet: () => ({
      processed: softnet.processed[cpu],
      dropped: softnet.dropped[cpu],
      timeSqueeze: softnet.timeSqueeze[cpu],
    }),
    snmp(name) {
      const id = (SNMP as Readonly<Record<string, number>>)[name]
      return id === undefined ? undefined : snmp[cpu * SNMP_ROWS + id]
    },
  }
}

/** The process: its next step is an event on the CPU, which is put off while softirqs run. */
function benchProcess(model: Model, cpu: number, harness: HarnessCalls): Pick<Bench, 'step'> {
  const { binder, world } = model
  const events = binder.bind(eventList)
  const irq = binder.bind(hardirq)
  const softirqs = binder.bind(handleSoftirqs)
  const { clockPs, context } = world.columns(Cpu)
  const { active, pending, bhDisabled } = world.columns(SoftirqState)
  const { current, head } = world.columns(RunQueue)
  const queue: { readonly body: () => void; readonly delayPs: number }[] = []

  let armed = false

  function wakeAt(timePs: number): void {
    armed = true
    events.push(cpu, cpu, timePs, EVENT.call, 0, 0, 0)
  }

  function run(body: () => void): void {
    irq.exitIdle(cpu)
    const before = context[cpu]
    context[cpu] = CONTEXT.task
    bhDisabled[cpu] = 1
    body()
    bhDisabled[cpu] = 0
    // local_bh_enable
    if (!softirqs.tryStart(cpu)) context[cpu] = before
  }

  harness.call = () => {
    armed = false
    if (active[cpu] !== 0 || pending[cpu] !== 0 || current[cpu] !== 0 || head[cpu] !== 0) {
      wakeAt(clockPs[cpu] + STEP_PS)
      return
    }
    const step = queue.shift()
    if (step === undefined) return
    run(step.body)
    if (queue.length > 0 && !armed) wakeAt(clockPs[cpu] + queue[0].delayPs)
  }

  return {
    step(body, delayPs = STEP_PS) {
      queue.push({ body, delayPs })
      if (!armed) wakeAt(Math.max(clockPs[cpu], model.constants.jiffyPs[cpu] + BEHIND_JIFFY_PS) + delayPs)
    },
  }
}
