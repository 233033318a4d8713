import { Transformer } from '@napi-rs/image'
import type { Box } from '../../../engine/data/types'
import { BrokenImage, type ImageInput } from '../types'
import { messageOf } from '../failures'
import { decodeGif } from './gif'
import { probeImage, MOST_PIXELS, type Probe } from './probe'

export type Interpolation = 'bicubic' | 'bilinear'
/** Pixels [height, width, channels]; of four channels only the first three count. */
export interface Decoded { width: number; height: number; channels: 1 | 3 | 4; pixels: Uint8Array }
/** The size an image is to be resized to, given its own. */
export type Target = (width: number, height: number) => Size

// Values of the codec's enums, which TypeScript cannot import under isolatedModules.
const FILTER = { bilinear: 1, bicubic: 3 } as const
const FILL = 1

/**
 * Decodes an image and resizes it as Pillow does: antialiased, alpha dropped, EXIF rotation ignored.
 * Decoding and resizing run on threads of libuv.
 */
export async function decodeResized(input: ImageInput, target: Target, interpolation: Interpolation): Promise<Decoded> {
  if (!(input instanceof Uint8Array)) return resizeDecoded(input, target, interpolation)
  const probe = probeImage(input)
  if (probe.format === 'GIF') return resizeDecoded({ ...decodeGif(input), channels: 4 }, target, interpolation)
  const size = checked(target(probe.width, probe.height))
  const [first, ...rest] = passes(probe, size)
  if (!first || !probe.flat) return resizeDecoded(await decodeWhole(input, probe), target, interpolation)
  // Decoding and the first pass in one call spare a trip of the whole image through JavaScript.
  const transformer = decoder(input, probe).fastResize({ ...first, filter: FILTER[interpolation], fit: FILL })
  const image = described(await raw(transformer, probe), first)
  return rest[0] ? resizePass(image, rest[0], interpolation) : image
}

interface Size { width: number; height: number }

/**
 * The steps of a resize. The codec goes vertically first, Pillow mostly horizontally (its own rule, found by trial), and
 * rounding in between makes them differ at sharp edges; one direction at a time, the two agree to the bit.
 */
function passes(from: Size, to: Size): Size[] {
  if (from.width === to.width && from.height === to.height) return []
  const verticalFirst = from.height > to.height && 2 * (from.width - to.width) < from.height - to.height
  if (verticalFirst || from.width === to.width || from.height === to.height) return [to]
  return [{ width: to.width, height: from.height }, to]
}

async function resizePass({ width, height, pixels }: Decoded, size: Size, interpolation: Interpolation): Promise<Decoded> {
  const transformer = Transformer.fromRgbaPixels(pixels, width, height).fastResize({ ...size, filter: FILTER[interpolation], fit: FILL })
  return described(await transformer.rawPixels(), size)
}

function checked(size: Size): Size {
  if (size.width * size.height > MOST_PIXELS) throw new BrokenImage('it is far too long and narrow')
  return size
}

function decoder(bytes: Uint8Array, probe: Probe): Transformer {
  try {
    return new Transformer(bytes)
  } catch (thrown) {
    throw damaged(probe, thrown)
  }
}

const damaged = (probe: Probe, thrown: unknown) => new BrokenImage(`it is a damaged ${probe.format} (${messageOf(thrown).replace('Decode image failed ', '')})`, { cause: thrown })
const raw = (transformer: Transformer, probe: Probe): Promise<Uint8Array> => transformer.rawPixels().catch((thrown: unknown) => { throw damaged(probe, thrown) })

/** Names the channels by the number of bytes, since the codec adds alpha when it resizes. */
function described(pixels: Uint8Array, { width, height }: Size): Decoded {
  const channels = pixels.length / (width * height)
  if (channels === 1 || channels === 3 || channels === 4) return { width, height, channels, pixels }
  throw new BrokenImage(`it has ${channels} bytes a pixel`)
}

/** All pixels at their own size, eight bits a channel, alpha last. */
async function decodeWhole(bytes: Uint8Array, probe: Probe): Promise<Decoded> {
  const transformer = decoder(bytes, probe)
  const { colorType } = await transformer.metadata().catch((thrown: unknown) => { throw damaged(probe, thrown) })
  const pixels = await raw(transformer, probe)
  const values = colorType >= 8 ? null : colorType >= 4 ? new Uint16Array(pixels.buffer.slice(pixels.byteOffset, pixels.byteOffset + pixels.length)) : pixels
  if (!values) throw new BrokenImage('it has floating point pixels')
  const channels = (colorType % 4) + 1
  if (colorType < 4 && channels !== 2) return described(pixels, probe)
  const shift = colorType >= 4 ? 8 : 0
  const out = new Uint8Array(probe.width * probe.height * 4)
  for (let i = 0, o = 0; o < out.length; i += channels, o += 4) {
    out[o] = values[i]! >> shift
    out[o + 1] = values[channels > 2 ? i + 1 : i]! >> shift
    out[o + 2] = values[channels > 2 ? i + 2 : i]! >> shift
  }
  return { width: probe.width, height: probe.height, channels: 4, pixels: out }
}

async function resizeDecoded(image: Decoded, target: Target, interpolation: Interpolation): Promise<Decoded> {
  const size = checked(target(image.width, image.height))
  if (size.width === image.width && size.height === image.height) return image
  return resizePart(image, { left: 0, top: 0, width: image.width, height: image.height }, size, interpolation)
}

/** Resizes a part of decoded pixels; the result has four channels. */
export async function resizePart(image: Decoded, box: Box, size: Size, interpolation: Interpolation): Promise<Decoded> {
  const opaque = new Uint8Array(box.width * box.height * 4)
  const { channels, pixels } = image
  const colour = channels > 1
  for (let y = 0, o = 0; y < box.height; y++) {
    let i = ((box.top + y) * image.width + box.left) * channels
    for (let x = 0; x < box.width; x++, i += channels, o += 4) {
      opaque[o] = pixels[i]!
      opaque[o + 1] = pixels[colour ? i + 1 : i]!
      opaque[o + 2] = pixels[colour ? i + 2 : i]!
      opaque[o + 3] = 255
    }
  }
  let part: Decoded = { width: box.width, height: box.height, channels: 4, pixels: opaque }
  for (const step of passes(box, size)) part = await resizePass(part, step, interpolation)
  return part
}

/** Writes a part of decoded pixels as [height, width, 3] into `into` from byte `at` on. */
export function copyRgb(image: Decoded, left: number, top: number, width: number, height: number, into: Uint8Array, at: number): void {
  const { channels, pixels } = image
  const colour = channels > 1
  for (let y = 0, o = at; y < height; y++) {
    let i = ((top + y) * image.width + left) * channels
    if (channels === 3) {
      into.set(pixels.subarray(i, i + width * 3), o)
      o += width * 3
      continue
    }
    for (let x = 0; x < width; x++, i += channels, o += 3) {
      into[o] = pixels[i]!
      into[o + 1] = pixels[colour ? i + 1 : i]!
      into[o + 2] = pixels[colour ? i + 2 : i]!
    }
  }
}
