import { RTCF, RTN } from '../../src/route/components.js'

const PAYLOAD_BYTES = 18

/** Columns of a datagram that has nothing wrong with it and is for this host. */
export function soundDatagram(dev: number): Record<string, number> {
  return {
    frames: 1,
    wireBytes: 60,
    len: 28 + PAYLOAD_BYTES,
    totLen: 28 + PAYLOAD_BYTES,
    udpLen: 8 + PAYLOAD_BYTES,
    payload: PAYLOAD_BYTES,
    truesize: 832,
    // 198.51.100.1 to 192.0.2.1.
    saddr: 0xc6336401,
    daddr: 0xc0000201,
    ports: 40000 * 65536 + 5000,
    ipWord: ipWord(17),
    protocol: 0x0800,
    dev,
    rtType: RTN.local,
    rtFlags: RTCF.local | RTCF.input,
  }
}

/** `Skb.ipWord` of a header: protocol, TOS, header words, version. */
export function ipWord(protocol: number, tos = 0, ihl = 5, version = 4): number {
  return (protocol | (tos << 8) | (64 << 16) | (ihl << 24) | (version << 28)) >>> 0
}
