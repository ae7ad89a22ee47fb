/** An IPv4 prefix: host bits of `address` are kept as written, as `ip addr` keeps them. */
export interface Ipv4Prefix {
  /** Address in host order, 0..0xffffffff. */
  readonly address: number
  /** Number of leading network bits, 0..32. */
  readonly prefixLength: number
}

/** Reads dotted-quad text (`192.0.2.1`, no leading zeros) as an unsigned 32-bit number; -1 for anything else. */
export function parseIpv4(text: string): number {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return -1
  let address = 0
  for (const part of text.split('.')) {
    const byte = Number(part)
    if (byte > 255 || (part.length > 1 && part.startsWith('0'))) return -1
    address = address * 256 + byte
  }
  return address
}

/** Dotted-quad text of a 32-bit address (signed or unsigned). */
export function formatIpv4(address: number): string {
  return `${(address >>> 24) & 255}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** Reads `a.b.c.d/n`, or `a.b.c.d` as `/32`; undefined for anything else. */
export function parseIpv4Prefix(text: string): Ipv4Prefix | undefined {
  const slashIndex = text.indexOf('/')
  const address = parseIpv4(slashIndex < 0 ? text : text.slice(0, slashIndex))
  if (address < 0) return undefined
  if (slashIndex < 0) return { address, prefixLength: 32 }
  const lengthText = text.slice(slashIndex + 1)
  if (!/^(0|[1-9]\d?)$/.test(lengthText) || Number(lengthText) > 32) return undefined
  return { address, prefixLength: Number(lengthText) }
}

/** `a.b.c.d/n` text of a prefix. */
export function formatIpv4Prefix(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.address)}/${prefix.prefixLength}`
}

/**
 * Netmask of a prefix length (0..32) as an unsigned 32-bit number. Kernel: include/linux/inetdevice.h,
 * inet_make_mask.
 */
export function ipv4Mask(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0
}

/** Whether `address` lies inside the prefix. Kernel: include/linux/inetdevice.h, inet_ifa_match. */
export function ipv4PrefixContains(prefix: Ipv4Prefix, address: number): boolean {
  return ((address ^ prefix.address) & ipv4Mask(prefix.prefixLength)) === 0
}

/** Whether the address is in 224.0.0.0/4. Kernel: include/linux/in.h, ipv4_is_multicast. */
export function ipv4IsMulticast(address: number): boolean {
  return address >>> 28 === 14
}

/** Whether the address is 255.255.255.255. Kernel: include/linux/in.h, ipv4_is_lbcast. */
export function ipv4IsLimitedBroadcast(address: number): boolean {
  return (address | 0) === -1
}

/** Whether the address is in 127.0.0.0/8. Kernel: include/linux/in.h, ipv4_is_loopback. */
export function ipv4IsLoopback(address: number): boolean {
  return address >>> 24 === 127
}

/** Whether the address is in 0.0.0.0/8. Kernel: include/linux/in.h, ipv4_is_zeronet. */
export function ipv4IsZeroNet(address: number): boolean {
  return address >>> 24 === 0
}

/** Reads `02:00:5e:10:00:0a` (or with `-`) as one 48-bit number, split by `macHi` and `macLo`; -1 for anything else. */
export function parseMac(text: string): number {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$|^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text)) return -1
  return Number.parseInt(text.replace(/[:-]/g, ''), 16)
}

/** Upper 16 bits of a 48-bit MAC number. */
export function macHi(mac: number): number {
  return Math.floor(mac / 0x100000000) & 0xffff
}

/** Lower 32 bits of a 48-bit MAC number, unsigned. */
export function macLo(mac: number): number {
  return mac >>> 0
}

/** `02:00:5e:10:00:0a` text of a MAC given as its upper 16 and lower 32 bits. */
export function formatMac(hi: number, lo: number): string {
  const digits = (hi & 0xffff).toString(16).padStart(4, '0') + (lo >>> 0).toString(16).padStart(8, '0')
  return (digits.match(/../g) ?? []).join(':')
}
