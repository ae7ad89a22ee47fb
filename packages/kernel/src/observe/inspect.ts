import type { SystemAccess } from '@softnet/ecs'
import type { Model } from '../build/build-model.js'
import { entityGroups } from '../build/declare.js'
import { modelPartitions } from '../build/model-partitions.js'
import type { Edge } from '../build/partitions.js'
import { Cpu } from '../cpu/components.js'

/** What `softnet inspect` shows: the machine a plan is built into. */
export interface InspectDocument {
  readonly partitions: readonly InspectedPartition[]
  /** Channels between partitions with the least time from sending to effect: the lookahead of the edge. */
  readonly edges: readonly {
    readonly from: number
    readonly to: number
    readonly latencyNs: number
    readonly why: string
  }[]
  /** Bound systems by stage, in the order in which a packet meets the stages. */
  readonly stages: readonly { readonly stage: string; readonly systems: readonly InspectedSystem[] }[]
  readonly entities: readonly {
    readonly kind: string
    readonly count: number
    readonly components: readonly string[]
  }[]
  readonly tables: readonly {
    readonly component: string
    readonly rows: number
    readonly columns: readonly string[]
    readonly bytes: number
    /** True for rows that come and go, false for entities. */
    readonly pool: boolean
  }[]
  /** Plugins in the order of the scenario. */
  readonly plugins: readonly InspectedPlugin[]
  readonly limits: Readonly<Record<string, number>>
  /** Size of all columns, bytes. */
  readonly memoryBytes: number
}

/** A partition: its name, the CPUs in it as numbers of their host (none: a wire), and why several are in one. */
export interface InspectedPartition {
  readonly id: number
  readonly name: string
  readonly cpus: readonly number[]
  readonly fusedBecause?: readonly string[]
}

/** A plugin: its components, and where its systems run. */
export interface InspectedPlugin {
  readonly name: string
  readonly plugin: string
  readonly about: string
  readonly url: string
  readonly options: Readonly<Record<string, unknown>>
  readonly components: readonly {
    readonly name: string
    readonly kind: string
    /** `probe` has a digest of its own. */
    readonly role: string
    /** What has rows in it, and how many each. */
    readonly per: string
    readonly rows: number
    readonly columns: readonly string[]
    /** What the columns are, where the plugin says it. */
    readonly about: Readonly<Record<string, string>>
  }[]
  /** All systems at the hooks where it has some, in the order in which they run, as `plugin/system`. */
  readonly hooks: Readonly<Record<string, readonly string[]>>
}

/** A system and the components it uses. */
export interface InspectedSystem {
  readonly name: string
  readonly kernel: string
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/** Stages as a packet meets them; what serves all of them stands last. */
const STAGE_ORDER: readonly string[] = [
  'traffic',
  'wire',
  'nic',
  'irq',
  'softirq',
  'napi',
  'xdp',
  'gro',
  'netif',
  'softnet',
  'ip',
  'netfilter',
  'icmp',
  'udp',
  'tcp',
  'sock',
  'task',
  'skb',
  'cpu',
  'count',
  'engine',
  'plugin',
]

/** Describes the structure of a model. */
export function inspectModel(model: Model): InspectDocument {
  const tables = model.world.describe().map(({ component, rows, columns, bytes, pool }) => {
    return { component, rows, columns, bytes, pool }
  })
  return {
    partitions: inspectPartitions(model),
    edges: inspectEdges(model),
    stages: inspectStages(model.binder.access()),
    entities: entityGroups(model.layout)
      .filter(({ ids }) => ids.length > 0)
      .map(({ kind, ids, components }) => ({
        kind,
        count: ids.length,
        components: components.map(({ name }) => name),
      })),
    tables,
    plugins: inspectPlugins(model),
    limits: model.plan.limits,
    memoryBytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

function inspectPlugins({ plugins }: Model): InspectedPlugin[] {
  return plugins.instances.map(({ plan, plugin, systems }) => ({
    name: plan.name,
    plugin: plugin.name,
    about: plugin.about,
    url: plan.url,
    options: plan.options,
    components: plugin.components.map(({ name, kind, role, per, rows, schema, about }) => {
      return { name, kind, role, per, rows, columns: Object.keys(schema), about }
    }),
    hooks: Object.fromEntries(
      [...new Set(systems.map(({ hook }) => hook))].map((hook) => [hook, plugins.order.get(hook) ?? []]),
    ),
  }))
}

/** Leaders in the order of `modelPartitions`. */
function leadersOf(model: Model): number[] {
  return [...model.partitions.members.keys()].sort((a, b) => a - b)
}

function cpuNumber(model: Model, cpu: number): number {
  return model.binder.world.columns(Cpu).number[cpu]
}

function inspectPartitions(model: Model): InspectedPartition[] {
  const { members, fused, leader: leaderOf } = model.partitions
  const leaders = leadersOf(model)
  return modelPartitions(model).map(({ id, name }) => {
    const leader = leaders[id]
    if (leader >= model.layout.firstWire) return { id, name, cpus: [] }
    const cpus = (members.get(leader) ?? []).map((cpu) => cpuNumber(model, cpu))
    const reasons = fused.filter(({ owners }) => leaderOf[owners[0]] === leader).map(({ why }) => why)
    return reasons.length === 0 ? { id, name, cpus } : { id, name, cpus, fusedBecause: [...new Set(reasons)] }
  })
}

/** Edges between partitions: those of their owners taken together, with the shortest time and every reason. */
function inspectEdges(model: Model): InspectDocument['edges'] {
  const leaders = leadersOf(model)
  const position = new Map(leaders.map((leader, id) => [leader, id]))
  const { leader } = model.partitions
  const between = new Map<number, Edge[]>()
  for (const edge of model.partitions.edges) {
    const from = position.get(leader[edge.from]) ?? 0
    const to = position.get(leader[edge.to]) ?? 0
    const key = to * leaders.length + from
    const list = between.get(key)
    if (list === undefined) between.set(key, [edge])
    else list.push(edge)
  }
  return [...between]
    .sort((a, b) => a[0] - b[0])
    .map(([key, edges]) => ({
      from: key % leaders.length,
      to: Math.floor(key / leaders.length),
      latencyNs: edges.reduce((least, { latencyPs }) => Math.min(least, latencyPs), Number.POSITIVE_INFINITY) / 1000,
      why: [...new Set(edges.map(({ why }) => why))].join('; '),
    }))
}

function inspectStages(access: readonly SystemAccess[]): InspectDocument['stages'] {
  const stages = new Map<string, InspectedSystem[]>(STAGE_ORDER.map((stage) => [stage, []]))
  for (const { name, stage, kernel, reads, writes } of access) {
    const system = { name, kernel, reads, writes }
    const list = stages.get(stage)
    if (list === undefined) stages.set(stage, [system])
    else list.push(system)
  }
  return [...stages].filter(([, systems]) => systems.length > 0).map(([stage, systems]) => ({ stage, systems }))
}
