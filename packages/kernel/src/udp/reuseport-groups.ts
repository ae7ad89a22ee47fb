/** A reuseport group while sockets are bound. Kernel: net/core/sock_reuseport.c, struct sock_reuseport */
export interface ReuseportGroup {
  /** Socket rows in bind order. */
  readonly members: number[]
  /** A member was connected once (`has_conns`). */
  hasConns: boolean
}

/** What binding needs to know of a socket. */
export interface BindKey {
  readonly host: number
  readonly address: number
  readonly port: number
  readonly boundDev: number
}

/**
 * Groups as they come about when sockets with SO_REUSEPORT are bound and connected one after the other; all belong to
 * one user. Kernel: net/ipv4/udp.c, udp_reuseport_add_sock; net/core/sock_reuseport.c, reuseport_add_sock
 */
export class ReuseportBinding {
  /** Sockets bound so far under a key, in bind order. */
  readonly #bound = new Map<string, number[]>()
  readonly #groups = new Map<number, ReuseportGroup>()

  /** Binds a socket: it joins the group of the socket bound last with its address, port and device, or founds one. */
  bind(sock: number, key: BindKey): void {
    const bound = this.#list(key)
    const previous = bound.at(-1)
    bound.push(sock)
    const group = previous === undefined ? { members: [], hasConns: false } : this.#groupOf(previous)
    group.members.push(sock)
    this.#groups.set(sock, group)
  }

  /**
   * Connects the socket bound last. It leaves its group when its address changes from ANY to `address`, and when it is
   * entered in the four-tuple table (`ownTable`); otherwise it stays a member that gets nothing.
   * Kernel: net/ipv4/datagram.c, __ip4_datagram_connect; net/ipv4/udp.c, udp_lib_rehash, udp_lib_hash4
   */
  connect(sock: number, key: BindKey, address: number, ownTable: boolean): void {
    if (key.address === 0) {
      this.#list(key).pop()
      this.#list({ ...key, address }).push(sock)
      this.#detach(sock)
      return
    }
    const group = this.#groups.get(sock)
    if (group !== undefined) group.hasConns = true
    if (ownTable) this.#detach(sock)
  }

  /** Group of a socket when all are bound, or undefined. */
  group(sock: number): ReuseportGroup | undefined {
    return this.#groups.get(sock)
  }

  /** A connected socket that has left its group founds another one when the next socket joins it. */
  #groupOf(sock: number): ReuseportGroup {
    let group = this.#groups.get(sock)
    if (group === undefined) {
      group = { members: [sock], hasConns: false }
      this.#groups.set(sock, group)
    }
    return group
  }

  #detach(sock: number): void {
    const group = this.#groups.get(sock)
    if (group === undefined) return
    const last = group.members.pop() as number
    // The last member moves into the hole.
    if (last !== sock) group.members[group.members.indexOf(sock)] = last
    this.#groups.delete(sock)
  }

  #list(key: BindKey): number[] {
    const name = `${key.host} ${key.address} ${key.port} ${key.boundDev}`
    let list = this.#bound.get(name)
    if (list === undefined) {
      list = []
      this.#bound.set(name, list)
    }
    return list
  }
}
