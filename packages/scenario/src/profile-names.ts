/** Names of the cost profiles, in the order they are listed. */
export const PROFILE_NAMES = ['xeon-e5-1650-v4', 'modern-server', 'vm-linux-6.18', 'pentium-2002-napi-howto'] as const

/** The profile of a scenario that names none. */
export const DEFAULT_PROFILE = 'xeon-e5-1650-v4'
