/** Schema of what happens during a run. */
import { z } from 'zod'
import { EVENT_WORDS, parseEvent } from '../event.js'
import { nameKey, time, words } from './fields.js'

/** One event as a user writes it. */
export const eventSchema = z
  .strictObject({
    at: time('When it happens, from the start of the run.', { max: 9e15, words: 'at most 2.5 hours (9000s)' }),
    host: nameKey('host').optional().describe('Host it happens to; may be left out where there is one.'),
    do: words(parseEvent, `What happens, as one would type it. Accepts ${EVENT_WORDS}.`, EVENT_WORDS),
  })
  .describe('Something that happens during the run.')

/** A parsed event. */
export type EventInput = z.output<typeof eventSchema>
