import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inDirectory } from './cli-process.js'

/** Two devices and a workload that is in the middle of something at any time. */
const SCENARIO = `
name: kept
duration: 4ms
warmup: 0ms
hosts:
  a:
    cpus: 2
    devices:
      eth0:
        driver: ixgbe
        address: 192.0.2.1/24
        channels: { combined: 2 }
        rx-flow-hash: { udp4: sdfn }
        irq: { smp_affinity_list: [0, 1] }
      eth1: { address: 198.51.100.1/24 }
    apps:
      sink: { cpus: [0, 1], sockets: { count: 8, bind: "0.0.0.0:9000" } }
traffic:
  t: { to: a/eth0, pattern: poisson, rate: 600kpps, flows: { count: 8, dport: 9000, dport-count: 8 } }
  u: { to: a/eth1, rate: 100kpps, flows: { dst: 198.51.100.1, dport: 9001 } }
`

/** Calls a test with a directory that has the scenario in `s.yaml`. */
export const withScenario = (body: (directory: string) => Promise<void>): (() => Promise<void>) =>
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), SCENARIO)
    await body(directory)
  })

/** Two capture files, one of them of two devices. */
export const CAPTURES = ['--capture', 'eth0,eth1=both.pcapng', '--capture', 'eth0=one.pcapng']

/** What a file holds. */
export const bytesOf = (directory: string, name: string): string =>
  readFileSync(join(directory, name)).toString('base64')

/** The result without what depends on the machine. */
export function resultOf(stdout: string): unknown {
  return { ...JSON.parse(stdout), wall_ms: 0, workers: 0, parallel: null }
}
