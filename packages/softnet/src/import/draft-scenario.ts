/** From what the files of a host say to a scenario: the machine as a whole, its traffic and its programs. */
import {
  DEFAULT_PROFILE,
  defaultSysctl,
  formatCpuList,
  KERNEL_VERSION_NAMES,
  KERNEL_VERSIONS,
  type KernelVersion,
  parseCpuList,
  parseCpuMask,
  scenarioJsonSchema,
} from '@softnet/scenario'
import { draftDevices } from './draft-device.js'
import { draftTraffic } from './draft-traffic.js'
import type { HostFacts } from './host-facts.js'
import { lscpuNumber, type Sourced } from './parse-machine.js'
import { HOST, ScenarioDraft } from './scenario-draft.js'
import type { TextFaults } from './text-faults.js'

const HZ_DEFAULT = 250
const CPUS_DEFAULT = 4

/** Writes the scenario of a host; what is no value at all goes to `faults`. */
export function draftScenario(facts: HostFacts, name: string, faults: TextFaults): ScenarioDraft {
  const draft = new ScenarioDraft(facts.directory)
  // In the order that a reader expects, whenever each is known.
  Object.assign(draft.root, { name, kernel: '', profile: '', duration: '', warmup: '' })
  const kernel = draftKernel(draft, facts)
  draftProfile(draft, facts)
  const hz = draftHz(draft, facts)
  const cpuCount = draftCpus(draft, facts, faults)
  draftSysctl(draft, facts, kernel, hz, faults)
  const devices = draftDevices(draft, facts, cpuCount, faults)
  draftTraffic(draft, facts, devices, cpuCount)
  for (const file of facts.missing) draft.ignore(`no file ${file}: what it would say is guessed or left at its default`)
  for (const odd of facts.oddNames) draft.ignore(`device ${odd}: no name that a device of a scenario can have`)
  return draft
}

/** The newest version that softnet knows and that is not newer than the host's; the oldest for older ones. */
function draftKernel(draft: ScenarioDraft, facts: HostFacts): KernelVersion {
  if (facts.kernel === undefined) {
    draft.guess(['kernel'], '6.18', 'the newest that softnet knows')
    return '6.18'
  }
  const { value, at } = facts.kernel
  const rank = (version: string): number => {
    const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
    return major * 1000 + minor
  }
  const notNewer = KERNEL_VERSION_NAMES.filter((version) => rank(version) <= rank(value))
  const version = notNewer.at(-1) ?? (KERNEL_VERSION_NAMES[0] as KernelVersion)
  const isSame = rank(version) === rank(value)
  draft.found(
    ['kernel'],
    version,
    at,
    isSame ? '' : `the host runs ${value}; the policies of ${version} are the nearest`,
  )
  return version
}

function draftProfile(draft: ScenarioDraft, facts: HostFacts): void {
  const model = facts.lscpu.get('Model name')?.value ?? 'not known'
  const isVirtual = facts.lscpu.has('Hypervisor vendor')
  const profile = isVirtual ? 'vm-linux-6.18' : DEFAULT_PROFILE
  draft.guess(
    ['profile'],
    profile,
    `costs of ${isVirtual ? 'a virtual machine' : 'a server'}; the processor is ${model}`,
  )
}

/** HZ from the kernel's configuration, or else from the default of netdev_budget_usecs, which is two jiffies. */
function draftHz(draft: ScenarioDraft, facts: HostFacts): number {
  const path = ['hosts', HOST, 'hz']
  if (facts.hz !== undefined) {
    draft.found(path, facts.hz.value, facts.hz.at)
    return facts.hz.value
  }
  const usecs = facts.sysctl.get('net.core.netdev_budget_usecs')
  const hz = [100, 250, 300, 1000].find((each) => Math.floor(2_000_000 / each) === Number(usecs?.value))
  if (hz !== undefined && usecs !== undefined) draft.found(path, hz, usecs.at, 'netdev_budget_usecs is two jiffies')
  else draft.guess(path, HZ_DEFAULT, 'what most distributions have')
  return hz ?? HZ_DEFAULT
}

