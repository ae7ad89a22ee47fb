import { formatIpv4 } from '@softnet/wire'
import type { Model } from '../../build/build-model.js'
import { Skb } from '../../skb/components.js'

/** A task as `ps` shows it. */
export interface TracedTask {
  /** At most 15 characters. Kernel: include/linux/sched.h, TASK_COMM_LEN */
  readonly comm: string
  readonly pid: number
}

/** A CPU of a run with one or several hosts. */
export interface TracedCpu {
  /** Position among the CPUs of all hosts. */
  readonly index: number
  /** `CPU 0`, with its host where there are several. */
  readonly name: string
  /** Its number on its host. */
  readonly number: number
  readonly host: string
  readonly idle: TracedTask
}

/** Where the frames of a queue go. */
export interface TracedQueue {
  readonly name: string
  readonly device: string
  readonly deviceIndex: number
  readonly index: number
}

/** What things are called in traces, by entity or row. */
export interface TraceNames {
  readonly cpus: ReadonlyMap<number, TracedCpu>
  /** By device entity, VLAN devices too. */
  readonly devices: ReadonlyMap<number, string>
  readonly queues: ReadonlyMap<number, TracedQueue>
  readonly vectors: ReadonlyMap<number, { readonly irq: number; readonly name: string }>
  /** Device of a NAPI instance; null for a CPU's backlog. */
  readonly napis: ReadonlyMap<number, string | null>
  readonly tasks: ReadonlyMap<number, TracedTask>
  /** Local address of each socket. */
  readonly sockets: ReadonlyMap<number, string>
  /** Device of each wire. */
  readonly wires: ReadonlyMap<number, string>
}

const COMM_LENGTH = 15
const FIRST_THREAD_PID = 16
const FIRST_APP_PID = 1000

class NameTables {
  readonly cpus = new Map<number, TracedCpu>()
  readonly devices = new Map<number, string>()
  readonly queues = new Map<number, TracedQueue>()
  readonly vectors = new Map<number, { irq: number; name: string }>()
  readonly napis = new Map<number, string | null>()
  readonly tasks = new Map<number, TracedTask>()
  readonly sockets = new Map<number, string>()
  readonly wires = new Map<number, string>()
  readonly #shared = new Map<string, number>()
  #threads = FIRST_THREAD_PID
  #apps = FIRST_APP_PID

  thread(task: number | undefined, name: string): void {
    if (task !== undefined) this.tasks.set(task, { comm: name.slice(0, COMM_LENGTH), pid: this.#threads++ })
  }

  /** Sockets that share a port (SO_REUSEPORT) are numbered. */
  socket(sock: number, address: string): void {
    const before = this.#shared.get(address) ?? 0
    this.#shared.set(address, before + 1)
    this.sockets.set(sock, before === 0 ? address : `${address} #${before + 1}`)
  }

  app(task: number, name: string): void {
    this.tasks.set(task, { comm: name.slice(0, COMM_LENGTH), pid: this.#apps++ })
  }
}

type Host = Model['layout']['hosts'][number]

function nameCpus(tables: NameTables, host: Host, prefix: string): void {
  host.plan.cpus.forEach((_, number) => {
    const index = tables.cpus.size
    const idle = { comm: `swapper/${number}`, pid: 0 }
    tables.cpus.set(host.cpus[number], { index, name: `${prefix}CPU ${number}`, number, host: host.plan.name, idle })
    tables.thread(host.ksoftirqds[number], `ksoftirqd/${number}`)
  })
}

function nameDevices(tables: NameTables, host: Host, prefix: string): void {
  host.devices.forEach((device) => {
    const { plan } = device
    const name = `${prefix}${plan.name}`
    const deviceIndex = tables.devices.size
    tables.devices.set(device.device, name)
    // VLAN devices follow the device they are on.
    plan.vlans.forEach((vlan, i) => {
      tables.devices.set(device.device + 1 + i, `${name}.${vlan}`)
    })
    if (device.wire !== 0) tables.wires.set(device.wire, name)
    device.queues.forEach((queue, index) => {
      tables.queues.set(queue, { name: `${name} rx-${index}`, device: name, deviceIndex, index })
    })
    plan.vectors.forEach(({ irq }, v) => {
      const own = plan.vectors.length === 1 ? plan.name : `${plan.name}-rx-${v}`
      tables.vectors.set(device.vectors[v], { irq, name: own })
      tables.thread(device.threads[v], `napi/${plan.name}-${v}`)
      tables.thread(device.workers[v], `kworker/${plan.name}-${v}`)
    })
    for (const napi of device.napis) tables.napis.set(napi, name)
  })
}

function nameApps(tables: NameTables, host: Host): void {
  host.plan.apps.forEach((app, a) => {
    app.tasks.forEach((_, i) => {
      tables.app(host.appTasks[a][i], app.tasks.length === 1 ? app.name : `${app.name}/${i}`)
    })
    app.sockets.forEach(({ address, port }, i) => {
      tables.socket(host.appSockets[a][i], `${formatIpv4(address)}:${port}`)
    })
  })
}

/** Names everything of a model that a trace can mention. */
export function traceNames({ layout }: Pick<Model, 'layout'>): TraceNames {
  const tables = new NameTables()
  for (const host of layout.hosts) {
    const prefix = layout.hosts.length === 1 ? '' : `${host.plan.name}/`
    nameCpus(tables, host, prefix)
    nameDevices(tables, host, prefix)
    nameApps(tables, host)
    tables.devices.set(host.loopback, `${prefix}lo`)
  }
  for (const napi of layout.backlogNapis) tables.napis.set(napi, null)
  return tables
}

const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 2: 'IGMP', 6: 'TCP', 17: 'UDP' }
const ETHER_TYPES: Readonly<Record<number, string>> = { 2054: 'ARP', 34525: 'IPv6' }
const ETH_P_IP = 0x0800

/** Says what a packet is: `UDP 198.51.100.1:1024 > 192.0.2.1:9000`. */
export function packetNamer({ world }: Pick<Model, 'world'>): (skb: number) => string {
  const { protocol, ipWord, idFrag, saddr, daddr, ports } = world.columns(Skb)
  return (skb) => {
    const type = protocol[skb]
    if (type !== ETH_P_IP) return ETHER_TYPES[type] ?? `EtherType 0x${type.toString(16).padStart(4, '0')}`
    const number = ipWord[skb] & 0xff
    const name = PROTOCOLS[number] ?? `IP protocol ${number}`
    const source = formatIpv4(saddr[skb])
    const destination = formatIpv4(daddr[skb])
    // A later fragment has no ports.
    if ((idFrag[skb] & 0x1fff) !== 0 || (number !== 6 && number !== 17)) return `${name} ${source} > ${destination}`
    return `${name} ${source}:${ports[skb] >>> 16} > ${destination}:${ports[skb] & 0xffff}`
  }
}
