import { spawn, type ChildProcess } from 'node:child_process'
import { appendFileSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeSync, closeSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeSplits } from '../../../src/main/engine/data/split'
import type { ImageSplit } from '../../../src/main/engine/data/types'
import { cacheReport, clearCache } from '../../../src/main/store/data/cache/room'
import { describeDataset } from '../../../src/main/store/data/describe'
import { openDataset } from '../../../src/main/store/data/open'
import { prepareData, type PreparedData, type PrepareOptions } from '../../../src/main/store/data/prepare'
import { previewImages } from '../../../src/main/store/data/preview'
import { decodeForModel, type View } from '../../../src/main/store/data/view'
import { choice, classFiles, png, put, refusal, scratch, view } from './support/index'

afterEach(() => { vi.restoreAllMocks() })

interface Made { data: PreparedData; reads: string[] }

async function prepare(path: string, cacheDir: string, options: Partial<PrepareOptions> & { view?: View; limit?: number } = {}): Promise<Made> {
  const source = await openDataset(path)
  const reads: string[] = []
  const counted = { ...source, read: (sample: (typeof source.samples)[number]) => (reads.push(sample.file), source.read(sample)) }
  try {
    const data = await prepareData(counted, makeSplits(source, { ...choice, limit: options.limit ?? null }), options.view ?? view, { cacheDir, limitBytes: 1e9, ...options })
    return { data, reads }
  } finally {
    await source.close()
  }
}

async function pixels(split: ImageSplit, position: number): Promise<Uint8Array> {
  const into = new Uint8Array(split.imageSize ** 2 * 3 + 7)
  await split.read(position, into, 7)
  return into.subarray(7)
}

/** Compares all prepared images of a split with freshly decoded ones. */
async function check(data: PreparedData, folder: string, shape: View = view): Promise<void> {
  for (const split of [data.train, data.validation]) {
    for (let i = 0; i < split.size; i++) {
      const fresh = await decodeForModel(readFileSync(join(folder, split.files[i]!)), shape)
      if (Buffer.compare(await pixels(split, i), fresh) !== 0) throw new Error(`${split.files[i]} differs`)
    }
  }
}

const set = (each = 6) => put(scratch(), classFiles(['a', 'b'], each))
const entryOf = (cacheDir: string) => join(cacheDir, readdirSync(cacheDir).find(name => !name.startsWith('.'))!)
const fileOf = (folder: string, ending: string) => join(folder, readdirSync(folder).find(name => name.endsWith(ending))!)

