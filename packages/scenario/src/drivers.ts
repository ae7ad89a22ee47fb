/**
 * Driver families as data: rings, moderation, receive-side scaling and what a received frame is made of.
 *
 * Numbers are the drivers' own defaults; each row says where they come from.
 */
import type { DriverProfile } from './plan.js'

/** What a card of this family is plugged into, when a scenario does not say. */
export interface DriverHardware {
  readonly linkBitsPerSec: number
  /** PCI or PCIe payload rate, bits per second; 0: no cap. */
  readonly pcieBitsPerSec: number
  /** Last bit at the port to descriptor written back, ps. */
  readonly dmaLatencyPs: number
  /** Whether `ethtool -N` rules exist. */
  readonly ntuple: boolean
  /** Whether the driver takes filters of accelerated RFS (`ndo_rx_flow_steer`): of these, mlx5 alone. */
  readonly arfs: boolean
}

const napi: Omit<DriverProfile, 'name' | 'description' | 'source'> = {
  rxMode: 'napi',
  interruptQuota: 0,
  rxRingDefault: 256,
  rxRingMin: 64,
  rxRingMax: 4096,
  maxQueues: 1,
  refillBatch: 16,
  refillRule: 'batch',
  copybreakBytes: 0,
  rxBuffer: 'page-half',
  noDescriptor: 'hold',
  packetBufferBytes: 65_536,
  rxUsecsDefault: 0,
  rxFramesDefault: 0,
  moderation: 'gap',
  rxFramesSupported: false,
  adaptiveDefault: false,
  adaptiveRule: 'none',
  rssTableSize: 0,
  hashFields: { tcp4: 'sdfn', udp4: 'sd' },
  defaultVectors: 'per-queue',
  nativeXdp: false,
  rxChecksum: true,
  txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: null },
  vlanTx: true,
  virtual: false,
}

