/** What `softnet new plugin` writes: a plugin that works, its scenario, its test, and its model page. */

/** Files of a new plugin by name. */
export type PluginFiles = Readonly<Record<string, string>>

function pluginSource(name: string, prefix: string): string {
  return `/** Counts and measures the packets of a host, and drops those to one port. Replace what it does, and say here what that is. */
import {
  defineComponent,
  defineCounters,
  defineHistogram,
  definePlugin,
  defineSystem,
  IngressVerdict,
  option,
  Skb,
  u32,
} from 'softnet/plugin'

/** State that the run depends on: columns with a row for each CPU, written only where that CPU runs. */
const Limit = defineComponent('${prefix}_limit', {
  /** Packets that may still be dropped. */ left: u32,
})

/** What it counts: shown in results by itself. */
const Counts = defineCounters('${prefix}', {
  seen: 'Packets that came by',
  dropped: 'Packets to the port that is closed',
})

/** What it measures: results show its percentiles. */
const Lengths = defineHistogram('${prefix}_length', 'bytes')

export default definePlugin('${name}', {
  about: 'Counts and measures packets, and drops those to one port.',

  // What a scenario may set. A value it leaves out is the last argument; without one it has to be given.
  options: {
    port: option.integer('Destination port whose packets are dropped; 0: none.', { min: 0, max: 65535 }, 0),
    most: option.integer('Packets that each CPU drops at most.', { min: 0, max: 4e9 }, 1000),
    cycles: option.integer('Cycles that a look at a packet costs.', { min: 0, max: 1e6 }, 30),
  },

  // Every component it defines.
  components: [Limit, Counts, Lengths],

  // Columns are zero at the start; this writes what is not.
  setup({ write, places }, { most }) {
    const { left } = write(Limit)
    for (const { id } of places.cpu) left[id] = most
  },

  systems: ({ port, cycles }) => [
    // A name, the hook at which it runs (docs/plugins.md lists them), and its bind: called once in each worker.
    defineSystem('look', 'tc_ingress', ({ read, write, histogram, charge }) => {
      const { ports, wireBytes } = read(Skb) // writing to these does not compile
      const { shot } = write(IngressVerdict) // what becomes of each packet
      const { left } = write(Limit)
      const { seen, dropped } = write(Counts)
      const record = histogram(Lengths)
      const pay = charge()

      // What runs: a plain loop over packets. It allocates nothing and keeps nothing outside of columns.
      return (ids, count, cpu) => {
        for (let i = 0; i < count; i++) {
          const row = ids[i]
          pay(cpu, cycles)
          seen[cpu]++
          record(cpu, wireBytes[row])
          if (port === 0 || (ports[row] & 0xffff) !== port || left[cpu] === 0) continue
          left[cpu]--
          shot[row] = 1
          dropped[cpu]++
        }
      }
    }),
  ],
})
`
}

function scenario(name: string, module: string): string {
  return `# softnet run ${name}/scenario.yaml
# softnet run ${name}/scenario.yaml --set plugins.${name}.options.port=0
name: ${name}
description: Two ports, one of them closed by the plugin

duration: 10ms

plugins:
  ${name}:
    module: ./${module}
    options: { port: 9001 }

hosts:
  server:
    cpus: 2
    devices:
      eth0: { driver: ixgbe, address: 192.0.2.1/24, channels: { combined: 2 }, rx-flow-hash: { udp4: sdfn } }
    apps:
      sink: { cpus: [0, 1], sockets: { bind: "0.0.0.0:9000", count: 2, port-step: 1 } }

traffic:
  open: { to: server/eth0, rate: 100kpps, flows: { count: 8, dport: 9000 } }
  closed: { to: server/eth0, rate: 50kpps, flows: { count: 8, dport: 9001 } }
`
}

function test(name: string, prefix: string): string {
  return `// node --test ${name}/
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { simulate } from 'softnet'

const scenario = fileURLToPath(new URL('scenario.yaml', import.meta.url))
const option = (key, value) => ({ ['plugins.${name}.options.' + key]: value })
const run = (set = {}, workers = 1) => simulate(scenario, { duration: '2ms', set, workers })
const total = (result, counter) => result.plugins['${name}'].counters.${prefix}[counter].total

test('it drops what goes to the port, and says so', async () => {
  const result = await run()
  assert.ok(total(result, 'dropped') > 50)
  const lost = result.drops.find(({ where }) => where === 'sch_handle_ingress')
  assert.equal(lost?.count, total(result, 'dropped'))
})

test('it sees every packet that the host takes in', async () => {
  const result = await run(option('port', 0))
  assert.equal(total(result, 'dropped'), 0)
  assert.ok(total(result, 'seen') >= result.packets.delivered)
  assert.equal(result.plugins['${name}'].histograms.${prefix}_length.count, total(result, 'seen'))
})

test('its limit holds', async () => {
  const result = await run(option('most', 3))
  assert.ok(total(result, 'dropped') <= 6)
})

test('the number of workers changes nothing', async () => {
  const one = await run()
  const two = await run({}, 2)
  assert.equal(two.digest, one.digest)
  assert.deepEqual(two.plugins, one.plugins)
})
`
}

function modelPage(name: string): string {
  return `# ${name}

## What Linux does
The place in the kernel that the plugin stands for, with file and function: here a classifier at tc ingress
(net/core/dev.c, sch_handle_ingress), which looks at each skb behind GRO and may drop it.

## What is modelled
- Each packet is counted, its length on the wire measured, and dropped if it goes to \`port\`.
- At most \`most\` packets are dropped on each CPU.

## What is not modelled
- Classifiers that change packets or send them elsewhere.

## Parameters
| Option | Unit | Default |
|---|---|---|
| \`port\` | UDP or TCP port, 0 none | 0 |
| \`most\` | packets per CPU | 1000 |
| \`cycles\` | cycles per packet, charged to \`netif_receive_skb\` | 30 |

## Validation
Its test compares what it counts with what the model counts, and one worker with two.
`
}

/** Files of a plugin of this name; modules end in `.mts` or `.mjs`, whatever this Node.js runs. */
export function pluginFiles(name: string, extension: '.mts' | '.mjs'): PluginFiles {
  const prefix = name.replaceAll('-', '_')
  return {
    [`plugin${extension}`]: pluginSource(name, prefix),
    'scenario.yaml': scenario(name, `plugin${extension}`),
    'plugin.test.mjs': test(name, prefix),
    'model.md': modelPage(name),
  }
}
