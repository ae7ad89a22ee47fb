/** What a key accepts, in words, kept beside its schema so that a fault can say it. */
import { z } from 'zod'

/** Words for what a schema accepts; looked up when a value is refused. */
export const acceptedRegistry = z.registry<{ accepted: string }>()

/** Records what a schema accepts and gives the schema back. */
export function accepts<T extends z.ZodType>(schema: T, accepted: string): T {
  acceptedRegistry.add(schema, { accepted })
  return schema
}

/** What a schema accepts in words; undefined where nothing was recorded. */
export function acceptedBy(schema: z.core.$ZodType): string | undefined {
  return acceptedRegistry.get(schema as z.ZodType)?.accepted
}
