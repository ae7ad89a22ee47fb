/** The first remedy of every built-in scenario that loses packets. */
import { BUILTIN_SCENARIOS } from '@softnet/scenario'
import { test } from 'uvu'
import { checkRemedy } from './support/check-remedy.js'

/** Scenarios whose size makes two runs too long for this test. */
const LARGE: readonly string[] = ['rss-scale-64', 'wide-256', 'rps-64-cpus', 'flows-100k']

for (const { name, scenario } of BUILTIN_SCENARIOS) {
  if (!LARGE.includes(name)) test(name, () => checkRemedy(name, scenario))
}

test.run()
