import fc from 'fast-check'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import { BUILTIN_SCENARIOS } from '../src/builtin/index.js'
import { compileScenario } from '../src/compile/compile.js'
import { full } from './scenarios.js'

/** Scenarios small enough to compile by the thousand. */
const SOUND: readonly unknown[] = [
  full(),
  ...BUILTIN_SCENARIOS.filter(({ name }) => !/100k|256|64/.test(name)).map(({ scenario }) => scenario),
]

type Path = readonly (string | number)[]

type Change = (owner: Record<string | number, unknown>, key: string | number) => void

/** Every place of a document below its root. */
export function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return path.length === 0 ? [] : [path]
  const own = path.length === 0 ? [] : [path]
  const keys: (string | number)[] = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value)
  return [...own, ...keys.flatMap((key) => places((value as Record<string | number, unknown>)[key], [...path, key]))]
}

/** A copy of a document, changed at one place. */
export function mutated(document: unknown, path: Path, change: Change): unknown {
  const copy = structuredClone(document)
  let owner = copy as Record<string | number, unknown>
  for (const part of path.slice(0, -1)) owner = owner[part] as Record<string | number, unknown>
  change(owner, path.at(-1) as string | number)
  return copy
}

const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    -1,
    -0,
    0.5,
    1e308,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    2 ** 53,
    '',
    ' ',
    '0',
    'f'.repeat(5000),
    '50 parsec',
    '__proto__',
    '0-4294967296',
    'ffffffff,ffffffff,ffffffff',
    '\u0000',
    [],
    {},
    [[[]]],
    [null],
    { count: -1 },
    { kind: 'nothing' },
    true,
    false,
  ),
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.jsonValue(),
)

const changes = fc.oneof(
  strange.map((value) => (owner: Record<string | number, unknown>, key: string | number) => {
    owner[key] = value
  }),
  fc.constant((owner: Record<string | number, unknown>, key: string | number) => {
    delete owner[key]
  }),
  fc.string().map((name) => (owner: Record<string | number, unknown>, key: string | number) => {
    if (Array.isArray(owner)) owner.push(name)
    else Object.defineProperty(owner, name, { value: owner[key], enumerable: true, configurable: true, writable: true })
  }),
)

function check(input: unknown): void {
  const result = compileScenario(input, { source: 'test', readCapture: () => ({ error: 'none' }) })
  if (result.ok) {
    assert.ok(result.plan.durationPs > 0)
    return
  }
  assert.ok(result.errors.length > 0)
  for (const fault of result.errors) {
    assert.ok(fault.path.length > 0)
    assert.ok(fault.accepted.length > 0)
    // Names of settings may have such a word in them.
    assert.not.match(fault.accepted, /\b(invalid|expected)\b/i)
    assert.ok(fault.given === null || ['string', 'number', 'boolean'].includes(typeof fault.given))
    assert.ok(fault.nearest === null || typeof fault.nearest === 'string')
    assert.is(JSON.stringify(fault).includes('undefined'), false, JSON.stringify(fault))
  }
}

/** A sound scenario with one to three places changed. */
const mutation = fc.record({
  base: fc.nat(SOUND.length - 1),
  steps: fc.array(fc.tuple(fc.nat(), changes), { minLength: 1, maxLength: 3 }),
})

function checkMutation(base: number, steps: readonly (readonly [number, Change])[]): void {
  let document = SOUND[base]
  for (const [position, change] of steps) {
    const all = places(document)
    if (all.length > 0) document = mutated(document, all[position % all.length] as Path, change)
  }
  check(document)
}

/** What paths of overrides are made of. */
const parts = [
  'hosts',
  'server',
  'devices',
  'eth0',
  'sysctl',
  'net.core.netdev_budget',
  'sink',
  'sockets',
  '[0]',
  '1',
  'load',
  'rate',
  '.',
  '',
  '*',
  '__proto__',
  'cpus',
  'count',
]

const path = fc.oneof(
  fc.string(),
  fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map((list) => list.join('.')),
)

/** Adds to a suite that scenarios with mutations compile or list faults, each as often as `runs` says. */
export function checkMutations(test: Test, runs: number): void {
  test('a sound scenario with one to three places changed compiles or lists faults, and never throws', () => {
    fc.assert(
      fc.property(mutation, ({ base, steps }) => checkMutation(base, steps)),
      { numRuns: 2 * runs },
    )
  })

  test('anything at all compiles or lists faults', () => {
    fc.assert(fc.property(fc.anything({ maxDepth: 4 }), check), { numRuns: runs })
  })

  test('any path and value as an override compiles or lists faults', () => {
    fc.assert(
      fc.property(path, strange, (where, value) => {
        const result = compileScenario(full(), {
          source: 'test',
          overrides: [{ path: where, value, given: JSON.stringify(value) ?? '' }],
        })
        if (!result.ok) for (const fault of result.errors) assert.ok(fault.path.length > 0 || where.trim() === '')
      }),
      { numRuns: runs },
    )
  })
}
