/** Scenarios written as modules: TypeScript where this Node strips types, JavaScript everywhere. */
import { pathToFileURL } from 'node:url'
import { ScenarioError } from './input-fault.js'
import { interruptibly } from './interrupt.js'
import { type FileRule, fileFault } from './read-file.js'

/** Rejects when nothing is left that could settle `loading`: the process would end without a word. */
export async function orNever<Value>(loading: Promise<Value>): Promise<Value> {
  let give = () => {}
  const never = new Promise<never>((_, reject) => {
    give = () => reject(new Error('it waits for something that never comes'))
    process.once('beforeExit', give)
  })
  try {
    return await Promise.race([loading, never])
  } finally {
    process.off('beforeExit', give)
  }
}

/** Why a module could not be loaded, in words. */
export function reasonOf(thrown: unknown): string {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return `TypeScript needs Node >= 22.18, this is ${process.versions.node}; compile it to .mjs or use the newer Node`
  }
  const [line = ''] = error.message.split('\n')
  return `${error.name}: ${line}`
}

/** The default export of a module file; throws a {@link ScenarioError} that says why it cannot be had. */
export async function loadModule(file: string, rule: FileRule): Promise<unknown> {
  const refuse = (reason: string) => new ScenarioError([fileFault(rule, reason)])
  let loaded: Record<string, unknown>
  try {
    loaded = await interruptibly(() => orNever(import(pathToFileURL(file).href)))
  } catch (thrown) {
    throw refuse(reasonOf(thrown))
  }
  if (!('default' in loaded)) throw refuse('it has no default export')
  try {
    return await orNever(Promise.resolve(loaded.default))
  } catch (thrown) {
    throw refuse(reasonOf(thrown))
  }
}
