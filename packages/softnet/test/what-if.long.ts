/** What the verdict proposes, run as a user runs it. */
import type { ExplainDocument } from '@softnet/observe'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { cliInside, inDirectory } from './cli-process.js'

const SHORT = ['--duration', '1ms', '--set', 'warmup=0ms']

test(
  'explain tries what the verdict proposes and ranks it',
  inDirectory(async (directory) => {
    const args = ['explain', 'ring-too-small', ...SHORT, '--try', '--runs', '2']
    const { code, stdout } = await cliInside(directory, ...args, '--format', 'json')
    assert.is(code, 0, stdout)
    const { verdict, findings, tries }: ExplainDocument = JSON.parse(stdout)
    assert.ok(findings.some(({ name, claim }) => name === verdict.bottleneck && claim === verdict.sentences[0]))
    assert.ok(verdict.remedies.length > 0 && tries !== null)
    assert.is(tries.ranked.length, verdict.remedies.length + (verdict.remedies.length > 1 ? 1 : 0))
    const sizes = tries.ranked.map(({ effect }) => effect.change?.mean ?? 0)
    assert.equal(
      sizes,
      [...sizes].sort((a, b) => b - a),
    )
    const [best] = tries.ranked
    assert.is(best?.effect.judgement, 'better')
    assert.ok(best?.price.latency_p99_ns?.change !== null)
    const { runs } = tries.comparison.variants[best?.variant ?? 0] ?? {}
    assert.is(runs?.length, 2)
  }),
)

test.run()
