/** Schema of `ping`. */
import { PMTUDISC_NAMES } from '../send-plan.js'
import { choice, integer, ipv4, quantity, text, time, toggle } from './fields.js'

const PS_MAX = 9e15

/** Keys of `ping`, by the names of its manual page. */
export const pingKeys = {
  to: ipv4('Address that is asked.'),
  source: ipv4('Source address (-I); default by the route.').optional(),
  device: text('Device it is bound to (-I).', 15).optional(),
  socket: choice(
    ['dgram', 'raw'],
    'Socket of ICMP: dgram (default, where net.ipv4.ping_group_range lets it), or raw, which gets a copy of every ICMP message.',
  ).optional(),
  interval: time('Time from one request to the next (-i); default 1s.', {
    min: 1,
    max: PS_MAX,
    words: 'above 0; flood: true sends without',
  }).optional(),
  flood: toggle('As fast as replies come, and at least every 10 ms (-f).').optional(),
  count: integer('Requests after which it ends (-c); 0 is no such limit.', 0, Number.MAX_SAFE_INTEGER).optional(),
  size: quantity('bytes', 'Data behind the ICMP header (-s); default 56. Round trips are measured from 16 on.', {
    max: 65_527,
    words: 'up to 65527B',
  }).optional(),
  timeout: time('Wait for a reply when none came at all (-W); default 10s.', {
    min: 1,
    max: PS_MAX,
    words: 'above 0',
  }).optional(),
  start: time('When it begins.', { max: PS_MAX, words: 'at most 2.5 hours' }).optional(),
  IP_TTL: integer('TTL of requests (-t).', 1, 255).optional(),
  IP_TOS: integer('TOS byte of requests (-Q).', 0, 255).optional(),
  IP_MTU_DISCOVER: choice(PMTUDISC_NAMES, 'DF bit and what is longer than the path (-M).').optional(),
  'timer-slack': time('PR_SET_TIMERSLACK: how much longer a sleep lasts; default 50us.', {
    max: 1e12,
    words: 'at most 1s',
  }).optional(),
}
