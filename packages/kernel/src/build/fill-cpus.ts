import { EventHeap, PoolOwner, PoolSlot, type World } from '@softnet/ecs'
import { type CostProfile, type HostPlan, STAGES, type StageName } from '@softnet/scenario/plan'
import { TIMELINE_ROWS } from '../count/components.js'
import { CONTEXT, Cpu, Owner, STAGE_ROWS, StageCostTable } from '../cpu/components.js'
import { MAIL_RING_STEP, MAIL_SLOT_STEP, MailPair, MailRing } from '../cpu/mail.js'
import { HardirqState } from '../irq/components.js'
import { Napi, POLL_KIND } from '../napi/components.js'
import { SkbAccount } from '../skb/components.js'
import { SoftirqState } from '../softirq/components.js'
import { backlogLevel } from '../softnet/backlog.js'
import { BacklogView, Softnet } from '../softnet/components.js'
import type { HostLayout, Layout } from './layout.js'
import type { Partitions } from './partitions.js'
import { mailEdges, type Sizes } from './sizes.js'

/** Cycles at a frequency as whole ps; at least one, so that time never stands still. */
export function cyclesToPs(cycles: number, frequencyHz: number): number {
  return Math.max(1, Math.floor((cycles * 1e12) / frequencyHz + 0.5))
}

/** Stages of packets that pass a hook. */
const NETFILTER_STAGES: ReadonlySet<StageName> = new Set<StageName>([
  'nf_hook_slow',
  'nft_do_chain',
  'nf_conntrack_in',
  'nf_nat_inet_fn',
])

/** CPU whose tables a CPU of a host shares: the first one of the host in its partition. */
export function homeCpu(host: HostLayout, partitions: Partitions, cpu: number): number {
  return host.cpus.find((each) => partitions.leader[each] === partitions.leader[cpu]) ?? cpu
}

/** CPUs whose tables others share, in the order of the layout. */
export function allHomes(layout: Layout, partitions: Partitions): number[] {
  return layout.hosts.flatMap((host) => host.cpus.filter((cpu) => homeCpu(host, partitions, cpu) === cpu))
}

/** Fills owners, CPUs, their costs, event lists and packet pools. Returns the first row of Skb that no pool uses. */
export function fillCpus(
  world: World,
  layout: Layout,
  partitions: Partitions,
  sizes: Sizes,
  profile: CostProfile,
  timelinePs: number,
): number {
  const owner = world.columns(Owner)
  const heap = world.columns(EventHeap)
  let eventRow = 1
  for (const id of [...layout.cpus, ...layout.wires]) {
    owner.partition[id] = partitions.leader[id]
    heap.base[id] = eventRow
    heap.capacity[id] = sizes.eventCapacity[id]
    eventRow += sizes.eventCapacity[id]
  }
  const cpu = world.columns(Cpu)
  const irq = world.columns(HardirqState)
  const softirq = world.columns(SoftirqState)
  const softnet = world.columns(Softnet)
  const homes = allHomes(layout, partitions)
  for (const host of layout.hosts) {
    host.plan.cpus.forEach((plan, i) => {
      const id = host.cpus[i]
      cpu.context[id] = CONTEXT.idle
      cpu.packetPool[id] = partitions.leader[id]
      cpu.home[id] = homeCpu(host, partitions, id)
      cpu.homeNumber[id] = homes.indexOf(cpu.home[id])
      cpu.slowdown[id] = 1
      cpu.coldPoll[id] = 1
      cpu.number[id] = i
      cpu.host[id] = host.index
      cpu.net[id] = host.index
      cpu.core[id] = plan.coreId
      cpu.llc[id] = plan.llcId
      cpu.node[id] = plan.nodeId
      cpu.nextTickPs[id] = Number.POSITIVE_INFINITY
      cpu.source[id] = sizes.sourceCpus.indexOf(id)
      cpu.flowView[id] = Math.max(0, sizes.flowViewLeaders.indexOf(partitions.leader[id]))
      const sibling = host.plan.cpus.findIndex((other, j) => j !== i && other.coreId === plan.coreId)
      cpu.sibling[id] = sibling < 0 ? 0 : host.cpus[sibling]
      cpu.intervalRow[id] = id * TIMELINE_ROWS
      cpu.intervalEndPs[id] = timelinePs
      irq.nextPs[id] = Number.POSITIVE_INFINITY
      softirq.ksoftirqd[id] = host.ksoftirqds[i]
      softnet.backlogNapi[id] = layout.backlogNapis[layout.cpus.indexOf(id)]
      fillCosts(world, id, plan.frequencyHz, profile, rulesOf(host.plan))
    })
    fillFlowLimit(world, layout, host.index)
  }
  fillBacklogNapis(world, layout)
  return fillPools(world, layout, sizes)
}

