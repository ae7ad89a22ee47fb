import { type BindContext, defineSystem } from '@softnet/ecs'
import { Skb } from './components.js'

/** Sets every column of a packet row to 0. Each by its name: in a loop over columns the compiler knows none of them as a constant. */
export const clearSkb = defineSystem<(row: number) => void>(
  'skb_clear',
  'skb',
  'net/core/skbuff.c, __alloc_skb',
  (context) => {
    const identity = bindIdentity(context)
    const state = bindState(context)
    return (row) => {
      identity(row)
      state(row)
    }
  },
)

/** The first columns: what a packet is. */
function bindIdentity(context: BindContext): (row: number) => void {
  const {
    users,
    serial,
    arrivalPs,
    duePs,
    fragHead,
    fragTail,
    macHash,
    next,
    frames,
    wireBytes,
    len,
    truesize,
    saddr,
    daddr,
    ports,
    ipWord,
    idFrag,
    totLen,
    udpLen,
    protocol,
    packetType,
    vlanTci,
    flags,
    faults,
    hash,
    tcpSeq,
    tcpAck,
    tcpWord,
    tcpOptions,
    gsoSize,
    payload,
  } = context.write(Skb)
  return (row) => {
    users[row] = 0
    serial[row] = 0
    arrivalPs[row] = 0
    duePs[row] = 0
    fragHead[row] = 0
    fragTail[row] = 0
    macHash[row] = 0
    next[row] = 0
    frames[row] = 0
    wireBytes[row] = 0
    len[row] = 0
    truesize[row] = 0
    saddr[row] = 0
    daddr[row] = 0
    ports[row] = 0
    ipWord[row] = 0
    idFrag[row] = 0
    totLen[row] = 0
    udpLen[row] = 0
    protocol[row] = 0
    packetType[row] = 0
    vlanTci[row] = 0
    flags[row] = 0
    faults[row] = 0
    hash[row] = 0
    tcpSeq[row] = 0
    tcpAck[row] = 0
    tcpWord[row] = 0
    tcpOptions[row] = 0
    gsoSize[row] = 0
    payload[row] = 0
  }
}

/** The others: what the stack knows of it. */
function bindState(context: BindContext): (row: number) => void {
  const {
    queue,
    dev,
    allocCpu,
    backlogFrom,
    groIdMode,
    groAge,
    groFrags,
    sock,
    request,
    page,
    tstampPs,
    fragSum,
    fragRunBytes,
    fragNextRun,
    rtType,
    rtFlags,
    rtDev,
    rtGateway,
    rtMtu,
    rtError,
    ipcb,
    priority,
    optRr,
    optTs,
    optSrr,
    optCipso,
    optNexthop,
    macHigh,
    macLow,
    fragMax,
  } = context.write(Skb)
  return (row) => {
    queue[row] = 0
    dev[row] = 0
    allocCpu[row] = 0
    backlogFrom[row] = 0
    groIdMode[row] = 0
    groAge[row] = 0
    groFrags[row] = 0
    sock[row] = 0
    request[row] = 0
    page[row] = 0
    tstampPs[row] = 0
    fragSum[row] = 0
    fragRunBytes[row] = 0
    fragNextRun[row] = 0
    rtType[row] = 0
    rtFlags[row] = 0
    rtDev[row] = 0
    rtGateway[row] = 0
    rtMtu[row] = 0
    rtError[row] = 0
    ipcb[row] = 0
    priority[row] = 0
    optRr[row] = 0
    optTs[row] = 0
    optSrr[row] = 0
    optCipso[row] = 0
    optNexthop[row] = 0
    macHigh[row] = 0
    macLow[row] = 0
    fragMax[row] = 0
  }
}
