import { type BindContext, type Component, defineComponent, defineResource, f64, i32, u8, u16 } from '@softnet/ecs'
import type { StageName } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'
import type { Sizes } from '../build/sizes.js'

/**
 * What a system of a plugin runs: handles `ids[0 … count − 1]` in order for their owner, a CPU or a wire, and leaves its
 * verdicts in columns. It may change neither `ids` nor allocate.
 */
export type HookRun = (ids: Int32Array, count: number, owner: number) => void

/** What the card does with a frame, value of `NicFault.action`. */
export const NIC_FAULT = {
  none: 0,
  /** The frame is lost inside of the card, and no counter of the card knows. */
  lose: 1,
  /** Payload is damaged behind the check of the FCS: the kernel's checksum finds it, if the packet has one. */
  corrupt: 2,
  /** The frame comes with a bad FCS. */
  crc: 3,
} as const

/** Verdict of the systems at `xdp`: row of the packet. */
export const XdpVerdict = defineComponent(
  'xdp_verdict',
  {
    /** One of `XDP`; `XDP.pass` before the first system. */
    action: u8,
  },
  { role: 'observer' },
)

/** Verdict of the systems at `get_rps_cpu`: row of the packet. */
export const SteerVerdict = defineComponent(
  'steer_verdict',
  {
    /** CPU entity out of the queue's rps_cpus; before the first system the one that RPS's hash picks. */
    cpu: i32,
  },
  { role: 'observer' },
)

/** Verdict of the systems at `napi_poll`: row of the NAPI instance. */
export const NapiQuota = defineComponent(
  'napi_quota',
  {
    /** Packets the poll may take, at least 1; before the first system the weight of the instance. */
    packets: u16,
  },
  { role: 'observer' },
)

/** Verdict of the systems at `tc_ingress`: row of the packet. */
export const IngressVerdict = defineComponent(
  'ingress_verdict',
  {
    /** 1: the packet is dropped (TC_ACT_SHOT); 0 before the first system. */
    shot: u8,
  },
  { role: 'observer' },
)

/** Verdict of the systems at `nic_rx`: row of the wire. */
export const NicFault = defineComponent(
  'nic_fault',
  {
    /** One of `NIC_FAULT`; `NIC_FAULT.none` before the first system. */
    action: u8,
    /** The card transfers nothing to memory for so long from now on, ps; 0 before the first system. */
    stallPs: f64,
  },
  { role: 'observer' },
)

/** The card's transfers to memory: row of the wire. */
export const NicStall = defineComponent('nic_stall', {
  /** Nothing is transferred before this time, ps. */
  untilPs: f64,
})

/** Band by which systems at `qdisc_enqueue` drop a packet. */
export const QDISC_SHOT = 255

/** Verdict of the systems at `qdisc_enqueue`: row of the packet. */
export const EnqueueVerdict = defineComponent(
  'enqueue_verdict',
  {
    /** Band 0 (first) to 2 (last) it waits in, or `QDISC_SHOT`; before the first system that of the discipline. */
    band: u8,
  },
  { role: 'observer' },
)

/** Verdict of the systems at `qdisc_dequeue`: row of the transmit queue. */
export const QueueVerdict = defineComponent(
  'queue_verdict',
  {
    /** For the systems to read: the packet that is about to go. */
    packet: i32,
    /** It waits so long from `Qdisc.nowPs` on, ps, and is asked about again; 0 before the first system: it goes. */
    waitPs: f64,
  },
  { role: 'observer' },
)

/** Rows that a hook is about. */
type RowsOf = 'packet' | 'napi' | 'wire' | 'txqueue'

/** A place at which systems of plugins run. */
export interface Hook {
  /** What `ids` are, and with that the rows of the verdict. */
  readonly ids: RowsOf
  /** Whether the owner, third argument of a system, is a CPU entity or a wire entity. */
  readonly owner: 'cpu' | 'wire'
  readonly verdict: Component | null
  /** Components that only the hook needs. */
  readonly others: readonly Component[]
  /** Stage that its systems charge. */
  readonly stage: StageName | null
  /** Kernel file and function. */
  readonly kernel: string
  readonly about: string
}

const loose = (component: unknown): Component => component as Component

