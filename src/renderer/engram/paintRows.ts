import type { ThemeName } from '../theme/tokens'
import { pixelColours } from './colours'
import type { Layout } from './layout'
import type { Mode } from './lens'
import { strength } from './stats'

/** The map's pixels, a column each; what lies between blocks stays clear. */
export function paintRows(layout: Layout, shown: readonly Uint32Array[], columns: number, { mode, neutral, range }: { mode: Mode; neutral: number; range: number }, theme: ThemeName): ImageData {
  const colour = pixelColours(mode === 'shift' ? 'amount' : 'gain', theme)
  const image = new ImageData(columns, layout.height), pixels = new Uint32Array(image.data.buffer)
  layout.rows.forEach((row, r) => {
    const line = Uint32Array.from(shown[r]!, channel => colour(strength(row.values[channel]!, neutral, range)))
    for (let y = row.y; y < row.y + row.height; y++) pixels.set(line, y * columns)
  })
  return image
}
