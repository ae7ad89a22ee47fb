import ts from 'typescript'

/** What one file of the repository is, as far as the checks care; `path` is relative to the repository with `/`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly tree: ts.SourceFile
}

/** Parses one TypeScript or JavaScript file. */
export function parseSource(path: string, text: string): SourceFile {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true) }
}

/** Every module name a file imports, exports from, imports dynamically or resolves, in the order of the text. */
export function importedNames(source: SourceFile): string[] {
  const imported = ts.preProcessFile(source.text, true, true).importedFiles.map((file) => file.fileName)
  const resolved = [...source.text.matchAll(/\bimport\.meta\.resolve\('([^']+)'\)/g)].map(([, name]) => name as string)
  return [...imported, ...resolved]
}

/** Calls `visit` for every node below the root of a file. */
export function eachNode(source: SourceFile, visit: (node: ts.Node) => void): void {
  const walk = (node: ts.Node): void => {
    visit(node)
    ts.forEachChild(node, walk)
  }
  walk(source.tree)
}

/** Position of a node for a message, as `path:line`. */
export function placeOf(source: SourceFile, node: ts.Node): string {
  return `${source.path}:${source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1}`
}
