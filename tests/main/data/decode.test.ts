import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/main/engine/data/random'
import { copyRgb, decodeResized, type Interpolation } from '../../../src/main/store/data/image/decode'
import { probeImage } from '../../../src/main/store/data/image/probe'
import { BrokenImage } from '../../../src/main/store/data/types'
import { decodeForModel, decodeWide, viewOf } from '../../../src/main/store/data/view'
import { difference, fixtures, png, readTensors, references } from './support/index'

async function rgb(bytes: Uint8Array, size: { width: number; height: number } | null, interpolation: Interpolation): Promise<Uint8Array> {
  const image = await decodeResized(bytes, (width, height) => size ?? { width, height }, interpolation)
  const out = new Uint8Array(image.width * image.height * 3)
  copyRgb(image, 0, 0, image.width, image.height, out, 0)
  return out
}

// JPEG decoders round differently; everything else has one right answer. The contract allows 2.
const bound = (name: string) => (name.endsWith('.jpg') ? 0.8 : 0.1)

describe('as Pillow', () => {
  const names = readdirSync(references).filter(name => !/safetensors|json/.test(name))
  it.each(names)('%s of the reference fixtures', async name => {
    const bytes = readFileSync(join(references, name))
    for (const [key, { shape, bytes: expected }] of Object.entries(readTensors(join(references, `${name}.safetensors`)))) {
      if (key === 'eval') continue
      const filter = key === 'rgb' ? 'bicubic' : (key.split('.')[0] as Interpolation)
      const made = await rgb(bytes, { height: shape[0]!, width: shape[1]! }, filter)
      expect(difference(made, expected).mean, key).toBeLessThan(bound(name))
    }
  })

  it.each(names)('%s through timm\'s evaluation transform', async name => {
    const { bytes, shape } = readTensors(join(references, `${name}.safetensors`))['eval']!
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    const side = shape[1]!
    const made = await decodeForModel(readFileSync(join(references, name)), viewOf({ interpolation: 'bicubic', resize: 'crop', cropFraction: 0.9 }, side))
    let sum = 0
    for (let i = 0; i < side * side; i++) for (let c = 0; c < 3; c++) sum += Math.abs((made[3 * i + c]! / 255 - 0.5) / 0.5 - expected[c * side * side + i]!)
    expect((sum / expected.length) * 127.5).toBeLessThan(bound(name))
  })

  const own = readdirSync(fixtures).filter(name => name.endsWith('.rgb')).map(name => name.slice(0, -4))
  it.each(own)('%s', async name => {
    const bytes = readFileSync(join(fixtures, name))
    const { width, height } = probeImage(bytes)
    const expected = readFileSync(join(fixtures, `${name}.rgb`))
    const cut = [0, width * height * 3, width * height * 3 + 24 * 24 * 3, expected.length]
    const made = [await rgb(bytes, null, 'bicubic'), await rgb(bytes, { width: 24, height: 24 }, 'bicubic'), await rgb(bytes, { width: 40, height: 48 }, 'bilinear')]
    made.forEach((pixels, i) => expect(difference(pixels, expected.subarray(cut[i], cut[i + 1])).mean, `part ${i}`).toBeLessThan(bound(name)))
  })

  it('keeps the upper eight of sixteen bits', async () => {
    const grey = readFileSync(join(fixtures, 'deep.png.grey'))
    const made = await rgb(readFileSync(join(fixtures, 'deep.png')), null, 'bicubic')
    expect(made.filter((_, i) => i % 3 === 0)).toEqual(new Uint8Array(grey))
  })
})

describe('stored for random crops', () => {
  it('keeps the shape and never enlarges', async () => {
    const view = viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, 16)
    expect(await decodeWide(png(1, 100, 50), view)).toMatchObject({ width: 40, height: 20 })
    expect(await decodeWide(png(1, 19, 90), view)).toMatchObject({ width: 19, height: 90 })
  })
})

describe('broken files', () => {
  const view = viewOf({ interpolation: 'bicubic', resize: 'squash', cropFraction: 1 }, 16)
  const reason = (bytes: Uint8Array) => decodeForModel(bytes, view).then(() => 'decoded', (thrown: unknown) => {
    if (!(thrown instanceof BrokenImage)) throw thrown
    return thrown.message
  })

  it('say what is wrong', async () => {
    expect(await reason(new Uint8Array(0))).toBe('it is empty')
    expect(await reason(Buffer.from('hello, this is text'))).toBe('it is no JPEG, PNG, GIF, BMP or WebP image')
    for (const name of ['cmyk.jpg', 'progressive.jpg', 'bits.png', 'palette.bmp', 'interlaced.gif', 'lossy.webp', 'ghost.webp']) {
      const bytes = readFileSync(join(fixtures, name))
      for (const part of [0.02, 0.3, 0.6, 0.9]) {
        expect(await reason(bytes.subarray(0, Math.max(12, Math.floor(part * bytes.length)))), `${name} ${part}`).toMatch(/^it is (a damaged|cut off)/)
      }
    }
  })

  it('are refused by their size alone when they would fill the memory', async () => {
    const bomb = Buffer.from(readFileSync(join(fixtures, 'bits.png')))
    bomb.writeUInt32BE(60000, 16)
    bomb.writeUInt32BE(60000, 20)
    expect(await reason(bomb)).toMatch(/60000 x 60000 pixels is above the limit/)
    const gif = Buffer.from(readFileSync(join(fixtures, 'interlaced.gif')))
    gif.writeUInt16LE(65535, 6)
    gif.writeUInt16LE(65535, 8)
    expect(await reason(gif)).toMatch(/above the limit/)
  })

  it('never fail otherwise, however they are damaged', async () => {
    const random = createRandom('fuzz')
    for (const name of readdirSync(fixtures).filter(file => /\.(jpg|png|gif|bmp|webp)$/.test(file))) {
      const original = readFileSync(join(fixtures, name))
      for (let round = 0; round < 60; round++) {
        const bytes = Buffer.from(original)
        for (let k = 0; k < 6; k++) bytes[random.int(k < 4 ? Math.min(64, bytes.length) : bytes.length)] = random.int(256)
        await reason(round % 3 === 0 ? bytes.subarray(0, random.int(bytes.length)) : bytes)
      }
    }
  })
})
