import { BrokenImage } from '../types'

export type ImageFormat = 'JPEG' | 'PNG' | 'GIF' | 'BMP' | 'WebP'
/** What an image's first bytes say. `flat`: eight bits a channel and certainly no alpha. */
export interface Probe { format: ImageFormat; width: number; height: number; flat: boolean }

/** As many as Pillow takes; more is an accident or an attack. */
export const MOST_PIXELS = 178_956_970

/** Reads format and size without decoding; rejects what is no image, cut off or far too large. */
export function probeImage(bytes: Uint8Array): Probe {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let probe: Probe | null
  try {
    probe = probeAny(view)
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new BrokenImage('it is cut off')
    throw thrown
  }
  if (!probe) throw new BrokenImage(bytes.length === 0 ? 'it is empty' : 'it is no JPEG, PNG, GIF, BMP or WebP image')
  const { width, height } = probe
  if (width < 1 || height < 1) throw new BrokenImage(`its size is ${width} x ${height}`)
  if (width * height > MOST_PIXELS) throw new BrokenImage(`its size of ${width} x ${height} pixels is above the limit of 178 million`)
  return probe
}

function probeAny(view: DataView): Probe | null {
  if (view.byteLength < 4) return null
  const head = view.getUint32(0)
  if (head >>> 8 === 0xffd8ff) return probeJpeg(view)
  if (head === 0x89504e47) return probePng(view)
  if (head === 0x47494638) return { format: 'GIF', width: view.getUint16(6, true), height: view.getUint16(8, true), flat: true }
  if (head >>> 16 === 0x424d) return probeBmp(view)
  if (head === 0x52494646 && view.byteLength >= 12 && view.getUint32(8) === 0x57454250) return probeWebp(view)
  return null
}

function probeJpeg(view: DataView): Probe {
  let size: { width: number; height: number } | null = null
  for (let at = 2; ;) {
    if (view.getUint8(at) !== 0xff) throw new BrokenImage('it is a damaged JPEG')
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at++
      continue
    }
    const length = view.getUint16(at + 2)
    const frame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (frame) size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    if (marker === 0xda) {
      // The decoder fills a cut-off file up with grey; the missing end marker tells it apart.
      if (!size || !hasEnd(view, at)) throw new BrokenImage('it is cut off')
      return { format: 'JPEG', ...size, flat: true }
    }
    at += 2 + length
  }
}

function hasEnd(view: DataView, from: number): boolean {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).lastIndexOf(Buffer.from([0xff, 0xd9])) > from
}

function probePng(view: DataView): Probe {
  const [width, height, depth, colour] = [view.getUint32(16), view.getUint32(20), view.getUint8(24), view.getUint8(25)]
  let alpha = colour === 4 || colour === 6
  // A tRNS chunk makes colours transparent; it stands before the pixels.
  for (let at = 33; !alpha && at + 8 <= view.byteLength;) {
    const type = view.getUint32(at + 4)
    if (type === 0x49444154) break
    if (type === 0x74524e53) alpha = true
    at += 12 + view.getUint32(at)
  }
  return { format: 'PNG', width, height, flat: !alpha && depth <= 8 }
}

function probeBmp(view: DataView): Probe {
  const header = view.getUint32(14, true)
  if (header === 12) return { format: 'BMP', width: view.getUint16(18, true), height: view.getUint16(20, true), flat: true }
  return { format: 'BMP', width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)), flat: view.getUint16(28, true) <= 24 }
}

function probeWebp(view: DataView): Probe {
  const chunk = view.getUint32(12)
  const uint24 = (at: number) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2)
  if (chunk === 0x56503858) return { format: 'WebP', width: uint24(24) + 1, height: uint24(27) + 1, flat: false }
  if (chunk === 0x5650384c) {
    const bits = view.getUint32(21, true)
    return { format: 'WebP', width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, flat: false }
  }
  return { format: 'WebP', width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff, flat: true }
}
