import type { Columns, World } from '@softnet/ecs'
import { PMTUDISC_NAMES, type QdiscPlan, type SocketPlan, type TxPlan } from '@softnet/scenario/plan'
import { tosPriority } from '../ip/tos-priority.js'
import { HardirqState } from '../irq/components.js'
import { disciplinesOf } from '../link/most-of-run.js'
import { Napi } from '../napi/components.js'
import { IrqVector, NetDev } from '../nic/components.js'
import { Dql, TxQueue, TxSlot, XpsMap, XpsSlot } from '../nic/tx-components.js'
import { BANDS, OutputQueue, Qdisc, QdiscBand, QdiscFlow } from '../qdisc/components.js'
import { setQdisc } from '../qdisc/set-qdisc.js'
import { SockSend } from '../sock/sock-wfree.js'
import { Wire } from '../wire/components.js'
import { interfaceNamed } from './host-interfaces.js'
import type { DeviceLayout, HostLayout, Layout } from './layout.js'
import { queueCpu } from './reach.js'
import { powerOfTwo } from './sizes.js'

interface Sending {
  readonly host: HostLayout
  readonly device: DeviceLayout
  readonly tx: TxPlan
}

/** Devices that the load of their host leaves by. */
function sendingDevices(layout: Layout): Sending[] {
  return layout.hosts.flatMap((host) =>
    host.devices.flatMap((device) => {
      const { tx } = device.plan
      return tx === undefined || device.txQueues.length === 0 ? [] : [{ host, device, tx }]
    }),
  )
}

function flowsOf(qdisc: QdiscPlan): number {
  return qdisc.kind === 'fq_codel' || qdisc.kind === 'fq' ? qdisc.flows : 0
}

/** Most flows that a queue of a device has in a run. */
function mostFlows({ plan }: Layout, { host, device, tx }: Sending): number {
  return Math.max(...disciplinesOf(plan, host.plan.name, device.plan.name, tx.qdisc).map(flowsOf))
}

/** Declares transmit queues, rings, disciplines and XPS maps. */
export function declareTx(world: World, layout: Layout): void {
  const all = sendingDevices(layout)
  const sum = (of: (each: Sending) => number) => all.reduce((n, each) => n + of(each), 0)
  for (const component of [TxQueue, Dql, Qdisc]) world.spacedPool(component, layout.txQueueRows, layout.step)
  world.pool(QdiscBand, (layout.txQueueRows + 1) * BANDS)
  world.pool(
    QdiscFlow,
    sum((each) => each.device.txQueues.length * mostFlows(layout, each)),
  )
  world.pool(
    TxSlot,
    sum(({ device, tx }) => device.txQueues.length * powerOfTwo(tx.ring)),
  )
  world.pool(XpsMap, layout.deviceCount * layout.cpuRows)
  world.pool(
    XpsSlot,
    sum(({ host, device, tx }) =>
      tx.changesXps === true
        ? host.cpus.length * device.txQueues.length
        : tx.xpsCpus.reduce((n, cpus) => n + cpus.length, 0),
    ),
  )
  world.pool(OutputQueue, layout.cpuRows)
  world.spacedPool(SockSend, Math.max(1, layout.socketRows - 1), layout.socketStep)
}

/** Fills them. */
export function fillTx(world: World, layout: Layout): void {
  const next = { slot: 1, flow: 1, xps: 1 }
  for (const { host, device, tx } of sendingDevices(layout)) {
    device.txQueues.forEach((queue, index) => {
      fillQueue(world, host, device, tx, queue, index, next.slot)
      next.slot += powerOfTwo(tx.ring)
      world.columns(Qdisc).flowBase[queue] = next.flow
      setQdisc(world.columns(Qdisc), tx.qdisc, queue, device.plan.mtu)
      next.flow += mostFlows(layout, { host, device, tx })
    })
    fillOwners(world, layout, device)
    next.xps = fillXps(world, layout, host, device, tx, next.xps)
  }
}

