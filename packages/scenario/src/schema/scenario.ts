/** Schema of a whole scenario: what a user writes in YAML, JSON or TypeScript. */
import { z } from 'zod'
import { LIMITS } from '../limits.js'
import { NEIGHBOUR_WORDS, parseNeighbour } from '../neighbour.js'
import type { KernelVersion } from '../plan.js'
import type { PluginsFound } from '../plugin/found-plugin.js'
import { PROFILE_NAMES } from '../profile-names.js'
import { parseRoute, ROUTE_WORDS } from '../route.js'
import { parseRule, RULE_WORDS } from '../rule.js'
import { KERNEL_VERSION_NAMES } from '../versions.js'
import { accepts } from './accepted.js'
import { appSchema } from './app.js'
import { deviceSchema } from './device.js'
import { eventSchema } from './event.js'
import { choice, deviceKey, integer, nameKey, quantity, text, time, words } from './fields.js'
import { linkSchema, switchSchema } from './link.js'
import { pluginsSchema, pluginsSchemaOf } from './plugins.js'
import { netnsSysctlSchema, sysctlSchema } from './sysctl.js'
import { trafficSchema } from './traffic.js'

const kernelVersion = () => {
  const words = `one of ${KERNEL_VERSION_NAMES.map((name) => `"${name}"`).join(', ')}`
  const names = KERNEL_VERSION_NAMES as readonly string[] as readonly [KernelVersion, ...KernelVersion[]]
  const numbers = KERNEL_VERSION_NAMES.map((name) => z.literal(Number(name)))
  return accepts(
    z
      .union([z.enum(names), ...numbers])
      .transform((value) => String(value) as KernelVersion)
      .describe(`Linux version whose policies apply. Accepts ${words}.`),
    words,
  )
}

const cpuCount = () => integer('Simulated CPUs.', 1, 8192)

const cpus = z
  .union([
    cpuCount(),
    z.strictObject({
      count: cpuCount().optional(),
      frequency: quantity('frequency', 'Clock; default that of the cost profile.', {
        min: 1e6,
        max: 1e11,
        words: 'from 1MHz to 100GHz',
      }).optional(),
      'threads-per-core': integer('SMT siblings per core.', 1, 8).optional(),
      'numa-nodes': integer('NUMA nodes.', 1, 256).optional(),
      'llc-per-node': integer('Last-level caches per node.', 1, 64).optional(),
    }),
  ])
  .describe(
    'CPUs: their number, or an object with topology. Numbered as Linux does: first threads of all cores, then second threads.',
  )

const cstates = () => {
  const words = 'default, none, or a list of {name, exit-latency, target-residency}'
  return accepts(
    z
      .union([
        z.enum(['default', 'none']),
        z
          .array(
            z.strictObject({
              name: text('Name.', 32),
              'exit-latency': time('Time to wake.', { max: 1e10, words: 'at most 10ms' }),
              'target-residency': time('Shortest idle time it is chosen for.', { max: 1e12, words: 'at most 1s' }),
            }),
          )
          .max(16),
      ])
      .describe(`Idle states, shallowest first; default those of the cost profile. Accepts ${words}.`),
    words,
  )
}

const tap = z
  .union([
    text('Device of the tap, or any.', 15),
    z.strictObject({
      dev: text('Device, or any.', 15).optional(),
      name: text('Name shown in results.', 63).optional(),
    }),
  ])
  .describe('A packet tap: a device name, any, or {dev, name}.')

const nftables = () => {
  const words = 'rules in the language of nft, or {file: NAME} of a file with such rules'
  return accepts(
    z
      .union([z.string().max(4_194_304), z.strictObject({ file: text('File with rules of nft.', 4096) })])
      .describe(`Packet filter and address translation, as nft -f loads them. Accepts ${words}.`),
    words,
  )
}

const route = () => words(parseRoute, `A route as ip route add takes it. Accepts ${ROUTE_WORDS}.`, ROUTE_WORDS)

const rule = () => words(parseRule, `A rule as ip rule add takes it. Accepts ${RULE_WORDS}.`, RULE_WORDS)

const neighbour = () =>
  words(parseNeighbour, `A neighbour as ip neigh add takes it. Accepts ${NEIGHBOUR_WORDS}.`, NEIGHBOUR_WORDS)

/** What a network namespace and its host are said alike. */
const netKeys = {
  taps: z.array(tap).max(64).optional().describe('Packet taps (tcpdump): each costs a clone of every packet.'),
  'raw-protocols': z
    .array(integer('IP protocol number.', 0, 255))
    .max(256)
    .optional()
    .describe('Raw sockets: IP protocols that get a copy of each packet.'),
  nftables: nftables().optional(),
  routes: z
    .array(route())
    .max(1_000_000)
    .optional()
    .describe(
      'Routes besides those that addresses bring; default everything on the link of the first device with an address.',
    ),
  rules: z
    .array(rule())
    .max(10_000)
    .optional()
    .describe('Policy rules besides those of the tables local, main and default.'),
  neighbours: z
    .array(neighbour())
    .max(1024)
    .optional()
    .describe('Permanent neighbours (`ip neigh add … nud permanent`).'),
}

