/** Recorded on Linux 6.18: what connection tracking made of each segment of faulty TCP, and which sources NAT chose. */
import { readFileSync } from 'node:fs'
import { compileScenario, type Plan } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Cpu } from '../src/cpu/components.js'
import { createBench } from '../src/harness/bench.js'
import { CONN, NfConn } from '../src/netfilter/conntrack-components.js'
import { TCP_CT_NAMES } from '../src/netfilter/tcp-states.js'
import { reportHost } from '../src/observe/report-host.js'
import { modelRunner } from './support/run-model.js'

const test = suite('connections recorded on Linux')

interface Case {
  readonly nft?: string
  readonly sysctl: Readonly<Record<string, number>>
  readonly packets: readonly string[]
  /** Connections after each packet: seconds left, state. */
  readonly steps?: readonly (readonly (readonly [seconds: number, state: string])[])[]
  readonly counters: readonly (readonly [packets: number, bytes: number])[]
  readonly entries: readonly string[]
  readonly invalid: number
}

const STEP_PS = 2e9

interface Recording {
  /** Rules of cases that have none of their own. */
  readonly nft?: string
  readonly cases: readonly Case[]
}

/** Cases of a recording with their names. */
function read(name: string): (readonly [string, Case])[] {
  const file = new URL(`../../../../tests/data/nft/${name}`, import.meta.url)
  const { nft, cases } = JSON.parse(readFileSync(process.env.SOFTNET_RECORDED ?? file, 'utf8')) as Recording
  return cases.map((each, index) => [`${name} ${index}`, { ...(nft === undefined ? {} : { nft }), ...each }])
}

const CASES = [...read('windows.json'), ...read('sources.json')]

/** A router between two TUN devices that are read and written by hand. */
function planOf(nftables: string, sysctl: Case['sysctl']): Plan {
  const device = (address: string) => ({ driver: 'veth' as const, address })
  const compiled = compileScenario(
    {
      hosts: {
        h: {
          cpus: 1,
          cstates: 'none',
          hz: 1000,
          nftables,
          sysctl: {
            'net.ipv4.ip_forward': 1,
            'net.netfilter.nf_conntrack_max': 256,
            'net.netfilter.nf_conntrack_buckets': 256,
            ...sysctl,
          },
          devices: {
            tun0: device('10.9.0.1/24'),
            tun1: device('10.8.0.1/24'),
            uplink: { driver: 'igb', channels: { combined: 1 } },
          },
        },
      },
      traffic: { none: { to: 'h/uplink', rate: '1pps', start: '3600s' } },
    },
    { source: 'windows' },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  const hosts = compiled.plan.hosts.map((host) => ({
    ...host,
    devices: host.devices.map((each) =>
      each.name === 'uplink' ? each : { ...each, driver: { ...each.driver, program: 'tun' as const } },
    ),
  }))
  return { ...compiled.plan, hosts, traffic: [] }
}

function withoutTime(line: string): string {
  return line.replace(/^(\S+ +\d+ +\S+ +\d+) \d+ /, '$1 ').replace(/ use=\d+$/, '')
}

CASES.forEach(([name, { nft = '', sysctl, packets, steps, counters, entries, invalid }]) => {
  test(name, () => {
    const bench = createBench(planOf(nft, sysctl), { transmit: () => {} })
    const { model } = bench
    const run = modelRunner(model)
    const conn = model.world.columns(NfConn)
    const { clockPs } = model.world.columns(Cpu)
    const cpu = model.layout.cpus[0] as number
    const host = model.layout.hosts[0] as (typeof model.layout.hosts)[number]
    const hz = host.plan.hz
    packets.forEach((hex, i) => {
      bench.step(() => bench.programWrite('tun0', Uint8Array.from(Buffer.from(hex, 'hex'))), STEP_PS / 2)
      run((i + 2) * STEP_PS)
      if (steps === undefined) return
      const now = Math.floor((clockPs[cpu] as number) / (1e12 / hz))
      const found = []
      for (let row = 1; row < conn.live.length; row++) {
        const left = (conn.timeoutJiffies[row] as number) - now
        if (conn.live[row] !== CONN.confirmed || left <= 0) continue
        found.push([Math.ceil(left / hz), TCP_CT_NAMES[conn.tcpState[row] as number]])
      }
      // Seconds are those of the end of the step: up to one less.
      const expected = (steps[i] ?? []).map(([seconds, state]) => [seconds, state])
      const close = found.map(([seconds, state], at) => {
        const wanted = expected[at]?.[0] as number
        return [Math.abs((seconds as number) - wanted) <= 1 ? wanted : seconds, state]
      })
      assert.equal(close, expected, `after packet ${i}: ${hex}`)
    })
    const result = reportHost(model, host, 0).netns.init?.netfilter
    const rules = result?.tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules)) ?? []
    const counted = rules.flatMap(({ text }) => [...text.matchAll(/packets (\d+) bytes (\d+)/g)])
    assert.equal(
      counted.map(([, count, bytes]) => [Number(count), Number(bytes)]),
      counters,
    )
    const total = result?.conntrack?.stat.reduce((sum, row) => sum + row.invalid, 0)
    assert.is(total, invalid)
    if (entries.length > 0) assert.equal(result?.conntrack?.entries.map(withoutTime).sort(), entries)
  })
})

test.run()
