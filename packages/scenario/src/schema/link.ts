/** Schema of links and switches: how the devices of hosts are joined. */
import { z } from 'zod'
import { accepts } from './accepted.js'
import { decimal, integer, quantity, text, time } from './fields.js'

const port = () => text('A device as host/device.', 200)

const onTheWay = {
  loss: decimal('Chance that a frame is lost on the way, each direction for itself; default 0.', 0, 1).optional(),
  duplicate: decimal('Chance that a frame arrives twice; default 0.', 0, 1).optional(),
  reorder: decimal(
    'Chance that a frame takes reorder-by longer, so that others overtake it; default 0.',
    0,
    1,
  ).optional(),
  'reorder-by': time('How much longer such a frame takes; default 100us.', {
    max: 1e13,
    words: 'at most 10s',
  }).optional(),
}

/** A link as a user writes it. */
export const linkSchema = z
  .strictObject({
    between: accepts(z.tuple([port(), port()]), 'two devices, [host/device, host/device]').describe('Both ends.'),
    delay: time('One-way delay; default that of its devices (link-delay).', {
      max: 1e13,
      words: 'at most 10s',
    }).optional(),
    ...onTheWay,
  })
  .describe('A link between two devices.')

/** A switch as a user writes it. */
export const switchSchema = z
  .strictObject({
    ports: accepts(z.array(port()).min(2).max(1024), 'two or more devices, [host/device, …]').describe('Its ports.'),
    delay: time('Time from the last bit in to the first bit out of an idle port; default 1us.', {
      max: 1e12,
      words: 'at most 1s',
    }).optional(),
    buffer: quantity('bytes', 'Bytes that may wait for a port; default 512KiB.', {
      min: 1600,
      max: 1e9,
      words: 'from 1600B to 1GB',
    }).optional(),
    addresses: integer('Hardware addresses it remembers; default 8192.', 1, 1_048_576).optional(),
    ageing: time('How long it remembers an address that is silent; default 300s.', { max: 9e15 }).optional(),
    ...onTheWay,
  })
  .describe('A learning switch.')

/** Parsed link and switch. */
export type LinkInput = z.output<typeof linkSchema>
export type SwitchInput = z.output<typeof switchSchema>
