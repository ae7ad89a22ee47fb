/** The language of nf_tables: parsing, checking and writing rulesets. */
export type { NftFault } from './fault.js'
export { NFT_KEYS, type NftDependency, type NftKey } from './keys.js'
export { type NftParseResult, parseNft } from './parse.js'
export * from './print.js'
export { formatPriority, PRIORITY_CONNTRACK } from './priority.js'
export * from './ruleset.js'
export { CT_STATE, formatNftValue, NFT_TYPES, type NftTypeName, TCP_FLAGS } from './types.js'
