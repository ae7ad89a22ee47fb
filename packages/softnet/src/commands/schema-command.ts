import { scenarioJsonSchema } from '@softnet/scenario'
import type { Terminal } from '../terminal.js'

/** `softnet schema`: the JSON Schema of scenarios, in either format. */
export function schemaCommand(terminal: Terminal): number {
  const schema = scenarioJsonSchema()
  terminal.print(JSON.stringify(schema, null, 2), schema)
  return 0
}
