import { defineComponent, i32, u32 } from './component.js'

/**
 * Free rows of a pool that is split among owners: a stack per owner, so that the row freed last, still in cache, is
 * taken first. Columns of `PoolOwner` are indexed by owner, those of `PoolSlot` by position in the owner's range.
 */
export const PoolOwner = defineComponent(
  'pool_owner',
  {
    /** First position of the owner's stack in `PoolSlot`; its rows are `[base, base + capacity)` too. */
    base: i32,
    capacity: i32,
    /** Rows free now. */
    free: i32,
    /** Smallest number free ever. */
    freeMin: i32,
  },
  { role: 'observer' },
)

/** Stack slots of all pools. */
export const PoolSlot = defineComponent(
  'pool_slot',
  {
    row: u32,
  },
  { role: 'observer' },
)
