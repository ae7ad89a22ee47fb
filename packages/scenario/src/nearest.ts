/** The known name a mistyped one was probably meant to be. */
import { distance } from 'fastest-levenshtein'

/** Names longer than this are not compared: nobody mistypes that much. */
const MAX_NAME_LENGTH = 200

/** The name closest to what was given, or null when none is close enough to be a slip. */
export function nearestName(given: unknown, known: readonly string[]): string | null {
  if (typeof given !== 'string' && typeof given !== 'number') return null
  const text = normalised(String(given))
  if (text === '' || text.length > MAX_NAME_LENGTH) return null
  let best: string | null = null
  let bestDistance = Number.POSITIVE_INFINITY
  for (const name of known) {
    const candidate = normalised(name)
    const apart = candidate === text ? 0 : distance(text, candidate)
    const allowed = Math.max(1, Math.floor(Math.max(text.length, candidate.length) * 0.5))
    // A given name that is the end or the start of a known one lost a prefix rather than letters.
    const part =
      text.length >= 3 && (candidate.endsWith(text) || candidate.startsWith(text)) ? 1.5 : Number.POSITIVE_INFINITY
    const score =
      Math.min(apart <= allowed ? apart : Number.POSITIVE_INFINITY, part) - sharedStart(text, candidate) * 0.02
    if (score < bestDistance || (score === bestDistance && best !== null && name.length < best.length)) {
      best = name
      bestDistance = score
    }
  }
  return best
}

/** Letters two names begin with in common, at most 20: slips come late in a word. */
function sharedStart(a: string, b: string): number {
  const length = Math.min(a.length, b.length, 20)
  let index = 0
  while (index < length && a[index] === b[index]) index++
  return index
}

function normalised(text: string): string {
  return text.toLowerCase().replaceAll(/[_\s]/g, '-')
}