function draftCpus(draft: ScenarioDraft, facts: HostFacts, faults: TextFaults): number {
  const path = ['hosts', HOST, 'cpus']
  const { lscpu } = facts
  const given = lscpuNumber(lscpu, 'CPU(s)', faults)
  if (given === undefined) return cpusFromCounters(draft, facts)
  const count = given.value
  draft.found([...path, 'count'], count, given.at)
  const threads = lscpuNumber(lscpu, 'Thread(s) per core', faults)
  const cores = dividing(draft, [...path, 'threads-per-core'], threads, count, 'CPUs')
  const nodes = lscpuNumber(lscpu, 'NUMA node(s)', faults)
  const coresPerNode = dividing(draft, [...path, 'numa-nodes'], nodes, cores, 'cores')
  const caches = lscpu.get('L3 cache') ?? lscpu.get('L3')
  const instances = Number(/\((\d+) instances?\)/.exec(caches?.value ?? '')?.[1] ?? 0)
  const perNode = instances / (cores / coresPerNode)
  if (caches !== undefined && instances > 0 && Number.isInteger(perNode)) {
    dividing(draft, [...path, 'llc-per-node'], { value: perNode, at: caches.at }, coresPerNode, 'cores of a node')
  } else draft.leave([...path, 'llc-per-node'], '1, as lscpu does not say')
  const clock = lscpu.get('CPU max MHz')
  const megahertz = /^\d{3,5}(\.\d+)?$/.test(clock?.value ?? '') ? Math.round(Number(clock?.value)) : 0
  if (clock !== undefined && megahertz > 0) draft.found([...path, 'frequency'], `${megahertz}MHz`, clock.at)
  else draft.leave([...path, 'frequency'], 'that of the cost profile')
  checkNumbering(draft, facts, count, cores / coresPerNode, cores)
  return count
}

/** Sets a topology number if it divides what there is; returns what is left for each part. */
function dividing(
  draft: ScenarioDraft,
  path: readonly string[],
  given: Sourced<number> | undefined,
  whole: number,
  what: string,
): number {
  if (given === undefined) {
    draft.leave(path, '1, as lscpu does not say')
    return whole
  }
  if (whole % given.value !== 0) {
    draft.ignore(`${path.at(-1)} ${given.value}: it does not divide the ${whole} ${what}`, given.at)
    return whole
  }
  draft.found(path, given.value, given.at)
  return whole / given.value
}

function cpusFromCounters(draft: ScenarioDraft, facts: HostFacts): number {
  const path = ['hosts', HOST, 'cpus', 'count']
  const lines = facts.end.softnetStat.length || facts.start.softnetStat.length
  const count = lines || facts.interrupts.cpus.length
  if (count > 0) {
    draft.guess(path, count, `${lines > 0 ? 'lines of softnet_stat' : 'columns of interrupts'}; no lscpu`)
    return count
  }
  const least = Math.max(CPUS_DEFAULT, cpusNamed(facts))
  draft.guess(path, least, 'nothing says how many there are; as many as masks name, at least')
  return least
}

/** CPUs that there must be for the masks of interrupts and RPS. */
function cpusNamed(facts: HostFacts): number {
  const affinities = [...facts.affinity.values()].flatMap(({ effective }) => effective?.value ?? [])
  const steered = [...facts.netValues].flatMap(([name, { value }]) => {
    const mask = name.endsWith('/rps_cpus') ? parseCpuMask(value) : null
    return mask?.ok ? mask.cpus : []
  })
  return Math.max(0, ...affinities, ...steered) + 1
}

