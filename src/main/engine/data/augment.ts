import type { Random } from './random'
import type { Box } from './types'

const SCALE = [0.08, 1] as const
const RATIO = [3 / 4, 4 / 3] as const

/** The part of an image that a random resized crop shows, drawn as torchvision's RandomResizedCrop draws it. */
export function randomBox({ width, height }: { width: number; height: number }, random: Random): Box {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * between(SCALE, random)
    const ratio = Math.exp(between([Math.log(RATIO[0]), Math.log(RATIO[1])], random))
    const w = Math.round(Math.sqrt(area * ratio))
    const h = Math.round(Math.sqrt(area / ratio))
    if (w > 0 && h > 0 && w <= width && h <= height) {
      const top = random.int(height - h + 1)
      return { left: random.int(width - w + 1), top, width: w, height: h }
    }
  }
  return centreBox(width, height)
}

const between = ([low, high]: readonly [number, number], random: Random) => low + (high - low) * random.uniform()

function centreBox(width: number, height: number): Box {
  const ratio = Math.min(Math.max(width / height, RATIO[0]), RATIO[1])
  const w = Math.max(1, Math.min(width, Math.round(height * ratio)))
  const h = Math.max(1, Math.min(height, Math.round(width / ratio)))
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h }
}
