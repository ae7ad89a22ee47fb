/** `SKB_DATA_ALIGN(sizeof(struct sk_buff))`, bytes. Kernel: include/linux/skbuff.h, SKB_TRUESIZE */
export const SK_BUFF_BYTES = 256
/** `SKB_DATA_ALIGN(sizeof(struct skb_shared_info))` with 17 fragments, bytes. Kernel: include/linux/skbuff.h, SKB_WITH_OVERHEAD */
export const SHARED_INFO_BYTES = 320
/** Page fragments of one sk_buff. Kernel: include/linux/skbuff.h, MAX_SKB_FRAGS */
export const MAX_SKB_FRAGS = 17

const PAGE_BYTES = 4096
/** What a head of one page can hold, bytes. Kernel: include/linux/skbuff.h, SKB_MAX_HEAD */
const PAGE_HEAD_BYTES = PAGE_BYTES - SHARED_INFO_BYTES
/** What a head of four pages can hold, bytes; longer sends go to page fragments. Kernel: include/linux/skbuff.h, SKB_MAX_ALLOC */
export const SKB_MAX_ALLOC_BYTES = 4 * PAGE_BYTES - SHARED_INFO_BYTES
/** Headroom of received skbs: one cache line. NET_IP_ALIGN is 0 on x86. Kernel: include/linux/skbuff.h, NET_SKB_PAD */
const NET_SKB_PAD_BYTES = 64

function align64(bytes: number): number {
  return (bytes + 63) & ~63
}

/**
 * Size of the memory an skb head with room for `bytes` comes in, bytes, shared info included: the small head cache of
 * `smallHeadBytes`, or a kmalloc bucket. 0 stands for kernels without that cache, whose smallest bucket is 512.
 * Kernel: net/core/skbuff.c, kmalloc_reserve
 */
export function headBytes(bytes: number, smallHeadBytes: number): number {
  const need = align64(bytes) + SHARED_INFO_BYTES
  if (need <= smallHeadBytes) return smallHeadBytes
  let bucket = 512
  while (bucket < need) bucket *= 2
  return bucket
}

/** Truesize of a linear skb with room for `bytes` in its head, bytes. Kernel: net/core/skbuff.c, __alloc_skb */
export function linearTruesizeBytes(bytes: number, smallHeadBytes: number): number {
  return headBytes(bytes, smallHeadBytes) + SK_BUFF_BYTES
}

/**
 * Truesize of a skb that a driver allocates for `bytes`: a piece of a page of just that size, unless the small head
 * cache serves it or a page does not suffice. Kernel: net/core/skbuff.c, napi_alloc_skb, __netdev_alloc_skb
 */
export function driverTruesizeBytes(bytes: number, smallHeadBytes: number): number {
  const padded = bytes + NET_SKB_PAD_BYTES
  if (padded <= smallHeadBytes - SHARED_INFO_BYTES || padded > PAGE_HEAD_BYTES) {
    return linearTruesizeBytes(padded, smallHeadBytes)
  }
  return align64(padded) + SHARED_INFO_BYTES + SK_BUFF_BYTES
}

/** How drivers hold received frames, in the order of `NetDev.rxBuffer`. */
export const RX_BUFFERS = ['page-half', 'netdev-alloc', 'page-frag', 'mergeable', 'stride'] as const

const NETDEV_ALLOC = 1
const MERGEABLE = 3
const STRIDE = 4

/** Receive buffer of drivers that allocate it before they know the frame. Kernel: e1000_main.c, e1000_change_mtu */
function fixedBufferBytes(mtuBytes: number): number {
  const frame = mtuBytes + 22
  if (frame <= 1522) return 1522
  let buffer = 2048
  while (buffer < frame) buffer *= 2
  return buffer
}

const VIRTIO_HEADER_BYTES = 12
const VIRTIO_MIN_BUFFER_BYTES = 1518
const VIRTIO_COPY_BYTES = 128

