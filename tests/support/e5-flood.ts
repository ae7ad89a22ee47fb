import type { DriverName, ScenarioInput } from '@softnet/scenario'
import { runScenario, type ScenarioRun } from './run-scenario.js'

/** How a generator spaces its frames. */
export type Sending = { readonly pattern: 'burst'; readonly count: number; readonly every: string }

/** Frames that T-Rex gives its card at once, at any rate: it waits until there are as many. T-Rex: main_dpdk.cpp, MAX_PKT_BURST */
const TREX_BURST = 32

/** T-Rex at a rate, the generator of the XDP paper. */
export function trex(mpps: number): Sending {
  return { pattern: 'burst', count: TREX_BURST, every: `${Math.round((TREX_BURST * 1e6) / mpps)}ps` }
}

/** A flood of 64-byte UDP frames into the E5-1650 v4 of the published measurements. */
export interface Flood {
  readonly kernel: '4.14' | '4.18' | '5.1' | '6.5' | '6.18'
  /** Rate of evenly spaced frames, or how frames are sent. */
  readonly rate: string | Sending
  readonly duration: string
  readonly queues?: number
  readonly flows?: number
  readonly driver?: DriverName
  /** CPU of the reader; null: nobody reads, the port is closed. */
  readonly readerCpu: number | null
  /** Messages per recvmmsg call; default one blocking recvmsg per datagram. */
  readonly batch?: number
  readonly device?: Partial<ScenarioInput['hosts'][string]['devices'][string]>
  readonly host?: Partial<ScenarioInput['hosts'][string]>
}

/** Runs a flood with six CPUs, HZ=1000, and one blocking recvmsg per datagram where somebody reads and asks for no batch. */
export function runFlood(flood: Flood): ScenarioRun {
  const { kernel, rate, duration, queues = 1, flows = 1, driver = 'i40e', readerCpu, device = {}, host = {} } = flood
  const sending = typeof rate === 'string' ? { rate } : rate
  const { batch = 0 } = flood
  const reading = batch > 0 ? { wait: 'recvmmsg' as const, batch } : { wait: 'recvfrom' as const }
  const sink = { sink: { cpus: [readerCpu ?? 0], ...reading, sockets: { bind: '0.0.0.0:9000' } } }
  return runScenario({
    name: 'e5-flood',
    kernel,
    profile: 'xeon-e5-1650-v4',
    duration,
    hosts: {
      broadwell: {
        cpus: 6,
        hz: 1000,
        ...host,
        devices: { eth0: { driver, address: '192.0.2.1/24', channels: { combined: queues }, ...device } },
        ...(readerCpu === null ? {} : { apps: sink }),
      },
    },
    traffic: { load: { to: 'broadwell/eth0', ...sending, frame: 64, flows: { count: flows, dport: 9000 } } },
  })
}

/** What a flood came to, per second. */
export function floodRates({ report }: ScenarioRun): {
  delivered: number
  inReceives: number
  rcvbufErrors: number
  noPorts: number
  busy: number
} {
  const seconds = report.simulated_ns / 1e9
  const host = report.hosts.broadwell
  const snmp = Object.values(host?.netns ?? {})[0]?.snmp
  const count = (table: 'Ip' | 'Udp', name: string): number =>
    (snmp?.[table] as Record<string, number> | undefined)?.[name] ?? Number.NaN
  const time = host?.cpus[0]?.time_ns
  if (time === undefined) throw new Error('no CPU 0')
  return {
    delivered: report.packets.delivered / seconds,
    inReceives: count('Ip', 'InReceives') / seconds,
    rcvbufErrors: count('Udp', 'RcvbufErrors') / seconds,
    noPorts: count('Udp', 'NoPorts') / seconds,
    // mpstat takes the way out of an idle state for idle time.
    busy: 1 - (time.idle + (host?.cpus[0]?.stages_ns.cstate_exit ?? 0)) / report.simulated_ns,
  }
}
