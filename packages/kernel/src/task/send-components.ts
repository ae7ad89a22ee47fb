import { defineComponent, f64, i32, RandomStream, u8, u16, u32 } from '@softnet/ecs'

/** When a program sends: `SendProgram.arrival`. */
export const SEND_ARRIVAL = { flood: 0, constant: 1, poisson: 2, burst: 3 } as const

/** A task that sends by itself (sender, client); its row is `Task.program`. Written by the partition of its CPU. */
export const SendProgram = defineComponent('send_program', {
  /** Receivers: first address and port, and how many of each; port 0: the peer of a connected socket. */
  address: u32,
  port: u16,
  addressCount: u32,
  portCount: u32,
  /** Payload, bytes; or rows of `PayloadSize` where it is drawn. */
  payloadBytes: u32,
  sizeBase: i32,
  sizeCount: i32,
  /** Value of `SEND_ARRIVAL`; gap as whole + rest / denominator, ps. */
  arrival: u8,
  gapWhole: f64,
  gapRest: f64,
  gapDenominator: f64,
  burstMessages: u32,
  everyPs: f64,
  /** Messages per sendmmsg, 0: sendto. */
  batch: u16,
  /** Calls that a message is written in; 1: UDP_CORK is set in front of them, else all but the last have MSG_MORE. */
  pieces: u16,
  corks: u8,
  /** Row of `SendCmsg`, 0 for none; and bits of `MSG` for each call. */
  cmsg: i32,
  sendFlags: u16,
  startPs: f64,
  stopPs: f64,
  /** Messages after which it ends, Infinity for no such limit. */
  limit: f64,
  slackPs: f64,
  thinkPs: f64,
  thinkRandom: u8,
  timeoutPs: f64,
  /** Row of `SendStream`. */
  stream: i32,
  /** When the next message is due, ps; the part of a picosecond it is late by; messages left of a burst. */
  nextPs: f64,
  restPs: f64,
  burstLeft: u32,
  /** Messages begun. */
  index: f64,
  /** Messages left of the call under way, and sent by it. */
  left: u16,
  done: u16,
  /** The message under way: 1 while it has been chosen, its socket, length and receiver. */
  chosen: u8,
  /** Pieces of it that were written. */
  written: u16,
  sock: i32,
  bytes: u32,
  toAddress: u32,
  toPort: u16,
  /** Client: request under way (negative, so that no client on a wire has it), when it was sent, until when its reply counts. */
  request: f64,
  sentAtPs: f64,
  deadlinePs: f64,
  /** Client: time of the timer that runs (Infinity: none), and 1 when the deadline has passed. */
  timerPs: f64,
  timedOut: u8,
  /** What came of it: calls, datagrams and payload that were taken, datagrams given up; replies, timeouts, replies that came too late. */
  calls: f64,
  datagrams: f64,
  payloadSent: f64,
  replies: f64,
  timeouts: f64,
  late: f64,
  /** Round trips, ns. */
  sumNs: f64,
  minNs: f64,
  maxNs: f64,
})

/** Payload lengths that are drawn: a length is taken where a 32-bit word is below its threshold and not below the one before. */
export const PayloadSize = defineComponent('payload_size', { bytes: u32, threshold: f64 })

/** Random streams of sending programs, one per row of `SendProgram`. */
export const SendStream = defineComponent('send_stream', RandomStream.schema)

/** Errors by errno: row `program * ERRNO_ROWS + errno`. */
export const SendError = defineComponent('send_error', { count: f64 })
/** More than the largest errno of Linux. */
export const ERRNO_ROWS = 134

/** Round trips of clients: row `program * LATENCY_BUCKETS + bucket`. */
export const RoundTrip = defineComponent('round_trip', { count: f64 })
