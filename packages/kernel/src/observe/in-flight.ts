import type { Model } from '../build/build-model.js'
import { Skb } from '../skb/components.js'

/**
 * Wire frames that are somewhere on their way: in lanes, rings, queues, GRO, backlogs, sockets and mailboxes. Counted
 * from the packets themselves, so that conservation is a check and not a definition. Segments chained to a merged
 * datagram are counted by its head.
 */
export function framesInFlight(model: Model): number {
  const { users, frames, fragHead, next } = model.world.columns(Skb)
  let sum = 0
  for (let row = 1; row < users.length; row++) {
    if (users[row] === 0) continue
    sum += frames[row]
    for (let segment = fragHead[row]; segment !== 0; segment = next[segment]) sum -= frames[segment]
  }
  return sum
}
