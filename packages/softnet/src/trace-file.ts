/** The trace file of a run: written beside its final name, and moved at the end. */
import { rename } from 'node:fs/promises'
import { type InputFault, ScenarioError } from './input-fault.js'
import { createStagedFile, finalName } from './staged-file.js'
import { removeStaged, unstage } from './staging.js'
import { readTraceRequest, type TraceRequest, type TraceSettings } from './trace-option.js'

/** A trace and the file its text is written to. */
export interface TracePart extends TraceSettings {
  readonly file: string
}

/** A trace that is being recorded. */
export interface TraceFile {
  readonly part: TracePart
  /** Moves the file to its final name, and returns that. */
  commit(): Promise<string>
  /** Removes what was not moved. */
  discard(): void
}

/** Prepares the trace file of a run that ends at `endPs`; throws a {@link ScenarioError} with every fault, told under `faultPath`. */
export async function openTraceFile(request: TraceRequest, faultPath: string, endPs: number): Promise<TraceFile> {
  const faults: InputFault[] = []
  const settings = readTraceRequest(request, faultPath, endPs, faults)
  if (faults.length > 0) throw new ScenarioError(faults)
  const final = await finalName(request.file)
  const part = { ...settings, file: await createStagedFile(request.file, faultPath, 'trace') }
  return {
    part,
    async commit() {
      await rename(part.file, final)
      unstage(part.file)
      return final
    },
    discard() {
      removeStaged([part.file])
    },
  }
}
