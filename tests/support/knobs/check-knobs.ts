import { compileScenario, type Plan, scenarioJsonSchema } from '@softnet/scenario'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { madeCapture } from '../made-capture.js'
import { runModel } from '../run-model.js'
import { schemaLeaves } from '../schema-leaves.js'
import type { Sets } from './knob-base.js'
import { ALL_ROWS, BOUNDS, PLUGINS, WORDS } from './knob-rows.js'
import { settingOfHost } from './netns-rows.js'

const BASE = {
  duration: '1ms',
  hosts: {
    h: {
      cpus: 2,
      devices: {
        eth0: {
          driver: 'ixgbe',
          address: '192.0.2.1/24',
          channels: { combined: 2 },
          'rx-flow-hash': { udp4: 'sdfn' },
        },
      },
      apps: { app: { cpus: [0, 1] } },
    },
  },
  traffic: { t: { rate: '600kpps', to: 'h/eth0', flows: { count: 8 } } },
}

const PLACES: Readonly<Record<string, string>> = {
  h: 'hosts/h',
  d: 'hosts/h/devices/eth0',
  a: 'hosts/h/apps/app',
  t: 'traffic/t',
}

/** Rules of a file: nothing is dropped before a few packets have come. */
const madeRuleset = (): string =>
  'table ip t { chain i { type filter hook input priority 0; limit rate over 1/day burst 3 packets drop; } }'

type Document = Record<string, unknown>

function set(document: Document, path: string, value: unknown): void {
  const [first = '', ...rest] = path.split('/')
  const steps = [...(PLACES[first] ?? first).split('/'), ...rest]
  const last = steps.pop() as string
  let at = document
  for (const step of steps) {
    at[step] ??= {}
    at = at[step] as Document
  }
  at[last] = value
}

function compile(...changes: (Sets | undefined)[]) {
  const document = structuredClone(BASE) as Document
  for (const change of changes) {
    for (const [path, value] of Object.entries(change ?? {})) set(document, path, structuredClone(value))
  }
  const plain = JSON.parse(JSON.stringify(document)) as Document
  return compileScenario(plain, { source: 'knobs', readCapture: madeCapture, readText: madeRuleset })
}

function planOf(...changes: (Sets | undefined)[]): Plan {
  const compiled = compile(...changes)
  if (compiled.ok) return compiled.plan
  throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
}

/** Keys of a result that repeat what was set. */
const ECHOES = new Set([
  'scenario',
  'kernel',
  'profile',
  'seed',
  'digest',
  'simulated_ns',
  'link_bits_per_sec',
  'mtu',
  'driver',
  'ring_size',
  'rcvbuf',
  'local',
  'peer',
])

const resultOf = (plan: Plan): string =>
  JSON.stringify(runModel(plan).report, (key, value) => (ECHOES.has(key) ? undefined : value))

/** Results of what rows begin with, by its text: many rows begin alike. */
const begun = new Map<string, string>()

function resultBefore(base: Sets | undefined): string {
  const plan = planOf(base)
  const key = JSON.stringify(base ?? {})
  const result = begun.get(key) ?? resultOf(plan)
  begun.set(key, result)
  return result
}

/** Adds to a suite that there is a row for every setting, and that one of so many rows changes some output. */
export function checkKnobs(knobs: Test, oneOf: number): void {
  knobs('the table has a row for every setting, and none for others', () => {
    const known = [...Object.keys(ALL_ROWS), ...WORDS, ...PLUGINS, ...Object.keys(BOUNDS)].sort()
    const leaves = schemaLeaves(scenarioJsonSchema())
    const own = leaves.filter((leaf) => settingOfHost(leaf) === null)
    assert.equal(known, own)
    for (const leaf of leaves) assert.ok(own.includes(settingOfHost(leaf) ?? leaf), leaf)
  })

  for (const [setting, { base, change }] of Object.entries(ALL_ROWS).filter((_, index) => index % oneOf === 0)) {
    knobs(setting, () => {
      const after = planOf(base, change)
      assert.not.equal(resultBefore(base), resultOf(after))
    })
  }

  for (const [bound, change] of Object.entries(BOUNDS)) {
    if (change === null) continue
    knobs(`${bound} refuses what is beyond it`, () => {
      const compiled = compile(change)
      assert.is(compiled.ok, false)
      if (compiled.ok) return
      // A limit is named by what it refuses; a setting is refused itself.
      const said = compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; ')
      const setting = bound.slice(bound.lastIndexOf('/') + 1)
      assert.match(said, bound.startsWith('limits/') ? `limits.${setting}` : setting)
    })
  }
}