/** Kernel: drivers/net/virtio_net.c, get_mergeable_buf_len, page_to_skb */
function mergeableTruesizeBytes(frameBytes: number, smallHeadBytes: number): number {
  const buffer = Math.min(align64(Math.max(frameBytes, VIRTIO_MIN_BUFFER_BYTES) + VIRTIO_HEADER_BYTES), PAGE_BYTES)
  const buffers = Math.ceil((frameBytes + VIRTIO_HEADER_BYTES) / buffer)
  const tailroom = buffer - VIRTIO_HEADER_BYTES - frameBytes
  if (tailroom >= SHARED_INFO_BYTES) return buffer + SK_BUFF_BYTES
  // No room for the shared info behind the frame: headers go to a fresh head, the buffer becomes a fragment.
  return driverTruesizeBytes(VIRTIO_COPY_BYTES, smallHeadBytes) + buffers * buffer
}

/**
 * Truesize of a received frame of `frameBytes` under a driver's buffer rule, bytes. Frames up to `copybreakBytes` are
 * copied into a linear skb: of their own length by drivers that allocate per frame (e1000), of the copybreak's by those
 * that hold pages (igb, ena, virtio_net). Kernel: drivers/net/ethernet, callers of build_skb and skb_add_rx_frag
 */
export function rxTruesizeBytes(
  rule: number,
  frameBytes: number,
  copybreakBytes: number,
  smallHeadBytes: number,
  mtuBytes: number,
): number {
  if (frameBytes <= copybreakBytes) {
    return driverTruesizeBytes(rule === NETDEV_ALLOC ? frameBytes : copybreakBytes, smallHeadBytes)
  }
  switch (rule) {
    case NETDEV_ALLOC:
      return driverTruesizeBytes(fixedBufferBytes(mtuBytes), smallHeadBytes)
    case MERGEABLE:
      return mergeableTruesizeBytes(frameBytes, smallHeadBytes)
    case STRIDE:
      return SK_BUFF_BYTES + 256 + SHARED_INFO_BYTES + Math.ceil(frameBytes / 2048) * 2048
    default:
      // Half pages with the shared info behind the frame; a frame that spans several adds a fragment for each.
      return SK_BUFF_BYTES + Math.max(1, Math.ceil(frameBytes / (PAGE_BYTES / 2))) * (PAGE_BYTES / 2)
  }
}

/** Paths whose sender allocates the skb that the receiver is charged for. */
export type SenderPath = 'veth' | 'veth:fragmented' | 'lo' | 'tun' | 'tun:over-mtu' | 'tun_napi'

/** Names of `SenderPath`. */
export const SENDER_PATHS: readonly SenderPath[] = ['veth', 'veth:fragmented', 'lo', 'tun', 'tun:over-mtu', 'tun_napi']

const IP_HEADER_BYTES = 20
const UDP_HEADER_BYTES = 8
/** Link header space of an Ethernet-like device: 14 bytes, in steps of 16. Kernel: include/linux/netdevice.h, LL_RESERVED_SPACE */
export const LINK_RESERVE_BYTES = 16
/** Added to it so that the header can be aligned. Kernel: net/ipv4/ip_output.c, __ip_append_data */
export const ALIGN_EXTRA_BYTES = 15
const DEFAULT_MTU_BYTES = 1500
const LOOPBACK_MTU_BYTES = 65_536

/** Truesize of the skb that `sendmsg` makes for one IP packet or fragment, bytes. Kernel: net/ipv4/ip_output.c, __ip_append_data */
export function appendTruesizeBytes(ipBytes: number, transportBytes: number, smallHeadBytes: number): number {
  const extra = LINK_RESERVE_BYTES + ALIGN_EXTRA_BYTES
  // Page fragments for long sends came with 5.14; kernels without a small head cache here are older.
  if (smallHeadBytes === 0 || ipBytes + extra < SKB_MAX_ALLOC_BYTES) {
    return linearTruesizeBytes(ipBytes + extra, smallHeadBytes)
  }
  const linear = IP_HEADER_BYTES + transportBytes
  return linearTruesizeBytes(linear + extra, smallHeadBytes) + ipBytes - linear
}

/**
 * Truesize of a message that is to be cut into datagrams, or of one of them, bytes: headers in a small head, `bytes` of payload in
 * pages. Kernel: net/ipv4/ip_output.c, __ip_append_data; net/core/skbuff.c, skb_segment
 */
export function pagedTruesizeBytes(bytes: number, smallHeadBytes: number): number {
  const headers = IP_HEADER_BYTES + UDP_HEADER_BYTES
  return linearTruesizeBytes(headers + LINK_RESERVE_BYTES + ALIGN_EXTRA_BYTES, smallHeadBytes) + bytes
}