/** Driver families by name, oldest first. */
export const DRIVER_PROFILES: readonly DriverProfile[] = [
  {
    ...napi,
    name: 'tulip',
    vlanTx: false,
    txOffloads: { checksum: false, scatterGather: false, udpSegmentationSince: null },
    description: '100 Mbit/s card without NAPI: an interrupt per frame, netif_rx for each',
    rxMode: 'non-napi',
    interruptQuota: 128,
    rxRingDefault: 128,
    rxRingMin: 128,
    rxRingMax: 128,
    refillBatch: 1,
    refillRule: 'each',
    copybreakBytes: 100,
    rxBuffer: 'netdev-alloc',
    packetBufferBytes: 4096,
    moderation: 'none',
    defaultVectors: 'single',
    rxChecksum: false,
    source:
      'drivers/net/ethernet/dec/tulip: interrupt.c maxrx = RX_RING_SIZE = 128 frames per interrupt, tulip_core.c rx_copybreak 100; FIFO of the 21140 about 4 KiB (from memory)',
  },
  {
    ...napi,
    name: 'e1000-old',
    description: 'Gigabit card before NAPI: the interrupt handler empties the ring through netif_rx',
    rxMode: 'non-napi',
    interruptQuota: 2560,
    rxRingMin: 80,
    rxBuffer: 'netdev-alloc',
    moderation: 'none',
    defaultVectors: 'single',
    source:
      'drivers/net/e1000 without CONFIG_E1000_NAPI: E1000_MAX_INTR 10 passes over a ring of E1000_DEFAULT_RXD 256; E1000_MIN_RXD 80; 64 KiB packet buffer of the 82545 with 48 KiB for receive and no throttle set as in 2002 (from memory)',
    packetBufferBytes: 49_152,
  },
  {
    ...napi,
    name: 'e1000',
    description: 'Gigabit card with one queue and NAPI',
    rxRingMin: 48,
    copybreakBytes: 256,
    rxBuffer: 'netdev-alloc',
    packetBufferBytes: 49_152,
    moderation: 'gap',
    rxUsecsDefault: 0,
    defaultVectors: 'single',
    source:
      'drivers/net/ethernet/intel/e1000: E1000_DEFAULT_RXD 256, E1000_MIN_RXD 48, E1000_MAX_82544_RXD 4096, E1000_RX_BUFFER_WRITE 16, copybreak 256; NAPI_HOWTO 2002 ran it without throttling, so rx-usecs is 0 here',
  },
  {
    ...napi,
    name: 'e1000e',
    description: 'Gigabit PCIe card with one queue',
    copybreakBytes: 256,
    rxBuffer: 'netdev-alloc',
    packetBufferBytes: 20_480,
    rxUsecsDefault: 3,
    adaptiveDefault: false,
    defaultVectors: 'single',
    source:
      'drivers/net/ethernet/intel/e1000e: E1000_DEFAULT_RXD 256, MIN 64, MAX 4096, E1000_RX_BUFFER_WRITE 16, copybreak 256; rx-usecs 3 is ethtool’s word for the dynamic setting, taken as a 3 µs gap; packet buffer of the 82574 (from memory)',
  },
  {
    ...napi,
    name: 'igb',
    // 5.6: NETIF_F_GSO_UDP_L4.
    txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: '6.5' },
    description: 'Gigabit card with up to 8 queues',
    maxQueues: 8,
    copybreakBytes: 256,
    packetBufferBytes: 65_536,
    rxUsecsDefault: 3,
    rssTableSize: 128,
    nativeXdp: true,
    source:
      'drivers/net/ethernet/intel/igb: IGB_DEFAULT_RXD 256, MIN 64, MAX 4096, IGB_RX_BUFFER_WRITE 16, IGB_RX_HDR_LEN 256, IGB_RETA_SIZE 128, IGB_MAX_RX_QUEUES 8; setting 3 is dynamic, taken as a 3 µs gap; UDP hashes addresses only',
  },
  {
    ...napi,
    name: 'ixgbe',
    // 5.6: NETIF_F_GSO_UDP_L4.
    txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: '6.5' },
    description: '10 Gbit/s card, a queue per CPU up to 64',
    rxRingDefault: 512,
    maxQueues: 64,
    packetBufferBytes: 524_288,
    rxUsecsDefault: 1,
    adaptiveDefault: true,
    adaptiveRule: 'ixgbe-itr',
    rssTableSize: 128,
    nativeXdp: true,
    source:
      'drivers/net/ethernet/intel/ixgbe: IXGBE_DEFAULT_RXD 512, MIN 64, MAX 4096, IXGBE_RX_BUFFER_WRITE 16, setting 1 = adaptive by ixgbe_update_itr, table of 128 (82599, X540), 512 KiB packet buffer; UDP hashes addresses only',
  },
  {
    ...napi,
    name: 'i40e',
    // 5.6: NETIF_F_GSO_UDP_L4.
    txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: '6.5' },
    description: '10/40 Gbit/s card, a queue per CPU',
    rxRingDefault: 512,
    maxQueues: 256,
    refillBatch: 32,
    packetBufferBytes: 983_040,
    rxUsecsDefault: 50,
    adaptiveDefault: true,
    adaptiveRule: 'ixgbe-itr',
    rssTableSize: 512,
    hashFields: { tcp4: 'sdfn', udp4: 'sdfn' },
    nativeXdp: true,
    source:
      'drivers/net/ethernet/intel/i40e: I40E_DEFAULT_NUM_DESCRIPTORS 512, MIN 64, MAX 4096, I40E_RX_BUFFER_WRITE 32, I40E_ITR_20K with the dynamic flag (its rule has the shape of ixgbe’s), I40E_HLUT_ARRAY_SIZE 512; packet buffer 968 KiB less the transmit share (from memory)',
  },
  {
    ...napi,
    name: 'mlx5',
    txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: '4.18' },
    description: '25 to 200 Gbit/s card, a queue per CPU',
    rxRingDefault: 1024,
    rxRingMin: 4,
    rxRingMax: 8192,
    maxQueues: 256,
    refillBatch: 8,
    refillRule: 'each',
    rxBuffer: 'page-frag',
    noDescriptor: 'drop',
    packetBufferBytes: 262_144,
    rxUsecsDefault: 3,
    rxFramesDefault: 32,
    moderation: 'cqe',
    rxFramesSupported: true,
    adaptiveDefault: true,
    adaptiveRule: 'dim',
    rssTableSize: 256,
    hashFields: { tcp4: 'sdfn', udp4: 'sdfn' },
    nativeXdp: true,
    source:
      'drivers/net/ethernet/mellanox/mlx5/core/en.h: MLX5E_PARAMS_DEFAULT_LOG_RQ_SIZE 10, MAXIMUM 13, RX_CQ_MODERATION_USEC_FROM_CQE 3 µs and 32 frames; en_main.c: rx_moder_use_cqe_mode where the card can (ConnectX-4 and later); lib/dim; indirection of at least 256; packet buffer per port (from memory)',
  },
  {
    ...napi,
    name: 'ena',
    vlanTx: false,
    description: 'Cloud card with up to 32 queues',
    rxRingDefault: 1024,
    rxRingMin: 256,
    rxRingMax: 16_384,
    maxQueues: 32,
    refillBatch: 8,
    refillRule: 'batch',
    copybreakBytes: 254,
    rxBuffer: 'page-frag',
    noDescriptor: 'drop',
    packetBufferBytes: 131_072,
    rxUsecsDefault: 20,
    moderation: 'delay',
    adaptiveDefault: false,
    adaptiveRule: 'dim',
    rssTableSize: 128,
    hashFields: { tcp4: 'sdfn', udp4: 'sdfn' },
    nativeXdp: true,
    source:
      'drivers/net/ethernet/amazon/ena/ena_netdev.h: ENA_DEFAULT_RING_SIZE 1024, ENA_MIN_RING_SIZE 256, ENA_DEFAULT_RX_COPYBREAK 256 - NET_IP_ALIGN, ENA_RX_RSS_TABLE_SIZE 128; ENA_INTR_INITIAL_RX_INTERVAL 20 µs (from memory); largest ring is the device’s',
  },
  {
    ...napi,
    name: 'virtio_net',
    vlanTx: false,
    // 6.2: VIRTIO_NET_F_HOST_USO.
    txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: '6.5' },
    description: 'Card of a virtual machine; the ring is the queue that the host offers',
    rxRingMin: 64,
    rxRingMax: 1024,
    maxQueues: 128,
    refillBatch: 1,
    refillRule: 'half',
    copybreakBytes: 128,
    rxBuffer: 'mergeable',
    noDescriptor: 'drop',
    packetBufferBytes: 65_536,
    moderation: 'delay',
    rxFramesSupported: true,
    rxFramesDefault: 1,
    adaptiveRule: 'dim',
    rssTableSize: 128,
    hashFields: { tcp4: 'sdfn', udp4: 'sdfn' },
    nativeXdp: true,
    source:
      'drivers/net/virtio_net.c: ring of 256 as QEMU offers, GOOD_COPY_LEN 128, refill when more than half is free; rss_max_indirection_table_length 128',
  },
  {
    ...napi,
    name: 'veth',
    txOffloads: { checksum: true, scatterGather: true, udpSegmentationSince: '4.18' },
    description: 'Pair of virtual devices: frames arrive by netif_rx of the peer',
    rxRingMin: 256,
    rxRingMax: 256,
    maxQueues: 64,
    refillBatch: 1,
    refillRule: 'each',
    rxBuffer: 'netdev-alloc',
    noDescriptor: 'drop',
    packetBufferBytes: 0,
    moderation: 'none',
    nativeXdp: true,
    virtual: true,
    source: 'drivers/net/veth.c: veth_forward_skb ends in netif_rx without NAPI; VETH_RING_SIZE 256',
  },
]

