/** Schema of VLAN devices: `ip link add link DEV name DEV.ID type vlan id ID`. */
import { z } from 'zod'
import { accepts } from './accepted.js'
import { confSchema } from './conf.js'
import { integer, prefix } from './fields.js'

/** A VLAN device as a user writes it. */
export const vlanSchema = z
  .strictObject({
    address: z
      .union([prefix('IPv4 address.'), z.array(prefix('IPv4 address.')).min(1).max(1024)])
      .optional()
      .describe('IPv4 addresses with prefix length (`ip addr`); default none.'),
    mtu: integer('Largest IP packet, bytes; default, and at most, that of the device below.', 68, 65_535).optional(),
    conf: confSchema.optional(),
  })
  .describe('A VLAN device.')

/** Parsed VLAN device. */
export type VlanInput = z.output<typeof vlanSchema>

const ID_WORDS = 'VLAN devices by id, {100: {address: 10.0.0.1/24}}'

/** VLAN devices on a device: a list of ids, or an object with one entry for each. */
export const vlansSchema = z
  .union([
    z.array(integer('VLAN id.', 1, 4094)).max(4094),
    accepts(
      z.record(z.string().regex(/^(?:[1-9]\d{0,2}|[1-3]\d{3}|40[0-8]\d|409[0-4])$/), vlanSchema.optional()),
      ID_WORDS,
    ),
  ])
  .optional()
  .describe(`VLAN devices on top, called DEV.ID. Accepts a list of ids from 1 to 4094, or ${ID_WORDS}.`)
