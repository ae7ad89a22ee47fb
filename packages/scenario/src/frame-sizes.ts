/** Bytes of the frame check sequence, which people count in "64-byte packets" and the plan leaves out. */
export const FCS_BYTES = 4

/** Simple IMIX: seven smallest frames, four of 594 and one of 1518 bytes on the wire; lengths here without FCS. */
export const IMIX_FRAMES: readonly { readonly bytes: number; readonly weight: number }[] = [
  { bytes: 60, weight: 7 },
  { bytes: 590, weight: 4 },
  { bytes: 1514, weight: 1 },
]
