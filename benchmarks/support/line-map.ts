import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** Lines kept for each file; compiled files are shorter. */
const LINES_PER_FILE = 2048

const packagesUrl = new URL('../../../packages/', import.meta.url)

/**
 * Compiled files of the project, each with its own range of line numbers.
 *
 * V8 joins functions of many files into one and then tells of a sample only the outer function and the inner line. Once
 * no two files share a line number, the line alone tells the file.
 */
function listFiles(): string[] {
  const below = (folder: URL): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory()
        ? below(new URL(`${entry.name}/`, folder))
        : entry.name.endsWith('.js')
          ? [new URL(entry.name, folder).href]
          : [],
    )
  return readdirSync(packagesUrl)
    .flatMap((name) => below(new URL(`${name}/dist/src/`, packagesUrl)))
    .sort()
}

const files = listFiles()

/** Empty lines to put before the text of a compiled file; 0 for files of others. */
export function linesBefore(url: string): number {
  return (files.indexOf(url) + 1) * LINES_PER_FILE
}

/** Part of the project that a line belongs to. */
export interface LineOwner {
  /** Stage of the system, else package or folder. */
  readonly stage: string
  /** Name of the system, else of the file. */
  readonly name: string
}

interface Definition extends LineOwner {
  /** First line, from 0. */
  readonly line: number
}

function definitionsIn(url: string): Definition[] {
  const text = readFileSync(new URL(url), 'utf8')
  return [...text.matchAll(/defineSystem\(\s*'([^']+)',\s*'([^']+)'/g)].map(({ index, 1: name, 2: stage }) => ({
    line: text.slice(0, index).split('\n').length - 1,
    stage: stage as string,
    name: name as string,
  }))
}

const definitionsOf = new Map<string, readonly Definition[]>()

/** Owner of a numbered line, counted from 0: the system it is bound in, else its file; null outside of the project. */
export function ownerOfLine(numbered: number): LineOwner | null {
  const url = files[Math.floor(numbered / LINES_PER_FILE) - 1]
  if (url === undefined) return null
  let definitions = definitionsOf.get(url)
  if (definitions === undefined) {
    definitions = definitionsIn(url)
    definitionsOf.set(url, definitions)
  }
  const system = definitions.findLast(({ line }) => line <= numbered % LINES_PER_FILE)
  if (system !== undefined) return { stage: system.stage, name: system.name }
  const [owner, , , folder, file] = url.slice(packagesUrl.href.length).split('/') as [
    string,
    string,
    string,
    string,
    string?,
  ]
  return file === undefined ? { stage: owner, name: basename(url) } : { stage: folder, name: file }
}