describe('prepared data', () => {
  it('is decoded once', async () => {
    const [folder, cacheDir] = [set(), scratch()]
    const first = await prepare(folder, cacheDir)
    expect(first.reads).toHaveLength(12)
    await check(first.data, folder)
    await first.data.close()
    const second = await prepare(folder, cacheDir)
    expect(second.reads).toEqual([])
    await check(second.data, folder)
    expect([...second.data.train.labels, ...second.data.validation.labels].sort()).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    await second.data.close()
  })

  it('grows by what a later run needs, and again only by what changed', async () => {
    const [folder, cacheDir] = [set(), scratch()]
    const small = await prepare(folder, cacheDir, { limit: 4 })
    expect(small.reads).toHaveLength(4)
    await small.data.close()
    const progress: number[] = []
    const whole = await prepare(folder, cacheDir, { onProgress: ({ done, total }) => progress.push(done / total) })
    expect(whole.reads).toHaveLength(8)
    expect(progress[0]).toBeCloseTo(4 / 12)
    expect(progress.at(-1)).toBe(1)
    await whole.data.close()
    put(folder, { 'a/0.png': png(77) })
    const changed = await prepare(folder, cacheDir)
    expect(changed.reads).toHaveLength(12)
    await check(changed.data, folder)
    await changed.data.close()
  })

  it('differs by view', async () => {
    const [folder, cacheDir] = [set(), scratch()]
    for (const shape of [view, { ...view, imageSize: 8 }, { ...view, interpolation: 'bilinear' as const }, { ...view, resize: 'crop' as const, cropFraction: 0.5 }]) {
      const { data, reads } = await prepare(folder, cacheDir, { view: shape })
      expect(reads).toHaveLength(12)
      await check(data, folder, shape)
      await data.close()
    }
  })

  it('for random crops keeps the shape of the training images', async () => {
    const folder = put(scratch(), Object.fromEntries([0, 1, 2, 3].flatMap(i => [[`a/${i}.png`, png(i, 60, 30)], [`b/${i}.png`, png(i + 9, 18, 90)]])))
    const { data } = await prepare(folder, scratch(), { augment: 'crop' })
    const sizes = [...data.train.labels].map((_, i) => data.train.wide!.size(i))
    expect(sizes).toContainEqual({ width: 40, height: 20 })
    expect(sizes).toContainEqual({ width: 18, height: 90 })
    expect(data.validation.wide).toBeUndefined()
    const wide = sizes.findIndex(({ width }) => width === 40)
    const into = new Uint8Array(16 * 16 * 3)
    await data.train.wide!.crop(wide, { left: 3, top: 2, width: 16, height: 16 }, into, 0)
    expect(new Set(into).size).toBeGreaterThan(50)
    await data.close()
  })

  it('stops when asked, and keeps what is done', async () => {
    const [folder, cacheDir] = [set(40), scratch()]
    const stop = new AbortController()
    const thrown = await refusal(prepare(folder, cacheDir, { signal: stop.signal, onProgress: ({ done }) => { if (done === 30) stop.abort() } }))
    expect(thrown.code).toBe('cancelled')
    const { data, reads } = await prepare(folder, cacheDir)
    expect(reads.length).toBeLessThanOrEqual(50)
    await check(data, folder)
    await data.close()
  })
})

describe('broken files', () => {
  it('are listed with their reason and skipped', async () => {
    const [folder, cacheDir] = [put(set(), { 'a/2.png': 'no image', 'b/4.png': png(3).subarray(0, 60) }), scratch()]
    for (const expected of [12, 0]) {
      const { data, reads } = await prepare(folder, cacheDir)
      expect(reads).toHaveLength(expected)
      expect(data.train.size + data.validation.size).toBe(10)
      expect(data.broken).toEqual([{ file: 'a/2.png', reason: 'it is no JPEG, PNG, GIF, BMP or WebP image' }, { file: 'b/4.png', reason: expect.stringMatching(/damaged PNG/) as string }])
      expect(data.notices).toContain('2 broken images are left out.')
      data.train.files.forEach((file, i) => expect(file[0]).toBe('ab'[data.train.labels[i]!]))
      await data.close()
    }
    expect((await describeDataset(folder, cacheDir)).broken.map(({ file }) => file)).toEqual(['a/2.png', 'b/4.png'])
  })

  it('that leave a class empty are an error', async () => {
    const folder = put(set(2), { 'b/0.png': 'x', 'b/1.png': '' })
    const cacheDir = scratch()
    expect((await refusal(prepare(folder, cacheDir))).message).toMatch(/^All train images of class "b" in .* are broken \(b\/\d.png: it is .*\): replace them or remove the class.$/)
    await clearCache(cacheDir)
    expect(readdirSync(cacheDir)).toEqual([])
  })

  it('that could not be read are tried again', async () => {
    const [folder, cacheDir] = [set(), scratch()]
    const source = await openDataset(folder)
    rmSync(join(folder, 'a/3.png'))
    const splits = makeSplits(source, choice)
    const data = await prepareData(source, splits, view, { cacheDir, limitBytes: 1e9 })
    expect(data.broken).toEqual([{ file: 'a/3.png', reason: 'it cannot be read: it is not there' }])
    await data.close()
    put(folder, { 'a/3.png': png(3) })
    const again = await prepareData(source, splits, view, { cacheDir, limitBytes: 1e9 })
    expect(again.broken).toEqual([])
    await again.close()
  })
})

