/** What a diagnosis is made of: rules that look at the facts of one host and say what they found. */
import type { Verdict } from '@softnet/scenario/plan'
import type { HostFacts, RunFacts } from './facts.js'

/** A setting to try and what it would do. */
export type Remedy = Verdict['remedies'][number]

/** What a rule found on one host. */
export interface Finding {
  /** Frames this explains the loss of; 0 where nothing was lost. */
  readonly lostFrames: number
  /** Rank among findings that explain no loss, in [0,1]: the share of the time or latency explained. */
  readonly weight: number
  /** What the bottleneck is, a whole sentence with its numbers. */
  readonly claim: string
  /** What shows it, a whole sentence with its numbers. */
  readonly evidence: string
  /** What to do, a whole sentence; used where no other finding needs the room. */
  readonly advice: string
  readonly remedies: readonly Remedy[]
  /** `place`: whoever works there has no time left, so nothing more gets past; `everything`: it explains all loss of the host, wherever counted. */
  readonly limits?: 'place' | 'everything'
}

/** Parts of the path that a finding explains the loss of; two findings on one part are alternatives. */
export type Subject = 'wire' | 'ring' | 'backlog' | 'socket' | 'protocol' | 'squeeze' | 'latency'

/** One diagnosis: a name, what it is about, and the test that words it. */
export interface DiagnosisRule {
  /** Name of the bottleneck in results, snake case. */
  readonly name: string
  readonly subject: Subject
  /** One line for the list of diagnoses. */
  readonly summary: string
  readonly find: (host: HostFacts, run: RunFacts) => Finding | null
}
