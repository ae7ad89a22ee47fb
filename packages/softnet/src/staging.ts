/** Paths that exist only while a command runs, so that whatever ends it leaves nothing half-written. */
import { rmSync } from 'node:fs'

const staged = new Set<string>()

/** Remembers a file or directory that must not outlive the command. */
export function stage(path: string): void {
  staged.add(path)
}

/** Forgets a path that was moved to its final name. */
export function unstage(path: string): void {
  staged.delete(path)
}

/** Removes staged paths, all of them by default; synchronous so that it also works on the way out of a second Ctrl-C. */
export function removeStaged(paths: readonly string[] = [...staged]): void {
  for (const path of paths) {
    if (staged.delete(path)) rmSync(path, { recursive: true, force: true })
  }
}
