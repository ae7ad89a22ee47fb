/** Frames to 192.0.2.1 that are about routes and neighbours: echo requests from afar, what routers say of the way, ARP. */
import { internetSum } from './capture-file.js'

const OWN = 'c0000201'
const FAR = 'cb007105'
const ROUTER = 'c00002fe'
const OTHER_ROUTER = 'c000024d'
const NEIGHBOUR_MAC = '021100000007'
const BROADCAST_MAC = 'ffffffffffff'

function ethernet(to: string, type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${to}${NEIGHBOUR_MAC}${type}`, 'hex'), payload])
}

function summed(message: Buffer, at: number): Buffer {
  message.writeUInt16BE(0xffff - internetSum(message), at)
  return message
}

function ipv4(from: string, to: string, message: Buffer): Buffer {
  const head = Buffer.from(`45000000000100004001${'0000'}${from}${to}`, 'hex')
  head.writeUInt16BE(20 + message.length, 2)
  return Buffer.concat([summed(head, 10), message])
}

function icmp(head: string, data: Buffer): Buffer {
  return summed(Buffer.concat([Buffer.from(head, 'hex'), data]), 2)
}

const frame = (packet: Buffer): Buffer => ethernet('020000000001', '0800', packet)
const echo = (bytes: number): Buffer => frame(ipv4(FAR, OWN, icmp('0800000000070001', Buffer.alloc(bytes))))
/** The answer to an echo request, as routers quote it. */
const ANSWER = ipv4(OWN, FAR, icmp('0000000000070001', Buffer.alloc(0)))
const told = (head: string): Buffer => frame(ipv4(ROUTER, OWN, icmp(head, ANSWER)))

/** An ARP message of 192.0.2.7, or of the address given. */
function arp(op: 1 | 2, about: string, sender = 'c0000207'): Buffer {
  const target = op === 1 ? '000000000000' : NEIGHBOUR_MAC
  const message = Buffer.from(`000108000604000${op}${NEIGHBOUR_MAC}${sender}${target}${about}`, 'hex')
  return ethernet(BROADCAST_MAC, '0806', message)
}

const ROUTING: Readonly<Record<string, readonly Buffer[]>> = {
  'route-redirect.pcap': [echo(8), told(`05010000${OTHER_ROUTER}`), echo(8), echo(8)],
  'route-pmtu.pcap': [told('0304000000000258'), echo(1000)],
  'route-arp.pcap': [
    // Who has our address, that of another device of ours, one behind it, and one on the same link?
    arp(1, OWN),
    arp(1, '0a090001'),
    arp(1, 'c6336409'),
    arp(1, 'cb007105'),
    // Nobody has asked for these.
    arp(1, 'c0000208', 'c0000208'),
    arp(2, 'c0000209', 'c0000209'),
  ],
}

/** Frames of the capture of that name, if it is about routes. */
export function madeRouting(path: string): readonly Buffer[] | undefined {
  return ROUTING[path]
}
