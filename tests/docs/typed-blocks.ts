import ts from 'typescript'

/** Faults that the compiler finds in programs, as `file:line: text`; the programs are emitted beside their sources as .js. */
export function compilePrograms(files: readonly string[], folder: string): string[] {
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: ['node'],
    typeRoots: [`${folder}/../../@types`],
  })
  const emitted = program.emit()
  return [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics].map((found) => {
    const text = ts.flattenDiagnosticMessageText(found.messageText, ' ')
    if (found.file === undefined || found.start === undefined) return text
    const { line } = found.file.getLineAndCharacterOfPosition(found.start)
    return `${found.file.fileName}:${line + 1}: ${text}`
  })
}
