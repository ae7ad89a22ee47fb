/** Schema of `net.ipv4.conf.DEV`. */
import { z } from 'zod'
import { integer } from './fields.js'

const flag = (description: string) => integer(description, 0, 1).optional()

/** Settings of a device's IPv4 side as a user writes them. */
export const confSchema = z
  .strictObject({
    arp_notify: flag('1 announces the addresses when the device comes up.'),
    arp_evict_nocarrier: flag('1, the default, forgets neighbours when the carrier is lost.'),
    ignore_routes_with_linkdown: flag('1 passes over routes while the device has no carrier.'),
    accept_local: flag('1 accepts packets with a local source address.'),
    drop_unicast_in_l2_multicast: flag('1 drops unicast packets in multicast frames.'),
    forwarding: flag('1 passes on what comes in for others; default net.ipv4.ip_forward.'),
    route_localnet: flag('1 does not treat 127/8 as martian.'),
    rp_filter: integer('Source check: 0 off, 1 strict, 2 loose.', 0, 2).optional(),
    send_redirects: flag('1 tells a sender of a shorter way.'),
  })
  .describe('Settings of net.ipv4.conf.DEV; joined with those of net.ipv4.conf.all as Linux does.')

/** Parsed settings. */
export type ConfInput = z.output<typeof confSchema>
