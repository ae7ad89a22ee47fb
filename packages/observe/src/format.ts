/** Numbers as people read them: three significant digits and a unit. */

/** Whole number with thousands separated by commas. */
export function formatCount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Three significant digits of a number in [0, 1000). */
function significant(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

function scaled(value: number, units: readonly string[]): string {
  let scale = 0
  let rest = value
  while (rest >= 999.5 && scale < units.length - 1) {
    rest /= 1000
    scale++
  }
  const text = scale === 0 && Number.isInteger(rest) ? String(rest) : significant(rest)
  return `${text} ${units[scale]}`
}

/** Packets per second: `812 pps`, `118 kpps`, `4.00 Mpps`. */
export function formatRate(packetsPerSec: number): string {
  return scaled(packetsPerSec, ['pps', 'kpps', 'Mpps', 'Gpps'])
}

/** Events per second without the unit's name: `812 /s`, `12.0 k/s`. */
export function formatFrequency(perSec: number): string {
  return scaled(perSec, ['/s', 'k/s', 'M/s', 'G/s'])
}

/** Bits per second: `10.0 Gbit/s`. */
export function formatBitRate(bitsPerSec: number): string {
  return scaled(bitsPerSec, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'])
}

/** A time in ns: `812 ns`, `4.10 µs`, `100 ms`, `2.00 s`. */
export function formatTime(ns: number): string {
  return scaled(ns, ['ns', 'µs', 'ms', 's'])
}

/** Bytes: `2,304 B`, `212 kB`, `4.19 MB` (powers of ten). */
export function formatBytes(bytes: number): string {
  return bytes < 10_000 ? `${formatCount(bytes)} B` : scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB'])
}

/** A share in [0,1] as percent with one digit; never `0.0` or `100.0` for something between. */
export function formatPercent(share: number): string {
  if (share > 0 && share < 0.0005) return '<0.1 %'
  if (share < 1 && share >= 0.9995) return '>99.9 %'
  return `${(share * 100).toFixed(1)} %`
}

/** CPU numbers as a hexadecimal mask in groups of 32, as `rps_cpus` shows it: `e`, `ff,fffffffe`. */
export function formatCpuMask(cpus: readonly number[]): string {
  const words: number[] = [0]
  for (const cpu of cpus) {
    const word = Math.floor(cpu / 32)
    while (words.length <= word) words.push(0)
    words[word] = (words[word]! | (1 << (cpu % 32))) >>> 0
  }
  return words
    .reverse()
    .map((word, i) => (i === 0 ? word.toString(16) : word.toString(16).padStart(8, '0')))
    .join(',')
}
