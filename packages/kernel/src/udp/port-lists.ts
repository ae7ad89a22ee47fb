import type { Columns, World } from '@softnet/ecs'
import { LIST, Sock, SockHash, UdpList } from '../sock/components.js'
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
  const { entry } = world.columns(UdpList)
  const mask = entry.length - 1
  for (let chain = 0; chain < head.length; chain++) {
    for (let row = head[chain]; row !== 0; row = sock.chainNext[row]) {
      let slot = portListSlot(sock.host[row], sock.address[row] | 0, sock.port[row], mask)
      for (let step = LIST_STEP; ; step += LIST_STEP) {
        const first = entry[slot] & LIST.first
        if (first === 0) {
          entry[slot] = takesEverything(sock, row) ? row | LIST.takesAll : row
          break
        }
        if (sock.address[first] === sock.address[row] && sock.portHost[first] === sock.portHost[row]) {
          entry[slot] = first
          break
        }
        slot = (slot + step) & mask
      }
    }
  }
}