/** A network namespace of a host as a user writes it. */
export const netnsSchema = z
  .strictObject({
    sysctl: netnsSysctlSchema.optional(),
    ...netKeys,
    devices: z.record(deviceKey(), deviceSchema).optional().describe('Devices in the namespace by name.'),
  })
  .describe('A network namespace (`ip netns add`).')

/** Parsed namespace. */
export type NetnsInput = z.output<typeof netnsSchema>

/** A host as a user writes it. */
export const hostSchema = z
  .strictObject({
    cpus: cpus.optional(),
    hz: accepts(
      z
        .union([z.literal(100), z.literal(250), z.literal(300), z.literal(1000)])
        .describe('Jiffies per second: 100, 250, 300 or 1000.'),
      'one of 100, 250, 300, 1000',
    ).optional(),
    sysctl: sysctlSchema.optional(),
    cstates: cstates().optional(),
    'skb-limit': integer('sk_buffs that can exist before allocation fails.', 1, 1_000_000_000).optional(),
    'pfmemalloc-reserve': integer('The last of them, for allocations that free memory.', 0, 1_000_000_000).optional(),
    'small-head': accepts(
      z
        .union([z.literal(0), z.literal(576), z.literal(640), z.literal(704)])
        .describe(
          'Bytes of a buffer of the small-head cache: 0 (none), 576, 640 or 704, as the kernel was configured.',
        ),
      'one of 0, 576, 640, 704',
    ).optional(),
    ...netKeys,
    netns: z
      .record(nameKey('namespace'), netnsSchema)
      .optional()
      .describe('Network namespaces by name, besides the one the host starts in.'),
    devices: accepts(
      z.record(deviceKey(), deviceSchema).refine((value) => Object.keys(value).length > 0),
      'at least one device, name: {…}',
    ).describe('Network devices by name.'),
    apps: z.record(nameKey('program'), appSchema).optional().describe('Programs by name.'),
  })
  .describe('A host.')

/** Parsed host. */
export type HostInput = z.output<typeof hostSchema>

const limits = z
  .strictObject(
    Object.fromEntries(
      LIMITS.map((limit) => [
        limit.name,
        integer(`${limit.reason} (${limit.unit}, default ${limit.default}).`, limit.min, limit.max).optional(),
      ]),
    ),
  )
  .describe('Bounds of the run.')

/** A scenario as a user writes it. */
export const scenarioSchema = z
  .strictObject({
    $schema: text('Address of the JSON Schema, for editors.', 4096).optional(),
    name: text('Name of the scenario.', 200).optional(),
    description: text('What it shows.', 10_000).optional(),
    question: text('The question it answers.', 2000).optional(),
    kernel: kernelVersion().optional(),
    profile: choice(PROFILE_NAMES, 'Cost profile.').optional(),
    seed: integer('Seed of every random stream.', 0, 4_294_967_295).optional(),
    duration: time('Simulated time.', { min: 1, max: 9e15, words: 'above 0 and at most 2.5 hours (9000s)' }).optional(),
    warmup: time('Time at the start left out of latency.', { max: 9e15, words: 'below duration' }).optional(),
    hosts: accepts(
      z.record(nameKey('host'), hostSchema).refine((value) => Object.keys(value).length > 0),
      'at least one host, name: {devices: {…}}',
    ).describe('Hosts by name.'),
    links: z
      .record(nameKey('link'), linkSchema)
      .optional()
      .describe(
        'Links between devices of hosts, by name; at the other end of any other device are the sources of traffic.',
      ),
    switches: z.record(nameKey('switch'), switchSchema).optional().describe('Switches between devices, by name.'),
    traffic: z
      .record(nameKey('traffic'), trafficSchema)
      .optional()
      .describe('Sources of traffic by name; there has to be one unless a program sends of its own.'),
    events: z
      .array(eventSchema)
      .max(10_000)
      .optional()
      .describe('What happens during the run: cables, links, settings.'),
    plugins: pluginsSchema,
    limits: limits.optional(),
  })
  .describe('A softnet scenario.')

/** The schema of scenarios in which the options of plugins are known too. */
export function scenarioSchemaWith(found: PluginsFound): typeof scenarioSchema {
  if (found.size === 0) return scenarioSchema
  // What is parsed has the same form; only what is accepted below `plugins` differs.
  return scenarioSchema.extend({ plugins: pluginsSchemaOf(found) }) as unknown as typeof scenarioSchema
}

/** A scenario as a user writes it in TypeScript. */
export type ScenarioInput = z.input<typeof scenarioSchema>
/** A scenario after its values were read, before defaults. */
export type ParsedScenario = z.output<typeof scenarioSchema>

/** The scenario schema as JSON Schema (draft 2020-12), for editors. */
export function scenarioJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(scenarioSchema, { io: 'input', target: 'draft-2020-12' }) as Record<string, unknown>
}
