import { Transformer } from '@napi-rs/image'
import { copyRgb, decodeResized } from './image/decode'
import type { ImageInput } from './types'
import type { RgbImage } from './view'

/** An image in its own shape as a PNG, made smaller where a side is larger than `side`. Rejects with BrokenImage. */
export async function thumbnail(input: ImageInput, side: number): Promise<Uint8Array> {
  const image = await decodeResized(input, (width, height) => within(width, height, side), 'bicubic')
  const pixels = new Uint8Array(image.width * image.height * 3)
  copyRgb(image, 0, 0, image.width, image.height, pixels, 0)
  return encodePng({ width: image.width, height: image.height, pixels })
}

function within(width: number, height: number, side: number): { width: number; height: number } {
  const scale = Math.min(1, side / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

export function encodePng({ width, height, pixels }: RgbImage): Promise<Buffer> {
  const rgba = new Uint8Array(width * height * 4).fill(255)
  for (let i = 0, o = 0; i < pixels.length; i += 3, o += 4) {
    rgba[o] = pixels[i]!
    rgba[o + 1] = pixels[i + 1]!
    rgba[o + 2] = pixels[i + 2]!
  }
  return Transformer.fromRgbaPixels(rgba, width, height).png()
}
