/** Segments of one TCP connection between 198.51.100.1 and 192.0.2.1, both directions, ending in some state. */
import { internetSum } from './capture-file.js'

const FLAG = { F: 1, S: 2, R: 4, P: 8, A: 16 } as const
const CLIENT_ISN = 1000
const SERVER_ISN = 9000

/** A segment: who sends it, its flags, and how far its numbers are from where they should be. */
interface Segment {
  readonly from: 'client' | 'server'
  readonly flags: string
  readonly bytes?: number
  readonly off?: number
}

const client = (flags: string, more: Partial<Segment> = {}): Segment => ({ from: 'client', flags, ...more })
const server = (flags: string, more: Partial<Segment> = {}): Segment => ({ from: 'server', flags, ...more })
const OPEN = [client('S'), server('SA'), client('A')]
const CLOSED = [...OPEN, client('FA'), server('A'), server('FA'), client('A')]

/** Conversations by the name of their capture. */
const CONVERSATIONS: Readonly<Record<string, readonly Segment[]>> = {
  'tcp-syn_sent.pcap': OPEN.slice(0, 1),
  'tcp-syn_recv.pcap': OPEN.slice(0, 2),
  'tcp-fin_wait.pcap': CLOSED.slice(0, 4),
  'tcp-close_wait.pcap': CLOSED.slice(0, 5),
  'tcp-last_ack.pcap': CLOSED.slice(0, 6),
  'tcp-time_wait.pcap': CLOSED,
  'tcp-close.pcap': [...OPEN, client('R')],
  'tcp-unacknowledged.pcap': [...OPEN, client('PA', { bytes: 100 })],
  'tcp-retrans.pcap': [...OPEN, ...Array.from({ length: 6 }, () => client('A'))],
  'tcp-outside.pcap': [...OPEN, client('A', { off: 1_000_000 })],
  'tcp-reset-below.pcap': [...OPEN, client('R', { off: -10 })],
}

/** Frames of the conversation of a capture. */
export function madeConversation(path: string): Buffer[] {
  const next = { client: CLIENT_ISN, server: SERVER_ISN }
  return (CONVERSATIONS[path] ?? []).map((segment) => {
    const { from, flags, bytes = 0, off = 0 } = segment
    const other = from === 'client' ? 'server' : 'client'
    const tcp = Buffer.alloc(20 + bytes)
    tcp.writeUInt16BE(from === 'client' ? 10_000 : 9000, 0)
    tcp.writeUInt16BE(from === 'client' ? 9000 : 10_000, 2)
    tcp.writeUInt32BE(next[from] + off, 4)
    tcp.writeUInt32BE(flags.includes('A') ? next[other] : 0, 8)
    tcp.writeUInt8(0x50, 12)
    tcp.writeUInt8(
      [...flags].reduce((sum, flag) => sum | FLAG[flag as keyof typeof FLAG], 0),
      13,
    )
    tcp.writeUInt16BE(4096, 14)
    next[from] += bytes + (/[SF]/.test(flags) ? 1 : 0)
    const addresses = from === 'client' ? 'c6336401c0000201' : 'c0000201c6336401'
    const ip = Buffer.from(`4500000000000000400600000000000000000000`, 'hex')
    ip.writeUInt16BE(ip.length + tcp.length, 2)
    Buffer.from(addresses, 'hex').copy(ip, 12)
    ip.writeUInt16BE(0xffff - internetSum(ip), 10)
    return Buffer.concat([Buffer.from('0200000000010211000000010800', 'hex'), ip, tcp])
  })
}