const hardware = (
  linkBitsPerSec: number,
  pcieBitsPerSec: number,
  dmaLatencyPs: number,
  ntuple: boolean,
  arfs = false,
): DriverHardware => ({ linkBitsPerSec, pcieBitsPerSec, dmaLatencyPs, ntuple, arfs })

/**
 * Usual place of each family, by driver name.
 *
 * PCI of 32 bits at 33 MHz is 1.06 Gbit/s, of 64 bits at 66 MHz 4.2, PCIe 1.0 ×1 2, ×4 8, 2.0 ×8 32, 3.0 ×8 63, 3.0 ×16 126 Gbit/s.
 */
export const DRIVER_HARDWARE: Readonly<Record<string, DriverHardware>> = {
  tulip: hardware(1e8, 1.06e9, 2_000_000, false),
  'e1000-old': hardware(1e9, 4.2e9, 1_500_000, false),
  e1000: hardware(1e9, 4.2e9, 1_500_000, false),
  e1000e: hardware(1e9, 2e9, 1_000_000, false),
  igb: hardware(1e9, 8e9, 1_000_000, true),
  ixgbe: hardware(1e10, 32e9, 900_000, true),
  i40e: hardware(4e10, 63e9, 900_000, true),
  mlx5: hardware(1e11, 126e9, 900_000, true, true),
  ena: hardware(25e9, 0, 1_000_000, true),
  virtio_net: hardware(1e10, 0, 1_000_000, false),
  veth: hardware(1e10, 0, 100_000, false),
}

const byName: ReadonlyMap<string, DriverProfile> = new Map(DRIVER_PROFILES.map((driver) => [driver.name, driver]))

/** Names accepted as `driver`, in the order of `DRIVER_PROFILES`; written out so that they are a type. */
export const DRIVER_NAMES = [
  'tulip',
  'e1000-old',
  'e1000',
  'e1000e',
  'igb',
  'ixgbe',
  'i40e',
  'mlx5',
  'ena',
  'virtio_net',
  'veth',
] as const

/** Name of a driver family. */
export type DriverName = (typeof DRIVER_NAMES)[number]

/** The profile of a driver family; undefined if the name is unknown. */
export function driverProfile(name: string): DriverProfile | undefined {
  return byName.get(name)
}
