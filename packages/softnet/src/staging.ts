/** Paths that exist only while a command runs, so that whatever ends it leaves nothing half-written. */
import { rmSync } from 'node:fs'

/** Each with the question whether it may outlive the command after all. */
const staged = new Map<string, () => boolean>()

/** Remembers a file or directory that must not outlive the command, unless `isKept` says so when the command ends. */
export function stage(path: string, isKept: () => boolean = () => false): void {
  staged.set(path, isKept)
}

/** Forgets a path that was moved to its final name. */
export function unstage(path: string): void {
  staged.delete(path)
}

/** Removes staged paths, all of them by default; synchronous so that it also works on the way out of a second Ctrl-C. */
export function removeStaged(paths: readonly string[] = [...staged.keys()]): void {
  for (const path of paths) {
    const isKept = staged.get(path)
    staged.delete(path)
    if (isKept !== undefined && !isKept()) rmSync(path, { recursive: true, force: true })
  }
}