describe('damage', () => {
  it('to the end of a segment costs only what is cut off', async () => {
    const [folder, cacheDir] = [set(), scratch()]
    await (await prepare(folder, cacheDir)).data.close()
    const index = fileOf(entryOf(cacheDir), '.index')
    const segment = fileOf(entryOf(cacheDir), '.pixels')
    truncateSync(segment, statSync(segment).size - 1000)
    appendFileSync(index, 'half a rec')
    const { data, reads } = await prepare(folder, cacheDir)
    expect(reads).toHaveLength(2)
    await check(data, folder)
    await data.close()
  })

  it('inside a segment is found out', async () => {
    const [folder, cacheDir] = [set(), scratch()]
    await (await prepare(folder, cacheDir)).data.close()
    const fd = openSync(fileOf(entryOf(cacheDir), '.pixels'), 'r+')
    writeSync(fd, Buffer.alloc(5000, 1), 0, 5000, 0)
    closeSync(fd)
    const { data } = await prepare(folder, cacheDir)
    expect((await refusal(check(data, folder))).message).toMatch(/prepared images of .* are damaged: clear the cache, then start again/)
    await data.close()
  })

  it('of a full disk ends in disk-full and can be gone on from', async () => {
    const [folder, cacheDir] = [set(200), scratch()]
    const probe = await fs.open(join(folder, 'a/0.png'))
    const prototype = Object.getPrototypeOf(probe) as { writev(buffers: readonly Uint8Array[]): Promise<unknown> }
    await probe.close()
    const real = prototype.writev
    let left = 2
    vi.spyOn(prototype, 'writev').mockImplementation(function (this: unknown, buffers) {
      if (left-- > 0) return real.call(this, buffers)
      return Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
    })
    const thrown = await refusal(prepare(folder, cacheDir))
    expect(thrown).toMatchObject({ code: 'disk-full', message: expect.stringMatching(/the disk is full/) as string })
    vi.restoreAllMocks()
    const entry = entryOf(cacheDir)
    expect(statSync(fileOf(entry, '.pixels')).size).toBe((statSync(fileOf(entry, '.index')).size / 24) * 16 * 16 * 3)
    const { data, reads } = await prepare(folder, cacheDir)
    expect(reads).toHaveLength(400 - 256)
    await check(data, folder)
    await data.close()
  })
})

describe('the limit', () => {
  const bytes = (n: number) => n * (16 * 16 * 3)

  it('removes what was not used for longest, never what is in use', async () => {
    const cacheDir = scratch()
    const folders = [set(), set(), set(), set()]
    const keys: string[] = []
    for (const [i, folder] of folders.slice(0, 3).entries()) {
      await (await prepare(folder, cacheDir)).data.close()
      const key = readdirSync(cacheDir).find(name => !keys.includes(name))!
      keys.push(key)
      utimesSync(join(cacheDir, key, 'manifest.json'), 1000 + i, 1000 + i)
    }
    const inUse = await prepare(folders[0]!, cacheDir)
    utimesSync(join(cacheDir, keys[0]!, 'manifest.json'), 1000, 1000)
    const { data } = await prepare(folders[3]!, cacheDir, { limitBytes: bytes(36) + 4000 })
    const report = await cacheReport(cacheDir, 5)
    expect(report.limitBytes).toBe(5)
    expect(report.bytes).toBe(report.entries.reduce((sum, entry) => sum + entry.bytes, 0))
    expect(report.entries.map(({ key }) => key)).not.toContain(keys[1])
    expect(report.entries.map(({ key }) => key)).toEqual(expect.arrayContaining([keys[0], keys[2]]))
    expect(await clearCache(cacheDir)).toBeGreaterThan(bytes(12))
    expect(readdirSync(cacheDir)).toHaveLength(2)
    await check(inUse.data, folders[0]!)
    await inUse.data.close()
    await data.close()
    await clearCache(cacheDir, keys[0])
    expect(readdirSync(cacheDir)).toHaveLength(1)
  })

  it('is told when one dataset alone is above it', async () => {
    const { data } = await prepare(set(), scratch(), { limitBytes: 100 })
    expect(data.notices[0]).toMatch(/bring the cache to 1 MB, above its limit of 1 MB/)
    await data.close()
  })

  it('forgets uses of processes that are gone', async () => {
    const cacheDir = scratch()
    await (await prepare(set(), cacheDir)).data.close()
    put(entryOf(cacheDir), { 'use-999999999-abcd': '' })
    expect(await clearCache(cacheDir)).toBeGreaterThan(0)
    mkdirSync(cacheDir, { recursive: true })
    expect(readdirSync(cacheDir)).toEqual([])
  })
})

