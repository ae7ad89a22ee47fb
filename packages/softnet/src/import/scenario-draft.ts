import { formatPath } from '@softnet/scenario'

/** Name of the imported host in its scenario. */
export const HOST = 'server'

/** A place in a scenario: keys from its root. */
export type DraftPath = readonly string[]

/** What is known of one setting, or of something that has no setting. */
export interface Remark {
  readonly kind: 'found' | 'guessed' | 'default' | 'ignored'
  /** Path in the scenario; null for what was ignored. */
  readonly path: string | null
  /** File and line below the host's directory, null where nothing was found. */
  readonly source: string | null
  readonly text: string
}

type Plain = Record<string, unknown>

/** A scenario that is being written, with where each value comes from. */
export class ScenarioDraft {
  readonly root: Plain = {}
  readonly remarks: Remark[] = []
  readonly #directory: string

  /** `directory` is left out of the names of files in remarks. */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** A value that a file of the host gives; `at` is the file and line. */
  found(path: DraftPath, value: unknown, at: string, text = ''): void {
    this.#set(path, value)
    this.remarks.push({ kind: 'found', path: formatPath(path), source: this.#inside(at), text })
  }

  /** A value that nothing gives; `text` says why it is this one. */
  guess(path: DraftPath, value: unknown, text: string): void {
    this.#set(path, value)
    this.remarks.push({ kind: 'guessed', path: formatPath(path), source: null, text })
  }

  /** A default of softnet that stays, because nothing was found. */
  leave(path: DraftPath, text: string): void {
    this.remarks.push({ kind: 'default', path: formatPath(path), source: null, text })
  }

  /** Something of the host that the scenario has no place for. */
  ignore(text: string, at: string | null = null): void {
    this.remarks.push({ kind: 'ignored', path: null, source: at === null ? null : this.#inside(at), text })
  }

  /** Where the value at a path was found, or the nearest one above it. */
  remarkAt(path: string): Remark | undefined {
    const above = this.remarks.filter((remark) => {
      const { path: known, source } = remark
      if (known === null || source === null || !path.startsWith(known)) return false
      return path.length === known.length || /[.[]/.test(path[known.length] as string)
    })
    return above.sort((a, b) => (b.path as string).length - (a.path as string).length)[0]
  }

  #inside(at: string): string {
    const directory = this.#directory.replace(/\/*$/, '/')
    return at.startsWith(directory) ? at.slice(directory.length) : at
  }

  #set(path: DraftPath, value: unknown): void {
    let place = this.root
    for (const key of path.slice(0, -1)) {
      place[key] ??= {}
      place = place[key] as Plain
    }
    place[path.at(-1) as string] = value
  }
}
