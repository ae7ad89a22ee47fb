import type { Model } from '../build/build-model.js'
import { DEVICE_ROWS, DeviceCount, ICMP_MSG_ROWS, IcmpMsgCount, SNMP_ROWS, SnmpCount } from '../count/components.js'
import { DEVICE } from '../count/device.js'
import { SNMP } from '../count/snmp.js'

/** Names of /proc/net/dev of the device counters that a run keeps. */
const DEVICE_NAMES = {
  rx_packets: DEVICE.rxPackets,
  rx_bytes: DEVICE.rxBytes,
  rx_dropped: DEVICE.rxDropped,
  tx_packets: DEVICE.txPackets,
  tx_bytes: DEVICE.txBytes,
} as const

/** Reads every counter of a CPU that is not zero. */
export function benchCounters(model: Model, cpu: number) {
  const { world, layout, constants } = model
  const { value: snmpValue } = world.columns(SnmpCount)
  const { value: icmpValue } = world.columns(IcmpMsgCount)
  const { value: deviceValue } = world.columns(DeviceCount)
  const snmp: Record<string, number> = {}
  const dev: Record<string, number> = {}
  for (const [name, id] of Object.entries(SNMP)) {
    const value = snmpValue[cpu * SNMP_ROWS + id]
    if (value !== 0) snmp[name] = value
  }
  for (let type = 0; type < ICMP_MSG_ROWS; type++) {
    const value = icmpValue[cpu * ICMP_MSG_ROWS + type]
    if (value !== 0) snmp[type < 256 ? `IcmpMsgInType${type}` : `IcmpMsgOutType${type - 256}`] = value
  }
  const host = layout.hosts[0]
  const devices = [
    ...host.devices.map(({ device, plan }) => ({ device, name: plan.name })),
    { device: host.loopback, name: 'lo' },
  ]
  for (const { device, name } of devices) {
    const base = ((device - layout.firstDevice) * constants.cpuRows + cpu) * DEVICE_ROWS
    for (const [field, id] of Object.entries(DEVICE_NAMES)) {
      const value = deviceValue[base + id]
      if (value !== 0) dev[`${name}.${field}`] = value
    }
  }
  return { snmp, dev }
}