describe('cards and previews', () => {
  it('say what is there', async () => {
    const folder = put(scratch(), { ...classFiles(['a', 'b'], 3, 'train/'), ...classFiles(['b'], 2, 'test/') })
    const cacheDir = scratch()
    expect(await describeDataset(folder, cacheDir)).toMatchObject({ kind: 'folder', path: folder, classes: ['a', 'b'], splits: { train: 6, test: 2 }, counts: { train: [3, 3], test: [0, 2] }, broken: [], cacheBytes: 0 })
    await (await prepare(folder, cacheDir)).data.close()
    expect((await describeDataset(folder, cacheDir)).cacheBytes).toBeGreaterThan(8 * 16 * 16 * 3)
  })

  it('show classes in turn', async () => {
    const folder = put(set(3), { 'a/1.png': 'broken' })
    const previews = await previewImages(folder, view, 'train', 4)
    expect(previews.map(({ file, label }) => `${file} ${label}`)).toEqual(['a/0.png a', 'b/0.png b', 'b/1.png b', 'a/2.png a'])
    expect(previews[0]!.src).toMatch(/^data:image\/png;base64,iVBOR/)
    expect((await refusal(previewImages(folder, view, 'test', 4))).message).toMatch(/has no test images/)
  })
})

describe('processes', () => {
  const outDir = resolve('node_modules/.cache', `engram-data-${process.pid}`)
  beforeAll(() => build({
    configFile: false, logLevel: 'error', root: resolve('.'),
    build: { ssr: 'tests/main/data/cacheWorker.ts', outDir, target: 'node20', minify: false, rollupOptions: { output: { entryFileNames: 'worker.mjs' } } },
  }).then(() => undefined))
  afterAll(() => { rmSync(outDir, { recursive: true, force: true }) })

  const start = (folder: string, cacheDir: string) => spawn(process.execPath, [join(outDir, 'worker.mjs'), folder, cacheDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = (child: ChildProcess, onLine: (line: string) => void) => child.stdout!.on('data', (chunk: Buffer) => { for (const line of chunk.toString().trim().split('\n')) onLine(line) })
  const ended = (child: ChildProcess) => new Promise<number | null>(done => { child.on('close', done) })
  const shape = { ...view, imageSize: 64 }

  it('killed half-way are gone on from', async () => {
    const [folder, cacheDir] = [set(600), scratch()]
    const child = start(folder, cacheDir)
    lines(child, line => { if (Number(line) >= 700) child.kill('SIGKILL') })
    await ended(child)
    const { data, reads } = await prepare(folder, cacheDir, { view: shape })
    expect(reads.length).toBeGreaterThan(0)
    expect(reads.length).toBeLessThanOrEqual(1200 - 256)
    await check(data, folder, shape)
    await data.close()
  })

  it('that build the same at once do not disturb each other', async () => {
    const [folder, cacheDir] = [set(300), scratch()]
    const children = [start(folder, cacheDir), start(folder, cacheDir)]
    const said: string[] = []
    for (const child of children) lines(child, line => { if (line.startsWith('ready')) said.push(line) })
    const here = prepare(folder, cacheDir, { view: shape })
    expect(await Promise.all(children.map(ended))).toEqual([0, 0])
    expect(said).toHaveLength(2)
    const { data } = await here
    await check(data, folder, shape)
    await data.close()
    expect(readdirSync(cacheDir)).toHaveLength(1)
  })
})
