import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** What decides when a source sends: `Source.kind`. */
export const ARRIVAL = { constant: 0, poisson: 1, onoff: 2, ramp: 3, burst: 4, closed: 5, replay: 6 } as const

/** How a frame finds its flow: `Source.pick`. */
export const PICK = { roundrobin: 0, uniform: 1, zipf: 2, churn: 3 } as const

/** Faults a source can put into a frame: bits of `Draft.malform`. */
export const MALFORM = { ipChecksum: 1, l4Checksum: 2, truncated: 4, badVersion: 8, otherHost: 16 } as const

/** A source of frames; sources of one wire are consecutive. Constant in a run. */
export const Source = defineComponent('source', {
  kind: u8,
  wire: i32,
  /** Random stream. */
  stream: i32,
  startPs: f64,
  stopPs: f64,
  /** Frames to send; Infinity: no limit. */
  limitPackets: f64,
  /** Gap at the nominal rate: whole + rest / denominator, ps. */
  gapWhole: f64,
  gapRest: f64,
  gapDenominator: f64,
  /** onoff: period lengths (means when random), ps. */
  onPs: f64,
  offPs: f64,
  random: u8,
  /** ramp: packets per ps at the start, and twice its growth per ps. */
  rampFrom: f64,
  rampGrowth2: f64,
  /** burst: frames at once, and time between bursts, ps. */
  burstFrames: f64,
  everyPs: f64,
  /** Frame length without FCS when all are equal, else 0 and rows of `AliasSlot`. */
  fixedBytes: u32,
  sizeBase: i32,
  sizeCount: u32,
  pick: u8,
  /** Rows of `Flow`. */
  flowBase: i32,
  flowCount: u32,
  /** zipf: rows of `AliasSlot`, one per flow. */
  aliasBase: i32,
  /** churn: 1 / −ln(1 − p) of the geometric number of packets; 0: one packet each. */
  churnScale: f64,
  /** Segments of a flow in a row. */
  train: u16,
  /** IP protocol. */
  protocol: u8,
  /** Bytes between the start of the frame and the IP header: 14, or 18 with a tag. */
  linkBytes: u8,
  /** Bytes behind the IP header of all fragments but the last; 0: every packet is one frame. */
  fragUnitBytes: u32,
  /** Bytes behind the IP header of a whole datagram. */
  fragL4Bytes: u32,
  /** First fragment sent and how many, of all that a datagram comes to; 1: the last is sent first. */
  fragFirst: u32,
  fragCount: u32,
  fragReverse: u8,
  /** Chance that a fragment is lost on its way × 2^32. */
  fragLoseShare: f64,
  vlan: u16,
  zeroChecksum: u8,
  packetType: u8,
  macHash: u32,
  /** `macHash` of frames for another host. */
  otherMacHash: u32,
  /** Address ranges: flow i takes first + i mod count of each. */
  saddr: u32,
  saddrCount: u32,
  daddr: u32,
  daddrCount: u32,
  sport: u16,
  sportCount: u32,
  dport: u16,
  dportCount: u32,
  /** 1 if any of the shares below is above 0. */
  malform: u8,
  /** Shares × 2^32. */
  ipChecksumShare: f64,
  l4ChecksumShare: f64,
  truncatedShare: f64,
  badVersionShare: f64,
  otherHostShare: f64,
  /** closed: requests, first row of `RequestSlot` and number of rows; requests of one client follow each other. */
  slotBase: i32,
  slotCount: u32,
  depth: u16,
  thinkPs: f64,
  timeoutPs: f64,
  /** closed: ring of `ReadyRequest`. */
  readyBase: i32,
  readyMask: u32,
  /** replay: rows of `ReplayFrame`, time of one round (ps), and rounds. */
  frameBase: i32,
  frameCount: u32,
  roundPs: f64,
  rounds: f64,
})

