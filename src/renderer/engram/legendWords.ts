import type { Mode } from './lens'

/** What the ends of the colours mean, and the values between them. */
export function legendWords(mode: Mode, end: number, compared: boolean): { low: string; high: string; ticks: string[] } {
  if (mode === 'shift') return { low: 'none', high: '|shift|', ticks: [0, end / 2, end].map(value => String(Number(value.toPrecision(3)))) }
  const digits = end < 1.02 ? 3 : 2
  const ticks = [1 / end, 1 / Math.sqrt(end), 1, Math.sqrt(end), end].map((value, i) => i === 2 ? '1.0' : value.toFixed(digits))
  return { low: compared ? 'less than the other' : 'depression', high: compared ? 'more than the other' : 'potentiation', ticks }
}
