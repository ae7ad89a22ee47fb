interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
}

/** Paths of all settings of a JSON Schema, `*` for names a user chooses; entries of lists share the path of the list. */
export function schemaLeaves(schema: unknown): string[] {
  const leaves = new Set<string>()
  visit(schema as Node, [], leaves)
  return [...leaves].sort()
}

function visit(node: Node, path: readonly string[], leaves: Set<string>): void {
  const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? [])]
  const inner = node.properties ?? {}
  const names = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined
  for (const [key, child] of Object.entries(inner)) visit(child, [...path, key], leaves)
  if (names !== undefined) visit(names, [...path, '*'], leaves)
  if (node.items !== undefined) visit(node.items, path, leaves)
  for (const branch of branches) visit(branch, path, leaves)
  const isLeaf = Object.keys(inner).length + branches.length === 0 && names === undefined && node.items === undefined
  if (isLeaf && path.length > 0) leaves.add(path.join('/'))
}