function fillQueue(
  world: World,
  host: HostLayout,
  device: DeviceLayout,
  tx: TxPlan,
  queue: number,
  index: number,
  slot: number,
): void {
  const t = world.columns(TxQueue)
  const { plan } = device
  world.columns(HardirqState).sends[queueCpu(host, device, index)] = 1
  t.dev[queue] = device.device
  t.index[queue] = index
  t.cpu[queue] = queueCpu(host, device, index)
  t.wire[queue] = device.wire
  t.vector[queue] = device.vectors[plan.queues[index]?.vectorIndex ?? 0]
  t.fetchPs[queue] = plan.dmaLatencyPs
  t.doneDelayPs[queue] = plan.dmaLatencyPs
  t.slotBase[queue] = slot
  t.slotMask[queue] = powerOfTwo(tx.ring) - 1
  t.ringSize[queue] = tx.ring
  t.stopBelow[queue] = Math.min(tx.stopBelow, tx.ring - 1)
  t.wakeAt[queue] = Math.min(tx.wakeAt, tx.ring - 1)
  t.workLimit[queue] = tx.workLimit
  t.usecsPs[queue] = tx.usecsPs
  const dql = world.columns(Dql)
  dql.on[queue] = tx.bql ? 1 : 0
  dql.lowestSlack[queue] = 0xffffffff
}

/** Who sees the transmit queues of a device: the device, its VLANs, its wire, and the vectors and NAPIs they interrupt by. */
function fillOwners(world: World, layout: Layout, device: DeviceLayout): void {
  const dev = world.columns(NetDev)
  const wire = world.columns(Wire)
  const vector = world.columns(IrqVector)
  const napi = world.columns(Napi)
  const { txQueues, plan } = device
  const [first] = txQueues
  const count = txQueues.length
  for (let id = device.device; id <= device.device + plan.vlans.length; id++) {
    dev.firstTx[id] = first
    dev.txStep[id] = layout.step
    dev.txCount[id] = count
  }
  wire.firstTx[device.wire] = first
  wire.txStep[device.wire] = layout.step
  wire.txCount[device.wire] = count
  const vectors = device.vectors.length
  device.vectors.forEach((id, v) => {
    const own = plan.queues.filter((queue) => queue.vectorIndex === v).length
    vector.firstTx[id] = txQueues[v]
    vector.txSkip[id] = layout.step * vectors
    vector.txCount[id] = own
    napi.firstTx[device.napis[v]] = txQueues[v]
    napi.txSkip[device.napis[v]] = layout.step * vectors
    napi.txCount[device.napis[v]] = own
  })
}

function fillXps(
  world: World,
  layout: Layout,
  host: HostLayout,
  device: DeviceLayout,
  tx: TxPlan,
  firstSlot: number,
): number {
  const map = world.columns(XpsMap)
  const { queue: slots } = world.columns(XpsSlot)
  let slot = firstSlot
  host.cpus.forEach((cpu, number) => {
    const queues = device.txQueues.filter((_, index) => tx.xpsCpus[index]?.includes(number))
    for (let id = device.device; id <= device.device + device.plan.vlans.length; id++) {
      const row = (id - layout.firstDevice) * layout.cpuRows + cpu
      map.base[row] = slot
      map.count[row] = queues.length
    }
    for (const [i, queue] of queues.entries()) slots[slot + i] = queue
    slot += tx.changesXps === true ? device.txQueues.length : queues.length
  })
  return slot
}

/** Options of a socket that matter to what it sends. Kernel: net/ipv4/ip_sockglue.c, do_ip_setsockopt */
export function fillSendOptions(
  send: Columns<typeof SockSend.schema>,
  id: number,
  plan: SocketPlan,
  host: HostLayout,
): void {
  const given = plan.send ?? {}
  send.ttl[id] = given.ttl ?? 0
  send.tos[id] = given.tos ?? 0
  // IP_TOS sets the priority too, unless SO_PRIORITY does so later.
  if (given.tos !== undefined && (plan.soPriority ?? 0) === 0) send.priority[id] = tosPriority(given.tos)
  send.segmentBytes[id] = given.segmentBytes ?? 0
  send.pacingRate[id] = given.pacingRate ?? 0
  send.multicastTtl[id] = given.multicastTtl ?? 1
  send.multicastLoop[id] = given.multicastLoop === false ? 0 : 1
  send.multicastDev[id] = given.multicastDevice === undefined ? 0 : interfaceNamed(host, given.multicastDevice)
  send.multicastAddress[id] = given.multicastAddress ?? 0
  send.dontRoute[id] = given.dontRoute === true ? 1 : 0
  send.noCheck[id] = given.noCheck === true ? 1 : 0
  send.pmtudisc[id] = given.pmtudisc === undefined ? 0 : 1 + PMTUDISC_NAMES.indexOf(given.pmtudisc)
}
