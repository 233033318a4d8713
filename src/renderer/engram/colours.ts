import { palettes, type ColourName, type ThemeName } from '../theme/tokens'

const gainStops: readonly ColourName[] = ['gain-d5', 'gain-d4', 'gain-d3', 'gain-d2', 'gain-d1', 'gain-0', 'gain-p1', 'gain-p2', 'gain-p3', 'gain-p4', 'gain-p5']
const amountStops: readonly ColourName[] = ['seq-0', 'seq-1', 'seq-2', 'seq-3', 'seq-4', 'seq-5', 'seq-6']
const STEPS = 256

/** Gains have their own scale; everything else is an amount. */
export type Ink = 'gain' | 'amount'
export const stopsOf = (ink: Ink): readonly ColourName[] => ink === 'gain' ? gainStops : amountStops

const channels = (hex: string): number[] => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16))

/** Colours from the first stop to the last, mixed in RGB. */
function mixed(ink: Ink, theme: ThemeName, share: number): number[] {
  const stops = stopsOf(ink), at = share * (stops.length - 1), left = Math.min(stops.length - 2, Math.floor(at))
  const [a, b] = [channels(palettes[theme][stops[left]!]), channels(palettes[theme][stops[left + 1]!])]
  return a.map((x, i) => Math.round(x + (b[i]! - x) * (at - left)))
}

/** Strength −1 to 1 as a share of the scale: amounts have no sign. */
const shareOf = (ink: Ink, strength: number): number => ink === 'gain' ? (strength + 1) / 2 : Math.abs(strength)

export const cssColour = (ink: Ink, theme: ThemeName, strength: number): string => `rgb(${mixed(ink, theme, shareOf(ink, strength)).join(' ')})`

/** The same as canvas pixels, looked up: strength to one 32-bit pixel. */
export function pixelColours(ink: Ink, theme: ThemeName): (strength: number) => number {
  const table = Uint32Array.from({ length: STEPS + 1 }, (_, i) => {
    const [r = 0, g = 0, b = 0] = mixed(ink, theme, i / STEPS)
    return (255 << 24 | b << 16 | g << 8 | r) >>> 0
  })
  return strength => table[Math.round(shareOf(ink, strength) * STEPS)]!
}

/** Text that can be read on a colour. */
export function textOn(ink: Ink, theme: ThemeName, strength: number): string {
  const [r = 0, g = 0, b = 0] = mixed(ink, theme, shareOf(ink, strength))
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? palettes.light['text-1'] : palettes.dark['text-1']
}
