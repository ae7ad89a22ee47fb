/** Colours, only when asked for. */
import pc from 'picocolors'

/** Functions that colour a text, or leave it alone. */
export type Paint = ReturnType<typeof pc.createColors>

/** Painter with colours on or off, whatever the terminal says. */
export function createPaint(color: boolean): Paint {
  return pc.createColors(color)
}
