import { chmodSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { zipSync, type Zippable } from 'fflate'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/main/engine/data/random'
import { openDataset } from '../../../src/main/store/data/open'
import type { DatasetSource } from '../../../src/main/store/data/types'
import { decodeForModel } from '../../../src/main/store/data/view'
import { classFiles, fixtures, png, put, refusal, scratch, view } from './support/index'

const brief = (source: DatasetSource) => source.samples.map(sample => `${sample.split} ${sample.file} ${source.classes[sample.label]}`)
const counts = (source: DatasetSource) => Object.fromEntries(['train', 'validation', 'test'].map(split => [split, source.samples.filter(sample => sample.split === split).length]))

async function opened(path: string): Promise<DatasetSource> {
  const source = await openDataset(path)
  for (const sample of source.samples.slice(0, 20)) await decodeForModel(await source.read(sample), view)
  await source.close()
  return source
}
const refuses = async (path: string) => (await refusal(openDataset(path))).message
const zipOf = (files: Record<string, Uint8Array | string>) => zipSync(Object.fromEntries(Object.entries(files).map(([name, content]) => [name, typeof content === 'string' ? Buffer.from(content) : content])) as Zippable)

describe('folders', () => {
  it('of class folders, sorted by code points, hidden things ignored', async () => {
    const folder = put(scratch(), { ...classFiles(['b', 'B', 'ä', '10', '9'], 2), 'b/deeper/x.PNG': png(5), '.git/a.png': png(1), '__MACOSX/b/._0.png': 'x', 'b/.hidden.png': 'x', 'b/notes.txt': 'x', 'loose.png': png(3) })
    const source = await opened(folder)
    expect(source).toMatchObject({ kind: 'folder', classes: ['10', '9', 'B', 'b', 'ä'] })
    expect(source.samples).toHaveLength(11)
    expect(source.notices).toEqual(['1 image outside a class folder is left out.', '1 file in class folders is not JPEG, PNG, GIF, BMP or WebP and left out.'])
  })

  it.each([['val'], ['valid'], ['validation']])('with train, test and %s', async name => {
    const source = await opened(put(scratch(), { ...classFiles(['a', 'b'], 2, 'train/'), ...classFiles(['a', 'b'], 1, `${name}/`), ...classFiles(['b'], 1, 'test/') }))
    expect(counts(source)).toEqual({ train: 4, validation: 2, test: 1 })
    expect(source.classes).toEqual(['a', 'b'])
  })

  it('under one common folder', async () => {
    expect(counts(await opened(put(scratch(), { ...classFiles(['a', 'b'], 1, 'data/set/train/'), ...classFiles(['a'], 1, 'data/set/test/') })))).toEqual({ train: 2, validation: 0, test: 1 })
    expect((await opened(put(scratch(), classFiles(['a', 'b'], 1, 'data/')))).classes).toEqual(['a', 'b'])
  })

  it('that are called by numbers, still sorted by code points', async () => {
    expect((await opened(put(scratch(), classFiles(['10', '9', '100'], 1)))).classes).toEqual(['10', '100', '9'])
  })

  it('with a class that is called test', async () => {
    expect((await opened(put(scratch(), classFiles(['test', 'cat'], 1)))).classes).toEqual(['cat', 'test'])
  })

  it('through links', async () => {
    const folder = scratch()
    put(folder, { ...classFiles(['a', 'b'], 1, 'real/'), 'set/c/0.png': png(1) })
    for (const name of ['a', 'b']) symlinkSync(join(folder, 'real', name), join(folder, 'set', name))
    symlinkSync(join(folder, 'set'), join(folder, 'set', 'c', 'circle'))
    const { classes, samples } = await openDataset(join(folder, 'set'))
    expect([classes, samples.map(({ file }) => file)]).toEqual([['a', 'b', 'c'], ['a/0.png', 'b/0.png', 'c/0.png']])
  })

  it('with a link to nowhere, which is one broken image and no more', async () => {
    const folder = put(scratch(), classFiles(['a', 'b'], 2))
    symlinkSync(join(folder, 'gone.png'), join(folder, 'a', 'link.png'))
    const source = await openDataset(folder)
    const link = source.samples.find(({ file }) => file === 'a/link.png')!
    await expect(source.read(link)).rejects.toThrow('it cannot be read: it is not there')
    put(folder, { 'gone.png': png(3) })
    expect((await openDataset(folder)).fingerprint).not.toBe(source.fingerprint)
  })

  it('refused in one sentence', async () => {
    const folder = scratch()
    expect(await refuses(join(folder, 'nowhere'))).toBe(`There is no data at ${folder}/nowhere: choose an existing folder or file.`)
    expect(await refuses(folder)).toMatch(/holds no JPEG, PNG, GIF, BMP or WebP image: choose/)
    expect(await refuses(put(scratch(), { 'a/1.tif': 'x' }))).toMatch(/holds no .* image among its 1 file/)
    expect(await refuses(put(scratch(), { '1.png': png(1), '2.png': png(2) }))).toMatch(/2 images but no class folders/)
    expect(await refuses(put(scratch(), classFiles(['only'], 3)))).toMatch(/has only 1 class \("only"\): at least two/)
    expect(await refuses(put(scratch(), { ...classFiles(['a', 'b'], 1), 'c/.keep': '' }))).toMatch(/^The class "c" has no images in/)
    expect(await refuses(put(scratch(), { ...classFiles(['a', 'b'], 1, 'train/'), ...classFiles(['a', 'c'], 1, 'test/') }))).toMatch(/^The class "c" has images in test \(test\/c\/0.png\) but none in train/)
    expect(await refuses(put(scratch(), classFiles(['a', 'b'], 1, 'test/')))).toMatch(/has no training images, only test: add a train split/)
  })

  it('change their address with any file', async () => {
    const folder = put(scratch(), classFiles(['a', 'b'], 2))
    const address = async () => (await openDataset(folder)).fingerprint
    const first = await address()
    expect(await address()).toBe(first)
    const same = new Date(1e12)
    utimesSync(join(folder, 'a/0.png'), same, same)
    const second = await address()
    const bytes = readFileSync(join(folder, 'a/0.png'))
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(join(folder, 'a/0.png'), bytes)
    utimesSync(join(folder, 'a/0.png'), same, same)
    const third = await address()
    rmSync(join(folder, 'b/1.png'))
    expect(new Set([first, second, third, await address()]).size).toBe(4)
  })

  it.skipIf(process.getuid?.() === 0)('that may not be read', async () => {
    const folder = put(scratch(), classFiles(['a', 'b'], 1))
    chmodSync(join(folder, 'a'), 0)
    expect(await refuses(folder)).toMatch(/reading it is not allowed/)
    chmodSync(join(folder, 'a'), 0o700)
  })
})

describe('zips', () => {
  const pack = (files: Record<string, Uint8Array | string>) => join(put(scratch(), { 'set.zip': zipOf(files) }), 'set.zip')

  it('of class folders, also under one folder', async () => {
    for (const prefix of ['', 'wrapped/']) {
      const source = await opened(pack({ ...classFiles(['a', 'b'], 2, `${prefix}train/`), ...classFiles(['a'], 1, `${prefix}test/`), '__MACOSX/._x.png': 'x' }))
      expect(source).toMatchObject({ kind: 'zip', name: 'set', classes: ['a', 'b'] })
      expect(counts(source)).toEqual({ train: 4, validation: 0, test: 1 })
    }
  })

  it('have the address of their content, wherever they lie', async () => {
    const files = classFiles(['a', 'b'], 2)
    const address = async (content: typeof files) => (await opened(pack(content))).fingerprint
    const first = await address(files)
    expect(await address(files)).toBe(first)
    expect(await address({ ...files, 'b/1.png': png(500) })).not.toBe(first)
  })

  it('tell a damaged image by its checksum', async () => {
    const bytes = Buffer.from(zipSync(classFiles(['a', 'b'], 1) as Zippable, { level: 0 }))
    bytes[200]! ^= 1
    const source = await openDataset(join(put(scratch(), { 'set.zip': bytes }), 'set.zip'))
    await expect(source.read(source.samples[0]!)).rejects.toThrow('it is damaged in the archive: its checksum is wrong')
    await source.close()
  })

  it('of the large format', async () => {
    expect(await opened(join(fixtures, 'zip64.zip'))).toMatchObject({ classes: ['a', 'b'] })
  })

  it('refused in one sentence', async () => {
    const whole = zipOf(classFiles(['a', 'b'], 2))
    const at = (bytes: Uint8Array) => join(put(scratch(), { 'set.zip': bytes }), 'set.zip')
    expect(await refuses(at(whole.subarray(0, whole.length - 100)))).toMatch(/set.zip is not a complete zip archive \(.*\): download or pack set.zip again/)
    expect(await refuses(at(new Uint8Array(0)))).toMatch(/not a complete zip/)
    expect(await refuses(pack({ 'readme.txt': 'x' }))).toMatch(/holds no .* image among its 1 file/)
    expect(await refuses(pack({ ...classFiles(['a', 'b'], 1), '../evil.png': png(1) }))).toMatch(/not a complete zip archive \(invalid relative path/)
    const locked = Buffer.from(whole)
    for (let i = 0; i < locked.length - 10; i++) if (locked.readUInt32LE(i) === 0x02014b50) locked[i + 8]! |= 1
    expect(await refuses(at(locked))).toMatch(/is encrypted \(a\/0.png\): unpack it with its password/)
  })

  it('never crash when damaged', async () => {
    const whole = zipOf(classFiles(['a', 'b'], 2))
    const random = createRandom('zip')
    for (let round = 0; round < 80; round++) {
      const bytes = Buffer.from(whole)
      for (let k = 0; k < 5; k++) bytes[Math.max(0, bytes.length - 1 - random.int(k < 3 ? 300 : bytes.length))] = random.int(256)
      const path = join(put(scratch(), { 'set.zip': bytes }), 'set.zip')
      await tolerant(path)
    }
  })
})

/** Opens and reads everything; only errors for people and broken images may come. */
async function tolerant(path: string): Promise<void> {
  const source = await openDataset(path).catch((thrown: unknown) => {
    if ((thrown as Error).name !== 'AppError') throw thrown
    return null
  })
  if (!source) return
  for (const sample of source.samples) {
    await source.read(sample).then(input => decodeForModel(input, view)).catch((thrown: unknown) => {
      if ((thrown as Error).constructor.name !== 'BrokenImage' && (thrown as Error).name !== 'AppError') throw thrown
    })
  }
  await source.close()
}

describe('idx files', () => {
  const header = (...dims: number[]) => {
    const bytes = Buffer.alloc(4 + 4 * dims.length)
    bytes[2] = 8
    bytes[3] = dims.length
    dims.forEach((dim, i) => bytes.writeUInt32BE(dim, 4 + 4 * i))
    return bytes
  }
  const images = (n: number, side = 5) => Buffer.concat([header(n, side, side), Buffer.alloc(n * side * side, 7)])
  const labels = (...values: number[]) => Buffer.concat([header(values.length), Buffer.from(values)])
  const set = { 'train-images-idx3-ubyte': images(4), 'train-labels-idx1-ubyte': labels(3, 1, 3, 1), 't10k-images-idx3-ubyte.gz': gzipSync(images(2)), 't10k-labels-idx1-ubyte.gz': gzipSync(labels(1, 3)) }

  it('of MNIST, packed or not, by folder or by any file', async () => {
    const folder = put(scratch(), set)
    for (const path of [folder, join(folder, 'train-images-idx3-ubyte'), join(folder, 't10k-labels-idx1-ubyte.gz')]) {
      const source = await opened(path)
      expect(source).toMatchObject({ kind: 'idx', classes: ['1', '3'] })
      expect(counts(source)).toEqual({ train: 4, validation: 0, test: 2 })
    }
  })

  it('in the folders of torchvision', async () => {
    const folder = put(scratch(), Object.fromEntries(Object.entries(set).map(([name, bytes]) => [`MyMNIST/raw/${name}`, bytes])))
    expect(await opened(join(folder, 'MyMNIST'))).toMatchObject({ kind: 'idx', name: 'MyMNIST' })
  })

  it('change their address with any file', async () => {
    const folder = put(scratch(), set)
    const address = async () => (await opened(folder)).fingerprint
    const first = await address()
    put(folder, set)
    expect(await address()).not.toBe(first)
    const packed = { ...set, 'train-images-idx3-ubyte': gzipSync(images(4)), 'train-labels-idx1-ubyte': gzipSync(labels(3, 1, 3, 1)) }
    const second = (await opened(put(scratch(), packed))).fingerprint
    expect((await opened(put(scratch(), packed))).fingerprint).toBe(second)
    expect((await opened(put(scratch(), { ...packed, 'train-labels-idx1-ubyte': gzipSync(labels(3, 1, 1, 1)) }))).fingerprint).not.toBe(second)
  })

  it('with names in classes.txt', async () => {
    const folder = put(scratch(), { ...set, 'classes.txt': 'zero\none\ntwo\nthree\n' })
    expect((await opened(folder)).classes).toEqual(['one', 'three'])
    expect(await refuses(put(folder, { 'classes.txt': 'zero\none\n' }))).toMatch(/Label 3 of train\/0 is out of range: classes.txt in .* names only 2/)
  })

  it('refused in one sentence', async () => {
    const bad = (more: Record<string, Uint8Array>) => refuses(put(scratch(), { ...set, ...more }))
    expect(await bad({ 'train-labels-idx1-ubyte': labels(3, 1, 3) })).toMatch(/has 4 images but train-labels-idx1-ubyte has 3 labels/)
    expect(await bad({ 'train-images-idx3-ubyte': images(4).subarray(0, 50) })).toMatch(/train-images-idx3-ubyte is not a complete idx file \(it is cut off/)
    expect(await bad({ 't10k-images-idx3-ubyte.gz': gzipSync(images(2)).subarray(0, 30) })).toMatch(/t10k-images-idx3-ubyte.gz is not a complete idx file/)
    expect(await bad({ 't10k-labels-idx1-ubyte.gz': gzipSync(labels(1, 7)) })).toMatch(/The class "7" has images in test/)
    expect(await bad({ 'train-images-idx3-ubyte': Buffer.from('nonsense, no header') })).toMatch(/does not begin with an idx header/)
    expect(await refuses(put(scratch(), { 'train-images-idx3-ubyte': images(4) }))).toMatch(/has train-images-idx3-ubyte but not its file of labels/)
  })

  it('never crash when damaged', async () => {
    const random = createRandom('idx')
    for (let round = 0; round < 80; round++) {
      const name = Object.keys(set)[random.int(4)]! as keyof typeof set
      const bytes = Buffer.from(set[name])
      for (let k = 0; k < 2; k++) bytes[random.int(Math.min(20, bytes.length))] = random.int(256)
      await tolerant(put(scratch(), { ...set, [name]: round % 4 === 0 ? bytes.subarray(0, random.int(bytes.length)) : bytes }))
    }
  })
})

describe('parquet files', () => {
  it('of Hugging Face, in shards with class names', async () => {
    const source = await opened(join(fixtures, 'hf'))
    expect(source).toMatchObject({ kind: 'parquet', classes: ['cat', 'ant', 'bee'] })
    expect(counts(source)).toEqual({ train: 6, validation: 0, test: 3 })
    expect(brief(source).slice(0, 4)).toEqual(['train data/train-00000-of-00002.parquet#0 cat', 'train data/train-00000-of-00002.parquet#1 ant', 'train data/train-00000-of-00002.parquet#2 bee', 'train data/train-00000-of-00002.parquet#3 cat'])
  })

  it('with plain bytes and words', async () => {
    expect(await opened(join(fixtures, 'plain.parquet'))).toMatchObject({ kind: 'parquet', classes: ['x', 'y'] })
  })

  it('refused in one sentence', async () => {
    expect(await refuses(join(fixtures, 'outOfRange.parquet'))).toMatch(/outOfRange.parquet, row 3: the label 3 is out of range, there are 3 classes/)
    expect(await refuses(join(fixtures, 'noImages.parquet'))).toMatch(/has no column with image bytes among text, label/)
    const bytes = readFileSync(join(fixtures, 'plain.parquet'))
    expect(await refuses(join(put(scratch(), { 'x.parquet': bytes.subarray(0, 900) }), 'x.parquet'))).toMatch(/x.parquet is not a complete parquet file/)
    expect(await refuses(join(put(scratch(), { 'x.parquet': '' }), 'x.parquet'))).toMatch(/not a complete parquet file/)
  })

  it('never crash when damaged', async () => {
    const random = createRandom('parquet')
    const whole = readFileSync(join(fixtures, 'hf/data/train-00000-of-00002.parquet'))
    for (let round = 0; round < 100; round++) {
      const bytes = Buffer.from(whole)
      for (let k = 0; k < 3; k++) bytes[k < 2 ? bytes.length - 1 - random.int(bytes.length / 3) : random.int(bytes.length)] = random.int(256)
      await tolerant(join(put(scratch(), { 'x.parquet': bytes }), 'x.parquet'))
    }
  })
})

describe('list files', () => {
  const images = () => put(scratch(), Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`images/a b/${i}.png`, png(i)])))
  const lines = (...pairs: [number, string | number][]) => pairs.map(([i, label]) => `images/a b/${i}.png ${label}\n`).join('')

  it('in the layout of VTAB', async () => {
    const vtab = put(images(), { 'train800.txt': lines([0, 0], [1, 1], [2, 10], [3, 2]), 'val200.txt': lines([4, 0], [5, 10]), 'train800val200.txt': lines([0, 0], [1, 1], [2, 10], [3, 2], [4, 0], [5, 10]), 'test.txt': lines([6, 1], [7, 10]) })
    const source = await opened(vtab)
    expect(source).toMatchObject({ kind: 'list', classes: ['0', '1', '2', '10'], validationFromTrain: true })
    expect(counts(source)).toEqual({ train: 4, validation: 2, test: 2 })
    rmSync(join(vtab, 'train800.txt'))
    const joined = await opened(vtab)
    expect(counts(joined)).toEqual({ train: 6, validation: 0, test: 2 })
  })

  it('of one file, with words, comments, commas and odd line ends', async () => {
    const folder = put(images(), { 'mine.csv': '\uFEFF# path label\r\nimages/a b/0.png cat\r\n\r\nimages\\a b\\1.png\tdog\r\n' })
    expect(await opened(join(folder, 'mine.csv'))).toMatchObject({ name: 'mine', classes: ['cat', 'dog'] })
    rmSync(join(folder, 'mine.csv'))
    put(folder, { 'x.png': png(1), 'y.png': png(2), 'mine.csv': 'x.png,cat\ny.png,dog' })
    expect((await opened(join(folder, 'mine.csv'))).classes).toEqual(['cat', 'dog'])
    put(folder, { 'quoted.csv': '"images/a b/0.png","big cat"\r\n"y.png",dog\r\nx.png,"big cat"\r\n' })
    expect(await opened(join(folder, 'quoted.csv'))).toMatchObject({ classes: ['big cat', 'dog'], samples: [{ label: 0 }, { label: 1 }, { label: 0 }] })
  })

  it.each(['path,label', 'image_path\tlabel', '"File Name","Class"', 'img_id class_id', 'filename,category'])('with the header %s', async header => {
    const folder = put(scratch(), { 'x.png': png(1), 'y.png': png(2), 'mine.csv': `${header}\nx.png,3\ny.png,5\n` })
    expect(await opened(join(folder, 'mine.csv'))).toMatchObject({ classes: ['3', '5'], samples: [{ file: 'x.png' }, { file: 'y.png' }] })
  })

  it('that name images elsewhere, by whole paths or by those above', async () => {
    const elsewhere = put(scratch(), { 'x.png': png(1) }), folder = put(scratch(), { 'y.png': png(2), 'lists/train.txt': `${elsewhere}/x.png 0\n../y.png 1\n` })
    expect((await opened(join(folder, 'lists'))).samples).toHaveLength(2)
    expect(await refuses(join(put(scratch(), { 'a.txt': `${elsewhere}/gone.png 0\n` }), 'a.txt'))).toMatch(new RegExp(`a.txt, line 1: ${elsewhere}/gone.png does not exist`))
  })

  it('refused with the line', async () => {
    const bad = (train: string, more: Record<string, string> = {}) => refuses(put(images(), { 'train.txt': train, ...more }))
    expect(await bad(lines([0, 0]) + 'images/gone.png 1\n')).toMatch(/train.txt, line 2: .*images\/gone.png does not exist: mend the path or remove the line/)
    expect(await bad(`${lines([0, 0])}loneword\n`)).toMatch(/train.txt, line 2: "loneword" is not an image path and a label/)
    expect(await bad(lines([0, 0], [1, 1], [2, -1]))).toMatch(/train.txt, line 3: the label -1 is out of range/)
    expect(await bad(lines([0, 0], [1, 1], [2, 'x']))).toMatch(/train.txt, line 3: the label "x" is not a number/)
    expect(await bad(lines([0, 0], [1, 1]), { 'test.txt': lines([2, 0], [3, 5]) })).toMatch(/test.txt, line 2: the label 5 does not occur in the training list/)
    expect(await bad('\n\n')).toMatch(/train.txt is empty/)
    expect(await bad(lines([0, 0], [1, 0]))).toMatch(/only 1 class/)
    expect(await bad(`images/a b 0\n${lines([0, 1])}`)).toMatch(/line 1: .*a b cannot be read \(it is a folder\)/)
    expect(await refuses(join(put(images(), { 'x.txt': png(1) }), 'x.txt'))).toMatch(/x.txt/)
  })
})

describe('anything else', () => {
  it('is refused', async () => {
    expect(await refuses(join(put(scratch(), { 'x.bin': 'abc' }), 'x.bin'))).toMatch(/x.bin is not a dataset that Engram reads/)
    expect(await refuses(join(put(scratch(), { empty: '' }), 'empty'))).toMatch(/not a dataset/)
    expect(await refuses(join(put(scratch(), { 'photo.png': png(1) }), 'photo.png'))).toMatch(/not a dataset/)
    expect(await refuses('/dev/null')).toMatch(/neither a folder nor a file/)
  })

})