/** The hooks, in the order in which a packet meets them. */
export const HOOKS = {
  nic_rx: {
    ids: 'wire',
    owner: 'wire',
    verdict: loose(NicFault),
    others: [loose(NicStall)],
    stage: null,
    kernel: 'the card',
    about: 'a frame has reached the port of a card',
  },
  napi_poll: {
    ids: 'napi',
    owner: 'cpu',
    verdict: loose(NapiQuota),
    others: [],
    stage: 'napi_poll',
    kernel: 'net/core/dev.c, napi_poll, napi_threaded_poll_loop',
    about: 'an instance is about to be polled by net_rx_action or its thread',
  },
  xdp: {
    ids: 'packet',
    owner: 'cpu',
    verdict: loose(XdpVerdict),
    others: [],
    stage: 'xdp',
    kernel: 'include/linux/filter.h, bpf_prog_run_xdp',
    about: 'a packet of a device with XDP has passed the rules of the scenario',
  },
  get_rps_cpu: {
    ids: 'packet',
    owner: 'cpu',
    verdict: loose(SteerVerdict),
    others: [],
    stage: 'get_rps_cpu',
    kernel: 'net/core/dev.c, get_rps_cpu',
    about: 'a packet of a queue with rps_cpus is steered, and no flow table says where to',
  },
  tc_ingress: {
    ids: 'packet',
    owner: 'cpu',
    verdict: loose(IngressVerdict),
    others: [],
    stage: 'netif_receive_skb',
    kernel: 'net/core/dev.c, sch_handle_ingress',
    about: 'an skb is in the core, behind GRO, steering and the taps',
  },
  recvmsg: {
    ids: 'packet',
    owner: 'cpu',
    verdict: null,
    others: [],
    stage: 'recvmsg',
    kernel: 'net/ipv4/udp.c, udp_recvmsg',
    about: 'a message has been read and is about to be freed; those of the warm-up are left out',
  },
  qdisc_enqueue: {
    ids: 'packet',
    owner: 'cpu',
    verdict: loose(EnqueueVerdict),
    others: [],
    stage: null,
    kernel: 'net/core/dev.c, __dev_xmit_skb',
    about: 'a packet is put into a discipline pfifo_fast, pfifo or bfifo',
  },
  qdisc_dequeue: {
    ids: 'txqueue',
    owner: 'cpu',
    verdict: loose(QueueVerdict),
    others: [],
    stage: null,
    kernel: 'net/sched/sch_generic.c, dequeue_skb',
    about: 'the next packet of such a discipline is about to go to the driver',
  },
} as const satisfies Record<string, Hook>

/** Name of a hook. */
export type HookName = keyof typeof HOOKS

/** Names of the hooks. */
export const HOOK_NAMES = Object.keys(HOOKS) as HookName[]

/** Declares the components of the hooks in use; before the world is frozen. */
export function hookTables(used: ReadonlySet<HookName>, layout: Layout, sizes: Sizes): [Component, number][] {
  const rows = { packet: sizes.skbRows, napi: layout.firstTask, wire: layout.ownerRows, txqueue: layout.txQueueRows }
  return HOOK_NAMES.filter((name) => used.has(name)).flatMap((name): [Component, number][] => {
    const hook: Hook = HOOKS[name]
    const components = hook.verdict === null ? hook.others : [hook.verdict, ...hook.others]
    return components.map((component) => [component, rows[hook.ids]])
  })
}

/** The systems of plugins at the hooks of a world. */
export interface PluginHooks {
  /** Binds the systems of a hook, in their order; null if no plugin has one there. */
  bind(hook: HookName): HookRun | null
}

/** Resource key of the hooks. */
export const PLUGIN_HOOKS = defineResource<PluginHooks>('plugin_hooks')

/** Hooks without any plugin. */
export const NO_PLUGIN_HOOKS: PluginHooks = { bind: () => null }

/** The systems at a hook, for the system that calls it: asked when it is bound, so that an unused hook costs nothing. */
export function pluginHook(context: BindContext, hook: HookName): HookRun | null {
  return context.resourceOr(PLUGIN_HOOKS, NO_PLUGIN_HOOKS).bind(hook)
}