/** Where a source has got to. Written by the wire's partition. */
export const SourceState = defineComponent('source_state', {
  /** When the next frame wants to be sent, ps; Infinity: never. */
  nextPs: f64,
  /** Frames decided so far. */
  sent: f64,
  /** Fragments: flow of the datagram under way, and which fragment of those that are sent comes next. */
  fragFlow: i32,
  fragAt: u32,
  /** Part of a picosecond carried to the next gap (× denominator). */
  gapRest: f64,
  /** onoff: end of the on period under way, ps. */
  onEndPs: f64,
  /** burst: frames left of the burst under way. */
  burstLeft: f64,
  /** Round robin: flow of the next train. */
  cursor: u32,
  /** Flow row of the train under way, and segments left of it. */
  trainFlow: i32,
  trainLeft: u16,
  /** churn: number of the next new flow. */
  nextFlow: f64,
  flowsOpened: f64,
  /** closed: ready ring. */
  readyHead: u32,
  readyTail: u32,
  /** closed: lists of requests that think (fixed time) and that wait for a reply, oldest first. */
  thinkHead: i32,
  thinkTail: i32,
  waitHead: i32,
  waitTail: i32,
  /** closed: replies taken, requests sent again, replies nobody waited for. */
  replies: f64,
  timeouts: f64,
  lateReplies: f64,
  /** replay: frame of the round, and round. */
  replayIndex: u32,
  round: f64,
})

/** Flows of all sources: everything about a flow that its frames share. */
export const Flow = defineComponent('flow', {
  saddr: u32,
  daddr: u32,
  /** Source port × 65536 + destination port. */
  ports: u32,
  /** RSS hash. */
  hash: u32,
  /** Queue entity by rules and RSS, 0: dropped by a rule. */
  queue: i32,
  /** Bits of `STEER`. */
  steer: u8,
  /** Key of the flow for accelerated RFS. */
  key: u32,
  /** IP identification of the next frame. */
  ipId: u16,
  /** Sequence number of the next segment. */
  tcpSeq: u32,
  /** churn: frames left before the flow ends. */
  left: f64,
})

/** Alias tables (Walker, Vose): entry i is drawn when a 32-bit word is below its threshold, else its alias. */
export const AliasSlot = defineComponent(
  'alias_slot',
  { threshold: f64, /** Position in the table. */ alias: u32, /** What is drawn. */ value: u32 },
  { role: 'observer' },
)

/** States of a request. */
export const REQUEST = { thinking: 0, ready: 1, waiting: 2 } as const

/** One request a closed-loop client may have outstanding. */
export const RequestSlot = defineComponent('request_slot', {
  source: i32,
  state: u8,
  /** Requests sent by this slot before; the id is slot + sequence × rows. */
  sequence: f64,
  /** List of thinking or waiting slots. */
  next: i32,
  previous: i32,
  /** End of the think time, or when the request is sent again, ps. */
  deadlinePs: f64,
  /** Flow row of the request. */
  flow: i32,
})

/** Requests that want to be sent, a ring per closed source, in order of time. */
export const ReadyRequest = defineComponent('ready_request', { slot: i32, sequence: f64, timePs: f64 })

/** One frame of a capture, parsed and steered when the world is filled. Constant in a run. */
export const ReplayFrame = defineComponent(
  'replay_frame',
  {
    /** Time since the first frame of the round, ps, already scaled; never decreases. */
    offsetPs: f64,
    /** First row of the frame's bytes in `ReplayByte`, and how many there are. Always Ethernet, without FCS. */
    firstByte: f64,
    capturedBytes: u32,
    /** Length on the wire without FCS, padding included. */
    wireBytes: u32,
    /** Length without a removed tag. */
    len: u32,
    saddr: u32,
    daddr: u32,
    ports: u32,
    ipWord: u32,
    idFrag: u32,
    totLen: u32,
    udpLen: u16,
    protocol: u16,
    packetType: u8,
    vlanTci: u16,
    flags: u32,
    faults: u32,
    hash: u32,
    queue: i32,
    steer: u8,
    key: u32,
    tcpSeq: u32,
    tcpAck: u32,
    tcpWord: u32,
    tcpOptions: u32,
    payload: u32,
    macHash: u32,
    /** Sum of a fragment's bytes, see `Skb.fragSum`. */
    fragSum: u32,
  },
  { role: 'observer' },
)

/** Bytes of all replayed frames. */
export const ReplayByte = defineComponent('replay_byte', { value: u8 }, { role: 'observer' })
