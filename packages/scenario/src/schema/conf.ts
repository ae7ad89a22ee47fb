/** Schema of `net.ipv4.conf`: settings of a device, and those of all devices. */
import { z } from 'zod'
import type { ConfAllName, InterfaceConf } from '../ip-plan.js'
import { integer } from './fields.js'

type ConfName = keyof InterfaceConf

/** Largest value and meaning of each. Kernel: Documentation/networking/ip-sysctl.rst */
const CONF: Readonly<Record<ConfName, readonly [number, string]>> = {
  accept_local: [1, '1 accepts packets with a local source address.'],
  accept_redirects: [1, '1, the default, follows redirects of the router in use; a router wants it of both.'],
  accept_source_route: [1, '1 accepts packets with a source route (replayed ones).'],
  arp_accept: [2, 'Who may make a neighbour by an unasked message: 0 nobody, 1 anybody, 2 the subnet.'],
  arp_announce: [2, 'Source of ARP requests: 0 that of the packet, 1 of the subnet asked, 2 the best one.'],
  arp_evict_nocarrier: [1, '1, the default, forgets neighbours when the carrier is lost.'],
  arp_filter: [1, '1 answers ARP only by the device that packets to the sender would leave by.'],
  arp_ignore: [
    8,
    'ARP requests answered: 0 for any own address, 1 on its device, 2 from its subnet too, 3 of wider scope, 8 none.',
  ],
  arp_notify: [1, '1 announces the addresses when the device comes up.'],
  drop_gratuitous_arp: [1, '1 drops ARP messages about their own sender.'],
  drop_unicast_in_l2_multicast: [1, '1 drops unicast packets in multicast frames.'],
  forwarding: [1, '1 passes on what comes in for others; default net.ipv4.ip_forward.'],
  ignore_routes_with_linkdown: [1, '1 passes over routes while the device has no carrier.'],
  proxy_arp: [1, '1 answers ARP for those whom packets would be passed on to.'],
  proxy_arp_pvlan: [1, '1 does so for those on the same device.'],
  route_localnet: [1, '1 does not treat 127/8 as martian.'],
  rp_filter: [2, 'Source check: 0 off, 1 strict, 2 loose.'],
  secure_redirects: [1, '1, the default, follows redirects to known routers only, where the media is not shared.'],
  send_redirects: [1, '1, the default, tells a sender of a shorter way.'],
  shared_media: [1, '1, the default, takes whoever is on the device for reachable by all its subnets.'],
}

/** Settings that a device alone has. */
const OWN: readonly ConfName[] = ['forwarding', 'proxy_arp_pvlan']

type Field = z.ZodOptional<ReturnType<typeof integer>>

function shape<Name extends string>(names: readonly ConfName[], nameOf: (name: ConfName) => Name): Record<Name, Field> {
  const entries = names.map((name) => {
    const [most, meaning] = CONF[name]
    return [nameOf(name), integer(meaning, 0, most).optional()] as const
  })
  return Object.fromEntries(entries) as Record<Name, Field>
}

const NAMES = Object.keys(CONF) as readonly ConfName[]

/** Settings of a device's IPv4 side as a user writes them. */
export const confSchema = z
  .strictObject(shape(NAMES, (name) => name))
  .describe('Settings of net.ipv4.conf.DEV; joined with those of net.ipv4.conf.all as Linux does.')

/** Parsed settings. */
export type ConfInput = z.output<typeof confSchema>

/** Keys of `sysctl` that hold for all devices. */
export const confAllShape = shape(
  NAMES.filter((name) => !OWN.includes(name)),
  (name) => `net.ipv4.conf.all.${name}` as ConfAllName,
)
