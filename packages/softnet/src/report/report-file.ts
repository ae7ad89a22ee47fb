/** The file of `--report`: its place is tried before the run, and it appears whole or not at all. */
import { open, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { ReportSubject } from '@softnet/observe/report'
import { type InputFault, RunError, ScenarioError } from '../input-fault.js'
import { writeReason } from '../read-file.js'
import { stage, unstage } from '../staging.js'

/** A report that is going to be written. */
export interface ReportFile {
  /** Final name, absolute. */
  readonly file: string
  /** Renders the report and moves it to its name; throws a {@link RunError} where the disk takes it no more. */
  write(subject: ReportSubject): Promise<void>
}

/** Takes a place for a report; throws a {@link ScenarioError} under `option` where there can be none. */
export async function openReportFile(given: string, option: string): Promise<ReportFile> {
  const fault = (reason: string) =>
    new ScenarioError([{ path: option, given, accepted: `a file that can be written (${reason})`, nearest: null }])
  if (given === '') throw fault('its name is empty')
  const file = await realpath(resolve(given)).catch(() => resolve(given))
  const status = await stat(file).catch(() => null)
  if (status?.isDirectory()) throw fault('it is a directory')
  // Moving a file over a device or a pipe would replace it.
  if (status !== null && !status.isFile()) throw fault('it is not a regular file')
  const part = join(dirname(file), `.${basename(file)}.softnet-${process.pid}`)
  try {
    await (await open(part, 'wx')).close()
  } catch (thrown) {
    throw fault(writeReason(thrown))
  }
  stage(part)
  return {
    file,
    async write(subject) {
      const [{ renderReport }, { reportAssets }] = await Promise.all([
        import('@softnet/observe/report'),
        import('./assets.js'),
      ])
      const text = renderReport(subject, await reportAssets())
      try {
        await writeFile(part, text)
        await rename(part, file)
      } catch (thrown) {
        throw new RunError(`the report could not be written to ${file} (${writeReason(thrown)})`, thrown)
      }
      unstage(part)
    },
  }
}

/** Takes the place of `--report` where one is asked for; a fault goes to the others, which end the command. */
export async function openReportIn(given: string | undefined, faults: InputFault[]): Promise<ReportFile | null> {
  if (given === undefined) return null
  try {
    return await openReportFile(given, '--report')
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    faults.push(...thrown.errors)
    return null
  }
}
