import type { Columns, World } from '@softnet/ecs'
import { LIST, LIST_WORDS, Sock, SockHash, UdpList } from '../sock/components.js'
import { LIST_STEP, portListSlot } from './socket-slot.js'

type SockColumns = Columns<typeof Sock.schema>

/** True if a socket takes whatever is sent to its address and port, and leaves the choice to nobody. */
function takesEverything(sock: SockColumns, row: number): boolean {
  return (
    sock.connected[row] === 0 &&
    sock.peerAddress[row] === 0 &&
    sock.peerPort[row] === 0 &&
    sock.boundDev[row] === 0 &&
    sock.groupBase[row] === 0
  )
}

/** Enters the sockets of all chains: the first one of each (host, address, port), and whether it is alone there. */
export function fillLists(world: World): void {
  const sock = world.columns(Sock)
  const { head } = world.columns(SockHash)
  const { word } = world.columns(UdpList)
  const mask = word.length / LIST_WORDS - 1
  for (let chain = 0; chain < head.length; chain++) {
    for (let row = head[chain]; row !== 0; row = sock.chainNext[row]) {
      const address = sock.address[row] | 0
      const portHost = sock.port[row] | (sock.host[row] << 16)
      let slot = portListSlot(sock.host[row], address, sock.port[row], mask)
      for (let step = LIST_STEP; ; step += LIST_STEP) {
        const at = slot * LIST_WORDS
        if (word[at + LIST.first] === 0) {
          word[at + LIST.address] = address
          word[at + LIST.portHost] = portHost
          word[at + LIST.first] = row
          word[at + LIST.takesAll] = takesEverything(sock, row) ? 1 : 0
          break
        }
        if (word[at + LIST.address] === address && word[at + LIST.portHost] === portHost) {
          word[at + LIST.takesAll] = 0
          break
        }
        slot = (slot + step) & mask
      }
    }
  }
}