/** Whether any namespace of a host has rules. */
function rulesOf(host: HostPlan): boolean {
  return host.nftables !== null || (host.netns ?? []).some(({ nftables }) => nftables !== null)
}

function fillCosts(world: World, cpu: number, frequencyHz: number, profile: CostProfile, filters: boolean): void {
  const { ps } = world.columns(StageCostTable)
  STAGES.forEach((stage, index) => {
    // A host without rules is the same as one of a kernel without netfilter.
    if (NETFILTER_STAGES.has(stage) && !filters) return
    ps[cpu * STAGE_ROWS + index] = cyclesToPs(profile.stages[stage].cycles, frequencyHz)
  })
}

function fillFlowLimit(world: World, layout: Layout, hostIndex: number): void {
  const host = layout.hosts[hostIndex]
  const { flowLimitOn, inputLevel } = world.columns(Softnet)
  const before = layout.hosts
    .slice(0, hostIndex)
    .reduce((sum, { plan }) => sum + plan.sysctl['net.core.flow_limit_cpu_bitmap'].length, 0)
  const { level } = world.columns(BacklogView)
  host.plan.sysctl['net.core.flow_limit_cpu_bitmap'].forEach((cpu, slot) => {
    flowLimitOn[host.cpus[cpu]] = before + slot + 1
  })
  // Where half of the maximum is 0, an empty queue is half full.
  const empty = backlogLevel(0, host.plan.sysctl['net.core.netdev_max_backlog'])
  for (const cpu of host.cpus) {
    inputLevel[cpu] = empty
    for (const other of host.cpus) level[other * layout.cpuRows + cpu] = empty
  }
}

function fillBacklogNapis(world: World, layout: Layout): void {
  const napi = world.columns(Napi)
  // In the order of the CPUs.
  const sysctls = layout.hosts.flatMap((host) => host.cpus.map(() => host.plan))
  layout.backlogNapis.forEach((id, i) => {
    const { sysctl } = sysctls[i]
    napi.pollKind[id] = POLL_KIND.backlog
    napi.weight[id] = sysctl['net.core.dev_weight'] * sysctl['net.core.dev_weight_rx_bias']
    napi.cpu[id] = layout.cpus[i]
    napi.next[id] = -1
  })
}

function fillPools(world: World, layout: Layout, sizes: Sizes): number {
  const pool = world.columns(PoolOwner)
  const { row: slots } = world.columns(PoolSlot)
  const account = world.columns(SkbAccount)
  let slot = 1
  let skb = 1
  for (const [leader, rows] of sizes.poolRows) {
    pool.base[leader] = slot
    pool.capacity[leader] = rows
    pool.free[leader] = rows
    pool.freeMin[leader] = rows
    // The lowest row is on top of the stack.
    for (let i = 0; i < rows; i++) slots[slot + i] = skb + rows - 1 - i
    slot += rows
    skb += rows
    const host = layout.hosts.find((h) => h.cpus.includes(leader))
    account.limit[leader] = host === undefined ? rows : Math.min(host.plan.skbLimit, 0x7fffffff)
    account.reserve[leader] = host?.plan.pfmemallocReserve ?? 0
  }
  return skb
}

/** Fills the mailboxes; their transit rows of Skb start at `firstRow`. Returns the next free row. */
export function fillMail(world: World, layout: Layout, partitions: Partitions, sizes: Sizes, firstRow: number): number {
  const ring = world.columns(MailRing)
  const { ring: pair } = world.columns(MailPair)
  let skb = firstRow
  mailEdges(layout, partitions).forEach((edge, index) => {
    const r = (index + 1) * MAIL_RING_STEP
    ring.from[r] = edge.from
    ring.to[r] = edge.to
    ring.base[r] = (1 + index * sizes.mailSlots) * MAIL_SLOT_STEP
    ring.mask[r] = sizes.mailSlots - 1
    ring.skbBase[r] = skb
    skb += sizes.mailSlots
    pair[edge.from * layout.ownerRows + edge.to] = index + 1
  })
  return skb
}