/** softnet numbers CPUs as most machines do: first threads of all cores, node by node, then second threads. */
function checkNumbering(draft: ScenarioDraft, facts: HostFacts, count: number, nodes: number, cores: number): void {
  const online = facts.lscpu.get('On-line CPU(s) list')
  const onlineCpus = parseCpuList(online?.value ?? '')
  if (online !== undefined && onlineCpus.ok && onlineCpus.cpus.length !== count) {
    draft.ignore(`CPUs ${online.value} of ${count} are on-line: in the scenario all are`, online.at)
  }
  for (let node = 0; node < nodes; node++) {
    const given = facts.lscpu.get(`NUMA node${node} CPU(s)`)
    const cpus = parseCpuList(given?.value ?? '')
    if (given === undefined || !cpus.ok) continue
    const perNode = cores / nodes
    const here = Array.from({ length: count }, (_, cpu) => cpu).filter(
      (cpu) => Math.floor((cpu % cores) / perNode) === node,
    )
    if (formatCpuList(here) === formatCpuList(cpus.cpus)) continue
    const text = `node ${node} has CPUs ${formatCpuList(cpus.cpus)} on the host and ${formatCpuList(here)} in softnet`
    draft.ignore(`${text}: what is near to what differs`, given.at)
    return
  }
}

/** Words that a setting of words accepts. */
function acceptedWords(name: string): readonly string[] {
  const { properties } = scenarioJsonSchema() as unknown as SchemaOfSysctl
  return properties.hosts.additionalProperties.properties.sysctl.properties[name]?.enum ?? []
}

function sysctlValue(given: string, standard: unknown): unknown {
  if (typeof standard === 'string') return given
  if (Array.isArray(standard) && standard.length === 3) return given.split(/\s+/).map(Number)
  if (Array.isArray(standard)) return given
  return /^-?\d{1,15}$/.test(given) ? Number(given) : given
}

function isDefault(value: unknown, standard: unknown): boolean {
  const mask = typeof value === 'string' && Array.isArray(standard) ? parseCpuMask(value) : null
  return JSON.stringify(mask?.ok ? mask.cpus : value) === JSON.stringify(standard)
}

/** The part of the scenario's JSON Schema about `sysctl`. */
interface SchemaOfSysctl {
  readonly properties: {
    readonly hosts: {
      readonly additionalProperties: {
        readonly properties: {
          readonly sysctl: { readonly properties: Readonly<Record<string, { readonly enum?: readonly string[] }>> }
        }
      }
    }
  }
}

/** Settings that a run reads and that are not at their defaults. */
function draftSysctl(
  draft: ScenarioDraft,
  facts: HostFacts,
  kernel: KernelVersion,
  hz: number,
  faults: TextFaults,
): void {
  const path = ['hosts', HOST, 'sysctl']
  const defaults = Object.entries(defaultSysctl(KERNEL_VERSIONS[kernel], hz))
  let same = 0
  const missing: string[] = []
  for (const [name, standard] of defaults) {
    const given = facts.sysctl.get(name)
    if (given === undefined) {
      missing.push(name)
      continue
    }
    const value = sysctlValue(given.value, standard)
    if (isDefault(value, standard)) same++
    else if (typeof standard === 'string' && !acceptedWords(name).includes(given.value)) {
      draft.ignore(`${name} ${given.value}: not one that is modelled`, given.at)
    } else if (typeof value === 'string' && typeof standard === 'number') {
      faults.add(given.at, given.value, `${name}: a number`)
    } else draft.found([...path, name], value, given.at)
  }
  if (facts.sysctl.size === 0) draft.leave(path, `defaults of Linux ${kernel} at HZ ${hz}`)
  else if (missing.length > 0)
    draft.leave(path, `${same} as by default; not on the host, so by default: ${missing.join(' ')}`)
  const others = [...facts.sysctl.keys()].filter((name) => !defaults.some(([known]) => known === name)).length
  if (others > 0) draft.ignore(`other sysctls (${others}), which no simulated system reads`)
}
