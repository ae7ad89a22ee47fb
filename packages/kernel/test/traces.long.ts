import { BUILTIN_SCENARIOS } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkPerfetto } from './support/check-perfetto.js'
import { readFtrace } from './support/read-ftrace.js'
import { digestAlone, recordTrace } from './support/record-trace.js'

/** Too wide for a runner that asks every partition. */
const WIDE = /64|256|100k/

test('traces of the built-in scenarios keep to their formats and change no result', () => {
  let seen = 0
  for (const { name, scenario: input } of BUILTIN_SCENARIOS) {
    if (WIDE.test(name)) continue
    const scenario = { ...input, duration: '1200us', warmup: '0us' }
    const perfetto = recordTrace(scenario, { sample: 7 })
    const { events, faults } = checkPerfetto(perfetto.text)
    assert.equal(faults, [], name)
    const ftrace = recordTrace(scenario, { kind: 'ftrace', sample: 3 })
    const lines = readFtrace((ftrace.head ?? '') + ftrace.text.slice(ftrace.head?.length))
    lines.forEach(({ seconds }, index) => {
      if (index > 0) assert.ok(seconds >= (lines[index - 1]?.seconds ?? 0), name)
    })
    const alone = digestAlone(scenario)
    assert.equal([perfetto.digest, ftrace.digest], [alone, alone], name)
    assert.ok(events.length > 50 && lines.length > 10, name)
    seen++
  }
  assert.ok(seen > 15)
})

test.run()
