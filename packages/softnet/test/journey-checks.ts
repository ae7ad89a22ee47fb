import { renderJourneys } from '@softnet/observe'
import type { JourneyDocument } from '@softnet/scenario'
import * as assert from 'uvu/assert'

/** The text, as a template in a test file can hold it. */
export function told(document: JourneyDocument): string {
  return `\n${renderJourneys(document).replace(/ +$/gm, '')}`
}

/** Times go on, and what was waited is within the whole way. */
export function isSound({ journeys }: JourneyDocument): void {
  for (const { arrival_ns, end, waits, steps } of journeys) {
    let before = arrival_ns
    for (const { from_ns, for_ns } of waits) {
      assert.ok(from_ns >= before - 0.001 && for_ns >= 0)
      before = from_ns + for_ns
    }
    assert.ok(before <= end.at_ns + 0.001)
    const entered = steps.filter(({ kind }) => kind === 'enter').length
    assert.is(steps.filter(({ kind }) => kind === 'leave').length, entered)
    for (const { at_ns, took_ns } of steps) {
      if (at_ns !== null) assert.ok(at_ns >= arrival_ns - 0.001 && at_ns + (took_ns ?? 0) <= end.at_ns + 0.001)
    }
  }
}
