import type { Box } from '../../engine/data/types'
import { copyRgb, decodeResized, resizePart, type Interpolation } from './image/decode'
import type { ImageInput } from './types'

/** How images become what a model sees; part of the data's choices in a recipe. */
export interface View { imageSize: number; interpolation: Interpolation; resize: 'squash' | 'crop'; cropFraction: number }
/** Pixels [height, width, 3]. */
export interface RgbImage { width: number; height: number; pixels: Uint8Array }

/** Just the fields that shape pixels, so that equal views compare equal. */
export const viewOf = (choice: Omit<View, 'imageSize'>, imageSize: number): View => ({
  imageSize, interpolation: choice.interpolation, resize: choice.resize, cropFraction: choice.resize === 'crop' ? choice.cropFraction : 1,
})

/** Decodes one image for a model of this view: [S, S, 3]. Rejects with BrokenImage. */
export async function decodeForModel(input: ImageInput, view: View): Promise<Uint8Array> {
  const side = view.imageSize
  const image = await decodeResized(input, (width, height) => resized(width, height, view), view.interpolation)
  const pixels = new Uint8Array(side * side * 3)
  copyRgb(image, middle(image.width - side), middle(image.height - side), side, side, pixels, 0)
  return pixels
}

/** timm: the short side becomes floor(size / fraction), then the centre is cut out. */
function resized(width: number, height: number, view: View): { width: number; height: number } {
  if (view.resize === 'squash') return { width: view.imageSize, height: view.imageSize }
  return shortSide(width, height, Math.max(view.imageSize, Math.floor(view.imageSize / view.cropFraction)))
}

function shortSide(width: number, height: number, side: number): { width: number; height: number } {
  return width <= height ? { width: side, height: Math.trunc((side * height) / width) } : { width: Math.trunc((side * width) / height), height: side }
}

/** Python's rounding of a half goes to the even number. */
const middle = (free: number) => (free % 4 === 3 ? (free + 1) / 2 : Math.floor(free / 2))

/** Random crops are cut from images with this much more than the model's side, enough for their sharpness. */
const WIDE = 1.25

/** Decodes one image for random crops: its own shape, made smaller where its short side is far above the model's. */
export async function decodeWide(input: ImageInput, view: View): Promise<RgbImage> {
  const side = Math.ceil(view.imageSize * WIDE)
  const image = await decodeResized(input, (width, height) => (Math.min(width, height) <= side ? { width, height } : shortSide(width, height, side)), view.interpolation)
  const pixels = new Uint8Array(image.width * image.height * 3)
  copyRgb(image, 0, 0, image.width, image.height, pixels, 0)
  return { width: image.width, height: image.height, pixels }
}

/** Resizes a part of a decoded image to [S, S, 3] at byte `at` of `into`. */
export async function cropInto(image: RgbImage, box: Box, view: View, into: Uint8Array, at: number): Promise<void> {
  const size = { width: view.imageSize, height: view.imageSize }
  const part = await resizePart({ ...image, channels: 3 }, box, size, view.interpolation)
  copyRgb(part, 0, 0, size.width, size.height, into, at)
}
