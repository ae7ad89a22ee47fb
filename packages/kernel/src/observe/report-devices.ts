import type { DeviceRow, QueueRow } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import type { DeviceLayout, HostLayout } from '../build/layout.js'
import { queueCpu } from '../build/reach.js'
import { DEVICE_ROWS, DeviceCount } from '../count/components.js'
import { DEVICE } from '../count/device.js'
import { IrqVector, RxQueue } from '../nic/components.js'
import { WireState } from '../wire/components.js'
import { reportLinkState } from './report-link.js'

/** One row per receive queue. */
export function reportQueues(model: Model, host: HostLayout): QueueRow[] {
  const q = model.world.columns(RxQueue)
  const v = model.world.columns(IrqVector)
  const rows: QueueRow[] = []
  for (const device of host.devices) {
    // An end of a veth pair has no descriptors and no interrupt.
    if (device.plan.peer !== undefined) continue
    device.plan.queues.forEach((plan, i) => {
      const id = device.queues[i]
      rows.push({
        dev: device.plan.name,
        queue: i,
        irq: device.plan.vectors[plan.vectorIndex].irq,
        cpu: host.cpus.indexOf(queueCpu(host, device, i)),
        frames: q.frames[id],
        bytes: q.bytes[id],
        dropped: q.noBuffer[id] + q.missed[id],
        irqs: v.count[device.vectors[plan.vectorIndex]],
        polls: q.polls[id],
        polls_done: q.pollsDone[id],
        packets_per_poll: q.pollsNonEmpty[id] === 0 ? 0 : q.polledPackets[id] / q.pollsNonEmpty[id],
        ring_max: q.ringMax[id],
        ring_size: q.ringSize[id],
      })
    })
  }
  return rows
}

/** A device counter over all CPUs and its wire. */
function deviceSum(model: Model, device: number, field: number): number {
  const { value } = model.world.columns(DeviceCount)
  const { cpuRows, firstDevice } = model.layout
  let sum = 0
  for (let cpu = 0; cpu < cpuRows; cpu++) sum += value[((device - firstDevice) * cpuRows + cpu) * DEVICE_ROWS + field]
  return sum
}

function queueSum(
  model: Model,
  device: DeviceLayout,
  of: 'noBuffer' | 'missed' | 'noBufferCount' | 'allocFailed' | 'xdpDrop',
): number {
  const column = model.world.columns(RxQueue)[of]
  return device.plan.queues.reduce((sum, _, i) => sum + column[device.queues[i]], 0)
}

/** Frames the NIC lost for want of descriptors or buffer, as rtnl_link_stats64.rx_missed_errors counts them. */
function missedErrors(model: Model, device: DeviceLayout): number {
  const wire = device.wire === 0 ? 0 : model.world.columns(WireState).missed[device.wire]
  return wire + queueSum(model, device, 'missed') + queueSum(model, device, 'noBuffer')
}

/** One row per device, VLAN devices after theirs. */
export function reportDevices(model: Model, host: HostLayout): DeviceRow[] {
  const rows: DeviceRow[] = []
  for (const device of host.devices) {
    const errors = device.wire === 0 ? 0 : model.world.columns(WireState).errors[device.wire]
    const multicast = device.wire === 0 ? 0 : model.world.columns(WireState).multicast[device.wire]
    const names = [device.plan.name, ...device.plan.vlans.map((vlan) => `${device.plan.name}.${vlan}`)]
    names.forEach((name, i) => {
      const id = device.device + i
      const at = (field: number) => deviceSum(model, id, field)
      rows.push({
        name,
        rx_packets: at(DEVICE.rxPackets),
        rx_bytes: at(DEVICE.rxBytes),
        rx_errors: i === 0 ? errors : 0,
        rx_dropped: at(DEVICE.rxDropped),
        rx_missed_errors: i === 0 ? missedErrors(model, device) : 0,
        rx_crc_errors: i === 0 ? errors : 0,
        rx_nohandler: at(DEVICE.rxNohandler),
        rx_otherhost_dropped: at(DEVICE.rxOtherhost),
        multicast: i === 0 ? multicast : at(DEVICE.multicast),
        tx_packets: at(DEVICE.txPackets),
        tx_bytes: at(DEVICE.txBytes),
        ...(device.plan.peer === undefined && i === 0 ? {} : { tx_dropped: at(DEVICE.txDropped) }),
        link_bits_per_sec: device.plan.linkBitsPerSec,
        mtu: device.plan.vlanDevices?.[i - 1]?.mtu ?? device.plan.mtu,
        driver: device.plan.driver.name,
        ...reportLinkState(model, host, id, at(DEVICE.txDropped)),
      })
    })
  }
  return rows
}

/** `ethtool -S` of each device. Kernel: drivers/net/ethernet/intel/igb/igb_ethtool.c, igb_get_strings */
export function reportEthtool(model: Model, host: HostLayout): Record<string, Record<string, number>> {
  const q = model.world.columns(RxQueue)
  const result: Record<string, Record<string, number>> = {}
  for (const device of host.devices) {
    const missedWire = device.wire === 0 ? 0 : model.world.columns(WireState).missed[device.wire]
    const stats: Record<string, number> = {
      rx_packets: deviceSum(model, device.device, DEVICE.rxPackets),
      tx_packets: deviceSum(model, device.device, DEVICE.txPackets),
      rx_bytes: deviceSum(model, device.device, DEVICE.rxBytes),
      tx_bytes: deviceSum(model, device.device, DEVICE.txBytes),
      rx_crc_errors: device.wire === 0 ? 0 : model.world.columns(WireState).errors[device.wire],
      rx_no_buffer_count: queueSum(model, device, 'noBufferCount'),
      rx_missed_errors: missedWire + queueSum(model, device, 'missed'),
      rx_out_of_buffer: queueSum(model, device, 'noBuffer'),
      alloc_rx_buff_failed: queueSum(model, device, 'allocFailed'),
      rx_xdp_drop: queueSum(model, device, 'xdpDrop'),
    }
    device.plan.queues.forEach((_, i) => {
      const id = device.queues[i]
      stats[`rx_queue_${i}_packets`] = q.polledPackets[id]
      stats[`rx_queue_${i}_bytes`] = q.bytes[id]
    })
    result[device.plan.name] = stats
  }
  return result
}
