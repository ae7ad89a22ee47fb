/** Priorities of base chains by name. Kernel: include/uapi/linux/netfilter_ipv4.h, enum nf_ip_hook_priorities */
import { NFT_HOOKS, type NftHook } from './ruleset.js'

/** Name of a priority, its number, and the hooks it is a name at. */
interface NamedPriority {
  readonly value: number
  readonly hooks: readonly NftHook[]
}

/** Names that nft knows in the families ip and inet. */
export const NFT_PRIORITIES: Readonly<Record<string, NamedPriority>> = {
  raw: { value: -300, hooks: NFT_HOOKS },
  mangle: { value: -150, hooks: NFT_HOOKS },
  dstnat: { value: -100, hooks: ['prerouting', 'output'] },
  filter: { value: 0, hooks: NFT_HOOKS },
  security: { value: 50, hooks: NFT_HOOKS },
  srcnat: { value: 100, hooks: ['postrouting', 'input'] },
}

/** Connection tracking looks at a packet at this priority. Kernel: NF_IP_PRI_CONNTRACK */
export const PRIORITY_CONNTRACK = -200

/** How far from a name a priority may be and still be written with it. */
const NEAR = 10

/** Writes a priority as `nft list ruleset` does: a name with offset where one is near. */
export function formatPriority(value: number, hook: NftHook): string {
  for (const [name, { value: base, hooks }] of Object.entries(NFT_PRIORITIES)) {
    if (!hooks.includes(hook) || Math.abs(value - base) > NEAR) continue
    const offset = value - base
    return offset === 0 ? name : `${name} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`
  }
  return String(value)
}
