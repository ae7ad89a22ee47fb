import { access, writeFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { scenarioJsonSchema } from '@softnet/scenario'
import { ScenarioError } from '../input-fault.js'
import { writeReason } from '../read-file.js'
import { SCHEMA_FILE, scenarioTemplate, shellWord } from '../scenario-template.js'
import type { Terminal } from '../terminal.js'

const DEFAULT_NAME = 'scenario'

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' })
  } catch (thrown) {
    const exists = thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST'
    const reason = exists ? 'it exists' : writeReason(thrown)
    const accepted = `a file that does not exist yet and can be written (${reason})`
    throw new ScenarioError([{ path: 'NAME', given: file, accepted, nearest: null }])
  }
}

/** `softnet init`: writes a commented scenario to start from, and beside it the schema that editors complete it by. */
export async function initCommand(given: string | undefined, terminal: Terminal): Promise<number> {
  const name = given ?? DEFAULT_NAME
  if (/^(\.ya?ml)?$/.test(basename(name)) || name.startsWith('-') || /[/\\]$/.test(name)) {
    const accepted = 'a name or path of a file to write, which does not begin with -'
    throw new ScenarioError([{ path: 'NAME', given: name, accepted, nearest: DEFAULT_NAME }])
  }
  const file = ['.yaml', '.yml'].includes(extname(name)) ? name : `${name}.yaml`
  await writeNew(file, scenarioTemplate(basename(file, extname(file))))
  const schemaFile = join(dirname(file), SCHEMA_FILE)
  const present = await access(schemaFile).then(
    () => true,
    () => false,
  )
  if (!present) await writeNew(schemaFile, `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`)
  terminal.print(`wrote ${file}; run it with: softnet run ${shellWord(file)}`, {
    schema: 'softnet.init/1',
    file,
    schema_file: schemaFile,
  })
  return 0
}
