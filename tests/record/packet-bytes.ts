/** Packets as lists of bytes, with right checksums unless asked otherwise. */

const UDP = 17
const TCP = 6
const WRONG = 0x3333

function bytesOf(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(value / 2 ** (8 * (count - 1 - i))) & 255)
}

function addressOf(text: string): number[] {
  return text.split('.').map(Number)
}

/** The Internet checksum over bytes. */
export function checksum(bytes: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** Fields of an IPv4 packet; null and what is left out follow from the rest. */
export interface IpFields {
  readonly source: string
  readonly target: string
  readonly protocol: number
  readonly body: readonly number[]
  readonly ident: number
  readonly ttl?: number
  readonly tos?: number
  /** Flags and offset. */
  readonly fragment?: number
  readonly options?: readonly number[]
  readonly totalBytes?: number | null
  readonly badChecksum?: boolean
  readonly headerWords?: number | null
}

/** An IPv4 packet. */
export function ipPacket(fields: IpFields): number[] {
  const options = fields.options ?? []
  const headerBytes = 20 + options.length
  const header = [
    0x40 | (fields.headerWords ?? headerBytes / 4),
    fields.tos ?? 0,
    ...bytesOf(fields.totalBytes ?? headerBytes + fields.body.length, 2),
    ...bytesOf(fields.ident, 2),
    ...bytesOf(fields.fragment ?? 0, 2),
    fields.ttl ?? 64,
    fields.protocol,
    ...[0, 0],
    ...addressOf(fields.source),
    ...addressOf(fields.target),
    ...options,
  ]
  const sum = checksum(header) ^ (fields.badChecksum === true ? WRONG : 0)
  return [...header.slice(0, 10), ...bytesOf(sum, 2), ...header.slice(12), ...fields.body]
}

function pseudoHeader(source: string, target: string, protocol: number, length: number): number[] {
  return [...addressOf(source), ...addressOf(target), 0, protocol, ...bytesOf(length, 2)]
}

/** A UDP datagram. */
export function udpDatagram(
  source: string,
  target: string,
  sport: number,
  dport: number,
  data: readonly number[],
  change: { readonly length?: number | null; readonly bad?: boolean } = {},
): number[] {
  const length = change.length ?? 8 + data.length
  const header = [...bytesOf(sport, 2), ...bytesOf(dport, 2), ...bytesOf(length, 2)]
  const sum = checksum([...pseudoHeader(source, target, UDP, length), ...header, 0, 0, ...data]) || 0xffff
  return [...header, ...bytesOf(sum ^ (change.bad === true ? WRONG : 0), 2), ...data]
}

/** A TCP segment without options. */
export function tcpSegment(
  source: string,
  target: string,
  sport: number,
  dport: number,
  flags: number,
  data: readonly number[],
  bad: boolean,
): number[] {
  const ports = [...bytesOf(sport, 2), ...bytesOf(dport, 2)]
  const header = [...ports, ...bytesOf(1000, 4), ...bytesOf(77, 4), 0x50, flags, ...bytesOf(64_240, 2)]
  const segment = [...header, 0, 0, 0, 0, ...data]
  const sum = checksum([...pseudoHeader(source, target, TCP, segment.length), ...segment])
  return [...header, ...bytesOf(sum ^ (bad ? WRONG : 0), 2), 0, 0, ...data]
}

/** An ICMP message; `rest` is the second word of its header. */
export function icmpMessage(type: number, code: number, rest: number, data: readonly number[], bad: boolean): number[] {
  const sum = checksum([type, code, 0, 0, ...bytesOf(rest, 4), ...data])
  return [type, code, ...bytesOf(sum ^ (bad ? WRONG : 0), 2), ...bytesOf(rest, 4), ...data]
}
