import { defineSystem } from '@softnet/ecs'
import { PacketCount } from '../count/components.js'
import { counters } from '../count/counters.js'
import { DEVICE } from '../count/device.js'
import { SNMP } from '../count/snmp.js'
import { charge } from '../cpu/charge.js'
import { EVENT } from '../cpu/event-kinds.js'
import { mail, VIA } from '../cpu/mail.js'
import { STAGE } from '../cpu/stage-ids.js'
import { NetDev } from '../nic/components.js'
import { SoftirqState } from '../softirq/components.js'

/** Sends one datagram of `bytes` payload out of `dev`, in answer to a client's `request` (0: nobody waits for it). */
export type Transmit = (cpu: number, dev: number, bytes: number, request: number) => void

const HEADERS_BYTES = 42

/**
 * The transmit stub: one price for the whole way out, and the reply reaches the client after the NIC's transmit latency
 * and the link. Kernel: net/ipv4/udp.c, udp_sendmsg
 */
export const transmit = defineSystem<Transmit>('udp_sendmsg', 'task', 'net/ipv4/udp.c, udp_sendmsg', (context) => {
  const { created, sent } = context.write(PacketCount)
  const { index: devIndex, wire } = context.read(NetDev)
  const { bhEnabled } = context.write(SoftirqState)
  const spend = context.system(charge)
  const count = context.system(counters)
  const post = context.system(mail)
  return (cpu, dev, bytes, request) => {
    spend(cpu, STAGE.sendmsg, 1)
    // Kernel: net/core/dev.c, __dev_queue_xmit (rcu_read_unlock_bh)
    bhEnabled[cpu] = 1
    count.snmp(cpu, SNMP.UdpOutDatagrams, 1)
    count.snmp(cpu, SNMP.IpOutRequests, 1)
    count.snmp(cpu, SNMP.IpOutTransmits, 1)
    count.snmp(cpu, SNMP.IpExtOutOctets, bytes + 28)
    count.device(devIndex[dev], cpu, DEVICE.txPackets, 1)
    count.device(devIndex[dev], cpu, DEVICE.txBytes, bytes + HEADERS_BYTES)
    created[cpu]++
    sent[cpu]++
    if (request === 0) return
    const target = wire[dev]
    if (target !== 0) post.note(cpu, target, VIA.wire, EVENT.reply, 0, 0, request)
  }
})
