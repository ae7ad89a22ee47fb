/** IPv4 and MAC addresses as text and as numbers. */

/** Reads `192.0.2.1` as an unsigned 32-bit number; null if it is not four decimal bytes. */
export function parseIpv4(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return null
  let value = 0
  for (let index = 1; index <= 4; index++) {
    const part = match[index] as string
    // A leading zero means octal to some programs and decimal to others.
    if ((part.length > 1 && part.startsWith('0')) || Number(part) > 255) return null
    value = value * 256 + Number(part)
  }
  return value
}

/** Writes an unsigned 32-bit number as `192.0.2.1`. */
export function formatIpv4(value: number): string {
  return `${(value >>> 24) & 255}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`
}

/** Reads `192.0.2.1/24`; the prefix is 32 when it is left out. */
export function parsePrefix(text: string): { readonly address: number; readonly length: number } | null {
  const [first, second, ...rest] = text.split('/')
  if (rest.length > 0) return null
  const address = parseIpv4(first as string)
  if (address === null) return null
  if (second === undefined) return { address, length: 32 }
  if (!/^\d{1,2}$/.test(second) || Number(second) > 32) return null
  return { address, length: Number(second) }
}

/** Reads `192.0.2.1:9000`, or a port alone with any address; port 1 to 65535. */
export function parseEndpoint(given: string | number): { readonly address: number; readonly port: number } | null {
  const text = String(given)
  const match = /^(?:(.*):)?(\d{1,5})$/.exec(text)
  if (match === null) return null
  const port = Number(match[2])
  if (port < 1 || port > 65535) return null
  const host = match[1]
  if (host === undefined || host === '' || host === '*') return { address: 0, port }
  const address = parseIpv4(host)
  return address === null ? null : { address, port }
}

/** Reads a MAC address and writes it as lower-case bytes with colons; null if it is none. */
export function parseMac(text: string): string | null {
  return /^[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}$/.test(text) ? text.toLowerCase().replaceAll('-', ':') : null
}

/** Whether the first byte says that a MAC address is a group (multicast or broadcast). */
export function isGroupMac(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1
}
