/** Linux's UDP tables written out plainly, with objects and lists, to hold the columns and hash chains against. */
import type { SocketPlan } from '@softnet/scenario'
import { inetEhash } from '@softnet/wire'

interface Group {
  socks: ReferenceSocket[]
  hasConns: boolean
}

interface ReferenceSocket {
  readonly row: number
  address: number
  readonly port: number
  peer: { readonly address: number; readonly port: number } | null
  readonly dev: string | null
  readonly incomingCpu: number
  readonly reuseport: boolean
  group: Group | null
}

/** What differs between kernels. */
export interface ReferenceRules {
  /** Connected sockets have a table of their own. */
  readonly hash4: boolean
  /** One list per port; a bound address scores. */
  readonly singleList: boolean
}

/** A datagram as the lookup sees it. */
export interface Datagram {
  readonly saddr: number
  readonly sport: number
  readonly daddr: number
  readonly dport: number
  readonly dev: string
  readonly cpu: number
}

/** UDP sockets of one host, bound and connected one after the other. */
export class ReferenceUdp {
  readonly #byPort: ReferenceSocket[] = []
  readonly #byAddress = new Map<string, ReferenceSocket[]>()
  readonly #byTuple: ReferenceSocket[] = []
  readonly #rules: ReferenceRules
  readonly #secret: number

  constructor(rules: ReferenceRules, secret: number) {
    this.#rules = rules
    this.#secret = secret
  }

  /** Binds a socket, and connects it; `source` is the local address connecting gives to one bound to ANY. */
  add(plan: SocketPlan, row: number, source: number): void {
    const { address, port, device: dev, soIncomingCpu: incomingCpu, reuseport } = plan
    const sk: ReferenceSocket = { row, address, port, peer: null, dev, incomingCpu, reuseport, group: null }
    if (reuseport) this.#addToGroup(sk)
    this.#byPort.unshift(sk)
    this.#list(address, port).unshift(sk)
    if (plan.peer === null) return
    sk.peer = plan.peer
    if (address === 0) {
      this.#list(0, port).shift()
      sk.address = source
      this.#list(source, port).unshift(sk)
      detach(sk)
    }
    if (sk.group !== null) sk.group.hasConns = true
    if (!this.#rules.hash4) return
    detach(sk)
    this.#byTuple.unshift(sk)
  }

  /** Row of the socket a datagram is for, 0 if there is none. */
  lookup(d: Datagram): number {
    if (this.#rules.singleList) return this.#lookupPort(d)?.row ?? 0
    const tuple = this.#byTuple.find((sk) => sk.address === d.daddr && this.#score(sk, d, sk.address) >= 10)
    if (tuple !== undefined) return tuple.row
    return (this.#lookup2(d, d.daddr) ?? this.#lookup2(d, 0))?.row ?? 0
  }

  #addToGroup(sk: ReferenceSocket): void {
    const other = this.#byPort.find(
      (each) => each.reuseport && each.port === sk.port && each.address === sk.address && each.dev === sk.dev,
    )
    if (other === undefined) {
      sk.group = { socks: [sk], hasConns: false }
      return
    }
    other.group ??= { socks: [other], hasConns: false }
    other.group.socks.push(sk)
    sk.group = other.group
  }

  #list(address: number, port: number): ReferenceSocket[] {
    const key = `${address}:${port}`
    let list = this.#byAddress.get(key)
    if (list === undefined) {
      list = []
      this.#byAddress.set(key, list)
    }
    return list
  }

  #score(sk: ReferenceSocket, d: Datagram, local: number): number {
    if (sk.port !== d.dport || sk.address !== local) return -1
    let score = 2
    if (this.#rules.singleList && sk.address !== 0) score += 4
    if (sk.peer !== null) {
      if (sk.peer.address !== d.saddr || sk.peer.port !== d.sport) return -1
      score += 8
    }
    if (sk.dev !== null) {
      if (sk.dev !== d.dev) return -1
      score += 4
    }
    return score + (sk.incomingCpu === d.cpu ? 1 : 0)
  }

  #select(sk: ReferenceSocket, d: Datagram, local: number): ReferenceSocket | null {
    if (sk.group === null) return null
    const { socks } = sk.group
    const hash = inetEhash(local, d.dport, d.saddr, d.sport, this.#secret)
    const start = Number((BigInt(hash) * BigInt(socks.length)) >> 32n)
    if (this.#rules.singleList) return socks[start] as ReferenceSocket
    const turned = [...socks.slice(start), ...socks.slice(0, start)].filter((each) => each.peer === null)
    if (socks.some((each) => each.incomingCpu >= 0)) {
      const near = turned.find((each) => each.incomingCpu === d.cpu)
      if (near !== undefined) return near
    }
    return turned[0] ?? null
  }

  #lookup2(d: Datagram, local: number): ReferenceSocket | null {
    let result: ReferenceSocket | null = null
    let badness = 0
    for (const sk of this.#list(local, d.dport)) {
      const score = this.#score(sk, d, local)
      if (score <= badness) continue
      badness = score
      result = sk
      const selected = sk.peer === null ? this.#select(sk, d, local) : null
      if (selected === null) continue
      if (!sk.group?.hasConns) return selected
      result = selected
      badness = Math.max(badness, this.#score(selected, d, local))
    }
    return result
  }

  #lookupPort(d: Datagram): ReferenceSocket | null {
    let result: ReferenceSocket | null = null
    let badness = 0
    for (const sk of this.#byPort) {
      const score = sk.address === 0 ? this.#score(sk, d, 0) : this.#score(sk, d, d.daddr)
      if (score <= badness) continue
      badness = score
      result = sk
      const selected = this.#select(sk, d, d.daddr)
      if (selected !== null) return selected
    }
    return result
  }
}

function detach(sk: ReferenceSocket): void {
  if (sk.group === null) return
  const { socks } = sk.group
  const at = socks.indexOf(sk)
  const last = socks.pop() as ReferenceSocket
  if (at < socks.length) socks[at] = last
  sk.group = null
}
