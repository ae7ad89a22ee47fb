/** The machine that recorded cases run on: one CPU, virtual devices, Linux 6.18, HZ 250. */
import { createRunner } from '@softnet/engine'
import { type Bench, type BenchObserver, createBench, modelPartitions } from '@softnet/kernel'
import { compileScenario, type Plan, type ScenarioInput } from '@softnet/scenario'
import { emitUdpFrame, FrameFields, LINKTYPE_RAW, ParsedFrame, parseFrame } from '@softnet/wire'
import { ScenarioError } from '../input-fault.js'

type Host = ScenarioInput['hosts'][string]

/** Devices, settings and sockets of the machine. */
export interface Machine {
  /** Virtual devices by name; `address` of the first receives. */
  readonly devices: Host['devices']
  readonly sysctl?: Host['sysctl']
  /** Port and receive buffer of one UDP socket; none if left out. */
  readonly socket?: {
    readonly port: number
    readonly udpGro?: boolean
    readonly soRcvbuf?: number
    readonly soRcvbufForce?: number
  }
}

/** Addresses of the machine and of whoever sends to it. */
export const MACHINE_ADDRESS = '10.9.0.1/24'
const MACHINE = 0x0a090001
const SENDER = 0x0a090002
const SENDER_PORT = 40_000
const IP_UDP_BYTES = 28

/** Compiles the machine; settings that no machine can have are the recording's fault and named by its path. */
export function machinePlan(machine: Machine, path: string): Plan {
  const { socket } = machine
  return compileMachine(
    {
      ...(machine.sysctl === undefined ? {} : { sysctl: machine.sysctl }),
      devices: machine.devices,
      ...(socket === undefined ? {} : { apps: { program: { sockets: socketOf(socket) } } }),
    },
    path,
  )
}

function socketOf(socket: NonNullable<Machine['socket']>) {
  return {
    bind: `0.0.0.0:${socket.port}`,
    ...(socket.udpGro === true ? { UDP_GRO: true } : {}),
    ...(socket.soRcvbuf === undefined ? {} : { SO_RCVBUF: socket.soRcvbuf }),
    ...(socket.soRcvbufForce === undefined ? {} : { SO_RCVBUFFORCE: socket.soRcvbufForce }),
  }
}

/** Compiles a host of one CPU as the recordings were made on; it has a link that no traffic comes by. */
export function compileMachine(host: Pick<Host, 'devices' | 'apps' | 'sysctl'>, path: string): Plan {
  const result = compileScenario(
    {
      kernel: '6.18',
      profile: 'vm-linux-6.18',
      hosts: {
        machine: {
          cpus: 1,
          hz: 250,
          cstates: 'none',
          ...host,
          devices: { ...host.devices, uplink: { driver: 'igb', channels: { combined: 1 } } },
        },
      },
      // A scenario has traffic on a link; here it never starts, all packets come from the recorded program.
      traffic: { none: { to: 'machine/uplink', rate: '1pps', start: '3600s' } },
    },
    { source: 'oracle' },
  )
  if (!result.ok) {
    throw new ScenarioError(result.errors.map((fault) => ({ ...fault, path: `${path} (${fault.path})` })))
  }
  return { ...result.plan, traffic: [] }
}

/** Builds the machine, lets `program` queue its steps, and runs them to the end of `untilPs`. */
export function runMachine(
  plan: Plan,
  observer: BenchObserver,
  untilPs: number,
  program: (bench: Bench) => void,
): Bench {
  const bench = createBench(plan, observer)
  program(bench)
  createRunner(modelPartitions(bench.model)).runUntil(untilPs)
  return bench
}

/** Parses a raw IP packet. */
export function parsePacket(bytes: Uint8Array): ParsedFrame {
  const parsed = new ParsedFrame()
  parseFrame(parsed, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, LINKTYPE_RAW)
  return parsed
}

/** A UDP datagram to the machine, parsed. */
export function datagram(port: number, payloadBytes: number): ParsedFrame {
  const fields = new FrameFields()
  fields.ethernet = 0
  fields.saddr = SENDER
  fields.daddr = MACHINE
  fields.sport = SENDER_PORT
  fields.dport = port
  fields.payloadBytes = payloadBytes
  const bytes = new Uint8Array(IP_UDP_BYTES + payloadBytes)
  emitUdpFrame(new DataView(bytes.buffer), 0, fields)
  return parsePacket(bytes)
}
