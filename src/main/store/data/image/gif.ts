import { BrokenImage } from '../types'
import { MOST_PIXELS } from './probe'

/** The first frame of a GIF as [height, width, 4], opaque. No codec at hand reads GIF, and a frame is a palette and LZW. */
export function decodeGif(bytes: Uint8Array): { width: number; height: number; pixels: Uint8Array } {
  try {
    return decode(bytes)
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new BrokenImage('it is cut off')
    throw thrown
  }
}

function decode(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [width, height, flags] = [view.getUint16(6, true), view.getUint16(8, true), view.getUint8(10)]
  let at = 13
  let palette = flags & 0x80 ? bytes.subarray(at, at + 3 * (2 << (flags & 7))) : null
  at += palette?.length ?? 0
  // What the frame leaves free shows colour 0, or the transparent one, as in Pillow.
  let background = 0
  for (;;) {
    const block = view.getUint8(at++)
    if (block === 0x21) {
      if (view.getUint8(at) === 0xf9 && view.getUint8(at + 2) & 1) background = view.getUint8(at + 5)
      at = skipBlocks(view, at + 1)
    } else if (block === 0x2c) break
    else throw new BrokenImage('it is a GIF without an image')
  }
  const frame = { left: view.getUint16(at, true), top: view.getUint16(at + 2, true), width: view.getUint16(at + 4, true), height: view.getUint16(at + 6, true) }
  if (frame.width * frame.height > MOST_PIXELS) throw new BrokenImage('it is a damaged GIF')
  const local = view.getUint8(at + 8)
  at += 9
  if (local & 0x80) {
    palette = bytes.subarray(at, at + 3 * (2 << (local & 7)))
    at += palette.length
  }
  const codeSize = view.getUint8(at)
  if (codeSize < 1 || codeSize > 11) throw new BrokenImage('it is a damaged GIF')
  const indices = unpackLzw(joinBlocks(bytes, view, at + 1), codeSize, frame.width * frame.height)
  const canvas = new Uint8Array(width * height).fill(background)
  place(indices, frame, (local & 0x40) !== 0, canvas, width, height)
  return { width, height, pixels: paint(canvas, palette) }
}

function skipBlocks(view: DataView, from: number): number {
  let at = from
  for (let size = view.getUint8(at++); size > 0; size = view.getUint8(at++)) at += size
  return at
}

function joinBlocks(bytes: Uint8Array, view: DataView, from: number): Uint8Array {
  const parts: Uint8Array[] = []
  let at = from
  for (let size = view.getUint8(at++); size > 0; size = view.getUint8(at++)) {
    if (at + size > bytes.length) throw new BrokenImage('it is cut off')
    parts.push(bytes.subarray(at, at + size))
    at += size
  }
  return Buffer.concat(parts)
}

/** Reads codes of changing width, lowest bits first. */
function codeReader(data: Uint8Array): (width: number) => number {
  let [held, bits, at] = [0, 0, 0]
  return width => {
    while (bits < width) {
      if (at >= data.length) throw new BrokenImage('it is cut off')
      held |= data[at++]! << bits
      bits += 8
    }
    const code = held & ((1 << width) - 1)
    held >>>= width
    bits -= width
    return code
  }
}

function unpackLzw(data: Uint8Array, codeSize: number, length: number): Uint8Array {
  const clear = 1 << codeSize
  const prefix = new Uint16Array(4096)
  const suffix = Uint8Array.from({ length: 4096 }, (_, i) => (i < clear ? i : 0))
  const stack = new Uint8Array(4097)
  const out = new Uint8Array(length)
  const read = codeReader(data)
  let [filled, width, next, previous, first] = [0, codeSize + 1, clear + 2, -1, 0]
  while (filled < length) {
    const code = read(width)
    if (code === clear) {
      ;[width, next, previous] = [codeSize + 1, clear + 2, -1]
      continue
    }
    if (code === clear + 1) throw new BrokenImage('it is cut off')
    if (code > next || (previous < 0 && code >= clear)) throw new BrokenImage('it is a damaged GIF')
    let top = 0
    if (code === next) stack[top++] = first
    let walk = code === next ? previous : code
    for (; walk >= clear; walk = prefix[walk]!) stack[top++] = suffix[walk]!
    first = stack[top++] = suffix[walk]!
    if (previous >= 0 && next < 4096) {
      prefix[next] = previous
      suffix[next++] = first
      if (next === 1 << width && width < 12) width++
    }
    previous = code
    while (top > 0 && filled < length) out[filled++] = stack[--top]!
  }
  return out
}

interface Frame { left: number; top: number; width: number; height: number }

function place(indices: Uint8Array, frame: Frame, interlaced: boolean, canvas: Uint8Array, width: number, height: number): void {
  const rows = interlaced ? [[0, 8], [4, 8], [2, 4], [1, 2]].flatMap(([start, step]) => every(start!, step!, frame.height)) : every(0, 1, frame.height)
  const visible = Math.max(0, Math.min(frame.width, width - frame.left))
  rows.forEach((row, i) => {
    const y = frame.top + row
    if (y < height) canvas.set(indices.subarray(i * frame.width, i * frame.width + visible), y * width + frame.left)
  })
}

const every = (start: number, step: number, end: number) => Array.from({ length: Math.max(0, Math.ceil((end - start) / step)) }, (_, i) => start + i * step)

function paint(indices: Uint8Array, palette: Uint8Array | null): Uint8Array {
  const pixels = new Uint8Array(indices.length * 4).fill(255)
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!
    for (let c = 0; c < 3; c++) pixels[4 * i + c] = palette ? palette[3 * index + c] ?? 0 : index
  }
  return pixels
}
