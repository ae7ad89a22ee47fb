import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compileScenario, type Plan } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pcapOf } from './support/hostile-packets.js'
import { runModel } from './support/run-model.js'

const recorded = suite('packets end as they did under Linux')

interface Recording {
  readonly cases: readonly {
    readonly name: string
    readonly acceptSourceRoute: number
    /** IPv4 packet, hexadecimal. */
    readonly packet: string
    readonly counters: Readonly<Record<string, number>>
    /** `REASON@function`, or null. */
    readonly drop: string | null
    /** The same of the answer, if it comes back to the host. */
    readonly answerDrop?: string
    readonly delivered: boolean
  }[]
}

const FILE = fileURLToPath(new URL('../../tests/data/packets/icmp-and-source-routes.json', import.meta.url))
const { cases } = JSON.parse(readFileSync(FILE, 'utf8')) as Recording
const ETHERNET = '020000000001' + '020000000002' + '0800'
/** Counters that the recording leaves out, or that only move by sending. */
const LEFT_OUT = ['Ip.InReceives', 'IpExt.InOctets', 'IpExt.InNoECTPkts', 'IpExt.InMcastOctets', 'IpExt.InBcastOctets']

/** A card that verifies no checksum, as a TUN device does not. */
function planOf(packet: string, acceptSourceRoute: number): Plan {
  const compiled = compileScenario(
    {
      duration: '1ms',
      hosts: {
        h: {
          cpus: 1,
          sysctl: { 'net.ipv4.conf.all.accept_source_route': acceptSourceRoute as 0 | 1 },
          devices: { eth0: { driver: 'tulip', address: ['10.9.0.1/24', '10.8.0.1/32'], mac: '02:00:00:00:00:01' } },
          apps: { app: { cpus: [0], sockets: { bind: '0.0.0.0:5000' } } },
        },
      },
      traffic: { t: { kind: 'replay', capture: 'packet.pcap' } },
    },
    { source: 'recorded', readCapture: () => pcapOf(1, [Buffer.from(ETHERNET + packet, 'hex')], 1000) },
  )
  if (compiled.ok) return compiled.plan
  throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
}

for (const { name, acceptSourceRoute, packet, counters, drop, answerDrop, delivered } of cases) {
  recorded(`${name}, accept_source_route ${acceptSourceRoute}`, () => {
    const { report } = runModel(planOf(packet, acceptSourceRoute))
    const { snmp, netstat } = Object.values(report.hosts.h?.netns ?? {})[0] as {
      snmp: Record<string, Record<string, number>>
      netstat: Record<string, Record<string, number>>
    }
    const moved: Record<string, number> = {}
    for (const [table, list] of Object.entries({ ...snmp, ...netstat })) {
      for (const [counter, value] of Object.entries(list)) {
        const full = `${table}.${counter}`
        const isInput = counter.startsWith('In') || full === 'Udp.NoPorts'
        if (isInput && value !== 0 && !LEFT_OUT.includes(full)) moved[full] = value
      }
    }
    assert.equal(moved, counters)
    assert.equal(
      report.drops.map(({ reason, where }) => `${reason}@${where}`),
      [drop, answerDrop ?? null].filter((each) => each !== null),
    )
    assert.is(report.packets.delivered, delivered ? 1 : 0)
  })
}

recorded.run()
