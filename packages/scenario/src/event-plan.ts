/** The part of the plan that says what happens to hosts during a run. */

/** What happens: a cable is pulled or plugged in, or somebody types a command. */
export type EventAction =
  /** The link of a device loses or regains its signal. */
  | { readonly kind: 'cable'; readonly dev: string; readonly up: boolean }
  /** `ip link set DEV up` or `down`. */
  | { readonly kind: 'link'; readonly dev: string; readonly up: boolean }
  /** A transmit queue of the card hangs: it fetches nothing until its driver resets it. */
  | { readonly kind: 'stall'; readonly dev: string; readonly queue: number }
  /** `ethtool -C DEV …`; null where a value is not given. */
  | {
      readonly kind: 'coalesce'
      readonly dev: string
      readonly rxUsecs: number | null
      readonly rxFrames: number | null
      readonly txUsecs: number | null
    }

/** Something that happens to a host at a time of the run, ps. */
export interface EventPlan {
  readonly atPs: number
  readonly host: string
  readonly action: EventAction
}
