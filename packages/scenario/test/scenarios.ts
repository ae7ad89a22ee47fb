/** Scenarios that the tests start from, and short ways to compile them. */
import { fail } from 'node:assert'
import { type CompileContext, compileScenario } from '../src/compile/compile.js'
import type { ScenarioFault } from '../src/fault.js'
import type { Plan } from '../src/plan.js'
import type { ScenarioInput } from '../src/schema/scenario.js'
import { applyOverride } from '../src/set-path.js'

/** The smallest legal scenario. */
export function smallest(): ScenarioInput {
  return { hosts: { server: { devices: { eth0: {} }, apps: { sink: {} } } }, traffic: { load: {} } }
}

/** A scenario in which a value is given for nearly every key. */
export function full(): ScenarioInput {
  return {
    name: 'full',
    kernel: '6.18',
    profile: 'xeon-e5-1650-v4',
    seed: 7,
    duration: '10ms',
    warmup: '1ms',
    hosts: {
      server: {
        cpus: { count: 4, frequency: '3GHz', 'threads-per-core': 2, 'numa-nodes': 1 },
        hz: 1000,
        sysctl: { 'net.core.netdev_budget': 300, 'net.core.rps_sock_flow_entries': 1000 },
        cstates: [{ name: 'C1', 'exit-latency': '2us', 'target-residency': '2us' }],
        taps: ['any', { dev: 'eth0', name: 'tcpdump' }],
        'raw-protocols': [1, 17],
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: ['192.0.2.1/24', '192.0.2.2/24'],
            rings: { rx: 512 },
            channels: { combined: 4 },
            coalesce: { 'rx-usecs': 10 },
            'rx-flow-hash': { udp4: 'sdfn' },
            rxfh: { weight: [1, 1, 2, 4] },
            ntuple: [{ 'flow-type': 'udp4', 'dst-port': 9000, action: 1 }],
            features: { gro: 'on', 'rx-gro-list': 'off', ntuple: 'on' },
            irq: { smp_affinity: [[0], [1], [2], '8'] },
            queues: { rps_cpus: 'f', rps_flow_cnt: 100 },
            napi_defer_hard_irqs: 2,
            gro_flush_timeout: '20us',
            xdp: { mode: 'generic', rules: [{ 'src-port': 7, verdict: 'drop' }] },
            vlans: [100],
          },
          eth1: { driver: 'mlx5', address: '198.51.100.7/24' },
        },
        apps: {
          sink: {
            cpus: [0, '1-2'],
            wait: 'epoll_wait',
            sockets: [
              { count: 2, bind: '0.0.0.0:9000', reuseport: true, SO_RCVBUF: '64KiB' },
              { count: 4, bind: '192.0.2.1:9100', 'port-step': 2 },
            ],
          },
          noise: { kind: 'spin', cpus: 3 },
        },
      },
    },
    traffic: {
      load: { to: 'server/eth0', rate: '1Mpps', pattern: 'poisson', frame: 'imix', flows: { count: 16 } },
      clients: { to: 'server/eth1', kind: 'closed', clients: 4, think: '10us' },
    },
    limits: { 'mailbox-slots': 1024 },
  }
}

/** The plan of a scenario that must be sound. */
export function planOf(input: unknown, context: Partial<CompileContext> = {}): Plan {
  const result = compileScenario(input, { source: 'test', ...context })
  return result.ok ? result.plan : fail(JSON.stringify(result.errors))
}

/** Warnings of a scenario that must be sound. */
export function warningsOf(input: unknown): readonly string[] {
  const result = compileScenario(input, { source: 'test' })
  return result.ok ? result.warnings : fail(JSON.stringify(result.errors))
}

/** Faults of a scenario; empty if it is sound. */
export function faultsOf(input: unknown, context: Partial<CompileContext> = {}): readonly ScenarioFault[] {
  const result = compileScenario(input, { source: 'test', ...context })
  return result.ok ? [] : result.errors
}

/** A scenario with values set by path. */
export function withValues(input: unknown, values: Readonly<Record<string, unknown>>): unknown {
  let document = input
  for (const [path, value] of Object.entries(values)) {
    const result = applyOverride(document, { path, value, given: String(value) })
    document = result.ok ? result.document : fail(JSON.stringify(result.fault))
  }
  return document
}
