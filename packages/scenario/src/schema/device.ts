/** Schema of a network device: driver, link, and the settings of ethtool, /sys/class/net and /proc/irq. */
import { z } from 'zod'
import { DRIVER_NAMES } from '../drivers.js'
import { accepts } from './accepted.js'
import { confSchema } from './conf.js'
import {
  choice,
  cpuList,
  cpuMask,
  decimal,
  integer,
  ipv4,
  linuxTime,
  mac,
  prefix,
  quantity,
  rssKey,
  text,
  time,
  toggle,
} from './fields.js'
import { qdiscSchema } from './qdisc.js'
import { vlansSchema } from './vlan.js'

const S32_MAX = 2_147_483_647
const MAX_QUEUES = 4096

const match = {
  'src-ip': ipv4('Source address to match; any when left out.').optional(),
  'dst-ip': ipv4('Destination address to match; any when left out.').optional(),
  'src-port': integer('Source port to match; any when left out.', 0, 65_535).optional(),
  'dst-port': integer('Destination port to match; any when left out.', 0, 65_535).optional(),
}

const ntupleRule = z
  .strictObject({
    'flow-type': choice(['udp4', 'tcp4'], 'Protocol of the rule.'),
    ...match,
    action: integer('Queue that gets the packet; -1 drops it in the card.', -1, MAX_QUEUES - 1),
  })
  .describe('One `ethtool -N` rule.')

const xdpRule = z
  .strictObject({
    'flow-type': choice(['udp4', 'tcp4'], 'Protocol to match; any when left out.').optional(),
    ...match,
    verdict: choice(['pass', 'drop', 'aborted', 'tx', 'redirect'], 'What the program returns.'),
  })
  .describe('One rule of the XDP program; the first that matches decides.')

const rxfh = z
  .strictObject({
    hkey: rssKey('Toeplitz key; default is the public test key 6d:5a:….').optional(),
    equal: integer('Spread over the first N queues.', 1, MAX_QUEUES).optional(),
    weight: z
      .array(integer('Weight of a queue.', 0, 1_000_000))
      .min(1)
      .max(MAX_QUEUES)
      .optional()
      .describe('Spread over queues by weight, one number per queue.'),
    indir: z
      .array(integer('Queue of a table entry.', 0, MAX_QUEUES - 1))
      .min(1)
      .max(4096)
      .optional()
      .describe('The indirection table itself; a shorter list that divides the table is repeated.'),
  })
  .describe('Receive-side scaling (`ethtool -X`). At most one of equal, weight, indir.')

const perQueue = z
  .strictObject({
    rps_cpus: cpuMask('CPUs that packets of the queue are steered to; "0" is off.').optional(),
    rps_flow_cnt: integer(
      'Entries of the RFS flow table of the queue, rounded up to a power of two.',
      0,
      2 ** 29,
    ).optional(),
  })
  .describe('Settings of /sys/class/net/DEV/queues/rx-N.')

const vectors = () => {
  const words = 'per-queue, single, or the number of vectors'
  return accepts(
    z
      .union([z.enum(['per-queue', 'single']), z.int().min(1).max(MAX_QUEUES)])
      .describe(`Interrupt vectors; queue q uses vector q modulo their number and shares its NAPI. Accepts ${words}.`),
    words,
  )
}

const irq = z
  .strictObject({
    vectors: vectors().optional(),
    smp_affinity: z
      .union([
        z.string().max(4096),
        z.array(cpuMask('CPUs of a vector: hex mask as text, CPU numbers as numbers.')).min(1).max(MAX_QUEUES),
      ])
      .optional()
      .describe(
        'CPUs of each vector, one entry per vector, or one hex mask for all. Numbers are CPUs, text is a mask.',
      ),
    smp_affinity_list: z
      .array(cpuList('CPUs of a vector.'))
      .min(1)
      .max(MAX_QUEUES)
      .optional()
      .describe('The same in list notation, one entry per vector.'),
  })
  .describe('Interrupts of the device (/proc/irq/N).')

