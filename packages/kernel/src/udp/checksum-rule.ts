/** Packets no longer than this are summed up at once instead of while copying. Kernel: include/linux/skbuff.h, CHECKSUM_BREAK */
export const CHECKSUM_BREAK_BYTES = 76

const UDP_HEADER_BYTES = 8

/**
 * Whether the checksum of a datagram the NIC has not verified is computed in `__udp4_lib_rcv` (and a bad one dropped
 * there), rather than in `recvmsg` while it is copied. Kernel: include/linux/skbuff.h, __skb_checksum_validate_complete
 */
export function checksumVerifiedAtEnqueue(payloadBytes: number): boolean {
  return payloadBytes + UDP_HEADER_BYTES <= CHECKSUM_BREAK_BYTES
}