/**
 * Truesize of a datagram of `ipBytes` in the fragments that `sendmsg` makes of it, bytes; where the send buffer has no room for
 * all of them, minus the fragments that were made: behind the first, `roomBytes` is left. Kernel: net/ipv4/ip_output.c, __ip_append_data
 */
export function sentFragmentsBytes(
  ipBytes: number,
  mtuBytes: number,
  smallHeadBytes: number,
  roomBytes: number,
): number {
  const most = (mtuBytes - IP_HEADER_BYTES) & ~7
  const first = appendTruesizeBytes(IP_HEADER_BYTES + most, UDP_HEADER_BYTES, smallHeadBytes)
  let more = 0
  let made = 1
  for (let left = ipBytes - IP_HEADER_BYTES - most; left > 0; made++) {
    if (first + more > roomBytes) return -made
    const take = left > mtuBytes - IP_HEADER_BYTES ? most : left
    left -= take
    more += appendTruesizeBytes(IP_HEADER_BYTES + take, 0, smallHeadBytes)
  }
  return first + more
}

/**
 * A datagram sent as fragments and reassembled by the receiver: all fragments count, except one whose data fits behind
 * the first. Kernel: net/ipv4/inet_fragment.c, inet_frag_reasm_finish; net/core/skbuff.c, skb_try_coalesce
 */
function fragmentedTruesizeBytes(udpBytes: number, mtuBytes: number, smallHeadBytes: number): number {
  const most = (mtuBytes - IP_HEADER_BYTES) & ~7
  const extra = LINK_RESERVE_BYTES + ALIGN_EXTRA_BYTES
  let sum = appendTruesizeBytes(IP_HEADER_BYTES + most, UDP_HEADER_BYTES, smallHeadBytes)
  const end = headBytes(IP_HEADER_BYTES + most + extra, smallHeadBytes) - SHARED_INFO_BYTES
  let tailroom = end - LINK_RESERVE_BYTES - IP_HEADER_BYTES - most
  for (let left = udpBytes - most; left > 0; ) {
    const take = left > mtuBytes - IP_HEADER_BYTES ? most : left
    left -= take
    if (take <= tailroom) {
      tailroom -= take
      continue
    }
    sum += appendTruesizeBytes(IP_HEADER_BYTES + take, 0, smallHeadBytes)
    tailroom = 0
  }
  return sum
}

/** A packet written into a TUN device: a head of at most one page, whole pages for the rest. Kernel: drivers/net/tun.c, tun_get_user, tun_alloc_skb */
function tunTruesizeBytes(ipBytes: number, smallHeadBytes: number): number {
  const largest = PAGE_HEAD_BYTES - NET_SKB_PAD_BYTES
  const linear = NET_SKB_PAD_BYTES + ipBytes < PAGE_BYTES ? ipBytes : Math.min(largest, ipBytes)
  const pages = Math.ceil((ipBytes - linear) / PAGE_BYTES)
  return linearTruesizeBytes(NET_SKB_PAD_BYTES + linear, smallHeadBytes) + pages * PAGE_BYTES
}

/**
 * Truesize that a UDP receiver is charged for a payload, bytes, by the path it came on. `veth` and `lo`: allocated by
 * `sendmsg`, fragmented above the MTU (1500; 65,536 on `lo`); `tun` and `tun_napi`: written from user space whole. A name
 * after a colon says only which payloads were measured. `smallHeadBytes` is the small head cache; 0 before 6.3.
 * Kernel: net/ipv4/ip_output.c, __ip_append_data; drivers/net/tun.c, tun_get_user
 */
export function senderTruesizeBytes(
  path: SenderPath,
  payloadBytes: number,
  smallHeadBytes: number,
  mtuBytes: number = path === 'lo' ? LOOPBACK_MTU_BYTES : DEFAULT_MTU_BYTES,
): number {
  const udpBytes = payloadBytes + UDP_HEADER_BYTES
  const ipBytes = udpBytes + IP_HEADER_BYTES
  if (path === 'tun' || path === 'tun:over-mtu' || path === 'tun_napi') return tunTruesizeBytes(ipBytes, smallHeadBytes)
  if (ipBytes > mtuBytes) return fragmentedTruesizeBytes(udpBytes, mtuBytes, smallHeadBytes)
  return appendTruesizeBytes(ipBytes, UDP_HEADER_BYTES, smallHeadBytes)
}