/** A device as a user writes it. */
export const deviceSchema = z
  .strictObject({
    driver: choice(DRIVER_NAMES, 'Driver family; its defaults apply.').optional(),
    peer: text(
      'Other end of a veth pair: a device of the same namespace, or NAMESPACE/DEVICE; init/DEVICE.',
      80,
    ).optional(),
    address: z
      .union([prefix('IPv4 address.'), z.array(prefix('IPv4 address.')).min(1).max(1024)])
      .optional()
      .describe('IPv4 addresses with prefix length (`ip addr`).'),
    mac: mac('Hardware address; default 02:00:00:00:HH:DD.').optional(),
    mtu: integer('Largest IP packet, bytes.', 68, 65_535).optional(),
    link: quantity('bits', 'Rate of the link.', { min: 1e6, max: 1.6e12, words: 'from 1Mbit to 1600Gbit' }).optional(),
    'link-delay': time('Propagation and switch delay to the port.', { max: 1e12, words: 'at most 1s' }).optional(),
    'frame-overhead': integer('Preamble, delimiter and gap per frame, bytes.', 0, 64).optional(),
    'wire-error-rate': decimal('Share of frames lost to a bad FCS.', 0, 1).optional(),
    'dma-latency': time('Last bit at the port until the descriptor is written back.', {
      min: 1,
      max: 1e9,
      words: 'above 0 and at most 1ms',
    }).optional(),
    pcie: z
      .union([
        z.literal('none'),
        quantity('bits', 'Payload rate of the bus.', { min: 1e6, max: 1e13, words: 'at least 1Mbit' }),
      ])
      .optional()
      .describe('Rate cap of the bus, or none.'),
    'pcie-overhead': integer('Bus bytes per frame besides the frame: headers and descriptor.', 0, 512).optional(),
    'packet-buffer': quantity('bytes', 'Packet buffer of the card.', {
      max: 1e9,
      words: 'at most 1GB',
    }).optional(),
    'numa-node': integer('Node the card is attached to.', 0, 1023).optional(),
    rings: z
      .strictObject({
        rx: integer('Receive descriptors per queue.', 1, 65_536).optional(),
        tx: integer('Transmit descriptors per queue.', 64, 65_536).optional(),
      })
      .optional()
      .describe('Ring sizes (`ethtool -G`).'),
    channels: z
      .strictObject({ combined: integer('Receive queues.', 1, MAX_QUEUES).optional() })
      .optional()
      .describe('Queues (`ethtool -L`); default one per CPU up to what driver and kernel use.'),
    coalesce: z
      .strictObject({
        'rx-usecs': linuxTime('us', 1_000_000, 'Interrupt moderation time.').optional(),
        'rx-frames': integer('Frames that force an interrupt; 0 is no such limit.', 0, 65_535).optional(),
        'tx-usecs': linuxTime(
          'us',
          1_000_000,
          'Time from a completion to its interrupt; default as for received frames.',
        ).optional(),
        'adaptive-rx': toggle('Adaptive moderation (DIM or the driver’s own rule).').optional(),
        'cqe-mode-rx': toggle('mlx5: time from the last completion (default) rather than from the event.').optional(),
      })
      .optional()
      .describe('Interrupt moderation (`ethtool -C`).'),
    'rx-flow-hash': z
      .strictObject({
        tcp4: choice(['sd', 'sdfn'], 'Hash of TCP: addresses, or addresses and ports.').optional(),
        udp4: choice(['sd', 'sdfn'], 'Hash of UDP: addresses, or addresses and ports.').optional(),
      })
      .optional()
      .describe('RSS hash fields (`ethtool -N DEV rx-flow-hash`).'),
    rxfh: rxfh.optional(),
    ntuple: z.array(ntupleRule).max(8192).optional().describe('Flow rules (`ethtool -N`), first match decides.'),
    features: z
      .strictObject({
        gro: toggle('Generic receive offload.').optional(),
        'rx-gro-list': toggle('GRO by fraglist, for UDP without UDP_GRO.').optional(),
        'rx-udp-gro-forwarding': toggle('UDP GRO for packets without a local socket.').optional(),
        ntuple: toggle('Flow rules and, with rps_flow_cnt, accelerated RFS.').optional(),
        'tx-checksumming': toggle('The card sums up what is sent.').optional(),
        'scatter-gather': toggle('The card gathers a packet from several buffers.').optional(),
        'tx-udp-segmentation': toggle(
          'The card cuts what is sent with UDP_SEGMENT; else the kernel does, before the driver.',
        ).optional(),
      })
      .optional()
      .describe('Offloads (`ethtool -K`).'),
    irq: irq.optional(),
    queues: z
      .union([perQueue, z.array(perQueue).min(1).max(MAX_QUEUES)])
      .optional()
      .describe('Settings of the receive queues: one for all, or a list with one entry per queue.'),
    napi_defer_hard_irqs: integer('Empty polls before the interrupt is unmasked.', 0, S32_MAX).optional(),
    gro_flush_timeout: linuxTime('ns', 1e12, 'Time GRO packets and masked interrupts may wait.').optional(),
    'irq-suspend-timeout': linuxTime(
      'ns',
      1e12,
      'Time interrupts stay suspended while the application polls.',
    ).optional(),
    threaded: toggle('NAPI in kernel threads.').optional(),
    'threaded-cpus': z
      .array(cpuList('CPUs a NAPI thread may run on.'))
      .min(1)
      .max(MAX_QUEUES)
      .optional()
      .describe('CPUs of the NAPI threads, one entry per vector; default the vector’s CPU.'),
    'napi-weight': integer('Packets per poll (netif_napi_add_weight).', 1, 256).optional(),
    gro_max_size: integer('Largest GRO packet, bytes.', 4096, 524_280).optional(),
    xdp: z
      .strictObject({
        mode: choice(['native', 'generic'], 'Where the program runs.').optional(),
        rules: z.array(xdpRule).max(1024).optional().describe('Rules in order; without a match the packet passes.'),
      })
      .optional()
      .describe('XDP program.'),
    vlans: vlansSchema,
    qdisc: qdiscSchema.optional(),
    txqueuelen: integer(
      'Packets a queue of pfifo_fast or pfifo holds (`ip link set txqueuelen`).',
      0,
      1_000_000,
    ).optional(),
    bql: toggle('Byte queue limits.').optional(),
    'tx-queues': z
      .array(z.strictObject({ xps_cpus: cpuMask('CPUs that send on the queue; "0" is none.').optional() }))
      .min(1)
      .max(MAX_QUEUES)
      .optional()
      .describe(
        'Settings of /sys/class/net/DEV/queues/tx-N, one entry per queue; default as the driver sets xps_cpus.',
      ),
    arp: toggle(
      'Hardware addresses of next hops are asked for; default off: senders on the wire are known, and answer no ARP.',
    ).optional(),
    conf: confSchema.optional(),
    'rx-handler': choice(
      ['none', 'pass', 'consume'],
      'rx_handler as a bridge or bond would set: pass counts and goes on, consume takes the packet.',
    ).optional(),
  })
  .describe('A network device.')

/** Parsed device. */
export type DeviceInput = z.output<typeof deviceSchema>
