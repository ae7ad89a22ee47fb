import { basename } from 'node:path'
import ts from 'typescript'
import { eachNode, importedNames, placeOf, type SourceFile } from './source.js'

const linesMax = 500
const hostReads = new Set([
  'Date.now',
  'performance.now',
  'Math.random',
  'process.hrtime',
  'process.uptime',
  'crypto.randomUUID',
  'crypto.getRandomValues',
])
const hostModules = new Set(['node:perf_hooks'])
const unfinished = /\b(todo|fixme|xxx|hack|placeholder|for now|not implemented)\b/i
const vagueName = /^(utils?|helpers?|common)\b/i
const machinePath = /(?<![\w.~-])\/(?:work|home|root|tmp|Users)\//

/** Faults where a source reads the host's clock or chance outside of a file named for it. */
export function checkHostReads(source: SourceFile): string[] {
  if (basename(source.path).startsWith('host-clock')) return []
  const faults = importedNames(source)
    .filter((name) => hostModules.has(name))
    .map((name) => `${source.path}: imports ${name}`)
  eachNode(source, (node) => {
    if (ts.isPropertyAccessExpression(node)) {
      const name = `${lastName(node.expression)}.${node.name.text}`
      if (hostReads.has(name)) faults.push(`${placeOf(source, node)}: reads ${name}`)
    }
    const isDate = (ts.isNewExpression(node) || ts.isCallExpression(node)) && lastName(node.expression) === 'Date'
    if (isDate && (node.arguments?.length ?? 0) === 0) faults.push(`${placeOf(source, node)}: reads the date`)
  })
  return faults
}

/** Faults where a source reads the arguments of the process. */
export function checkArguments(source: SourceFile): string[] {
  const faults: string[] = []
  eachNode(source, (node) => {
    if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'argv') return
    if (lastName(node.expression) === 'process') faults.push(`${placeOf(source, node)}: reads process.argv`)
  })
  return faults
}

/** Faults where a test file makes tests and never runs them: uvu passes such a file without a word. */
export function checkTestRuns(source: SourceFile): string[] {
  const made = new Set<string>()
  const ran = new Set<string>()
  eachNode(source, (node) => {
    if (ts.isImportSpecifier(node) && node.name.text === 'test') made.add('test')
    if (!ts.isCallExpression(node)) return
    if (ts.isIdentifier(node.expression) && node.expression.text === 'suite') {
      const holder = node.parent
      made.add(ts.isVariableDeclaration(holder) && ts.isIdentifier(holder.name) ? holder.name.text : 'suite(…)')
    }
    if (ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'run') {
      ran.add(node.expression.expression.getText(source.tree))
    }
  })
  if (made.size === 0) return [`${source.path}: makes no test`]
  return [...made].filter((name) => !ran.has(name)).map((name) => `${source.path}: never calls ${name}.run()`)
}

/** Faults in the length of a source. */
export function checkLength(source: SourceFile): string[] {
  const lines = source.text.trimEnd().split('\n').length
  return lines > linesMax ? [`${source.path}: has ${lines} lines, more than ${linesMax}`] : []
}

/** Faults where a text admits that something is unfinished. */
export function checkWords(path: string, text: string): string[] {
  return faultyLines(path, text, unfinished, 'says')
}

/** Faults where a text names a place of one machine. */
export function checkMachinePaths(path: string, text: string): string[] {
  return faultyLines(path, text, machinePath, 'names')
}

/** Faults in a file's name: one that says nothing about its concept, or is not kebab-case. */
export function checkFileName(path: string): string[] {
  const name = basename(path)
  if (vagueName.test(name)) return [`${path}: has a name that says nothing`]
  return /\.(ts|mjs|js)$/.test(name) && !/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(name) ? [`${path}: is not kebab-case`] : []
}

function faultyLines(path: string, text: string, pattern: RegExp, verb: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const found = pattern.exec(line)
    return found ? [`${path}:${index + 1}: ${verb} '${found[0].trim()}'`] : []
  })
}

function lastName(node: ts.Expression): string {
  if (ts.isPropertyAccessExpression(node)) return node.name.text
  return ts.isIdentifier(node) ? node.text : ''
}

/** Folders with systems that packets pass on their way in, through and out. */
const packetPath =
  /^packages\/kernel\/src\/(count|cpu|gro|icmp|ip|irq|link|napi|neigh|netfilter|netif|netns|nic|qdisc|route|skb|sock|softirq|softnet|task|udp|wire)\//

/**
 * Faults of systems on a packet's way that use an imported table of numbers: V8 loads and checks it at every use. They take it
 * from `NUMBERS` when they are bound.
 */
export function checkNumbers(source: SourceFile, tables: ReadonlySet<string>): string[] {
  if (!packetPath.test(source.path)) return []
  const imported = new Set<string>()
  const systems: ts.Node[] = []
  eachNode(source, (node) => {
    if (ts.isImportSpecifier(node) && tables.has(node.name.text)) imported.add(node.name.text)
    if (ts.isCallExpression(node) && lastName(node.expression) === 'defineSystem') systems.push(node)
  })
  const faults: string[] = []
  const walk = (node: ts.Node, taken: readonly string[]): void => {
    const isName = ts.isIdentifier(node) && !ts.isPropertyAssignment(node.parent)
    if (isName && imported.has(node.text) && !taken.includes(node.text)) {
      faults.push(
        `${placeOf(source, node)}: uses ${node.text} without \`const { ${node.text} } = NUMBERS\` in its system`,
      )
    }
    ts.forEachChild(node, (child) => walk(child, taken))
  }
  for (const system of systems) {
    const taken = /const \{([^}]*)\} = NUMBERS/.exec(system.getText(source.tree))?.[1]?.match(/\w+/g) ?? []
    walk(system, taken)
  }
  return faults
}
