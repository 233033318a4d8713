import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { findDuplicates } from '../../../src/main/store/data/duplicates'
import { openDataset } from '../../../src/main/store/data/open'
import { fixtures, png, put, scratch } from './support/index'

async function compare(path: string) {
  const source = await openDataset(path)
  onTestFinished(() => source.close())
  return findDuplicates(source)
}

describe('duplicates', () => {
  it('are found across splits and classes, by their bytes; those that leak into the test come first', async () => {
    const folder = put(scratch(), {
      'train/cat/1.png': png(1), 'train/cat/2.png': png(2), 'train/cat/2 copy.png': png(2), 'train/dog/3.png': png(3), 'train/dog/4.png': png(4),
      'test/cat/9.png': png(1), 'test/dog/8.png': png(3), 'test/cat/8.png': png(3), 'test/dog/7.png': png(7),
    })
    const report = await compare(folder)
    expect(report).toMatchObject({ images: 9, groups: 3, across: 3, relabelled: 1 })
    expect(report.shown.map(group => group.map(({ split, label }) => `${split} ${label}`).sort())).toEqual([['test cat', 'test dog', 'train dog'], ['test cat', 'train cat'], ['train cat', 'train cat']])
  })

  it('of a validation part that is taken from the training list are none', async () => {
    const folder = put(scratch(), {
      'images/1.png': png(1), 'images/2.png': png(2), 'images/3.png': png(3), 'images/4.png': png(1),
      'train800val200.txt': 'images/1.png 0\nimages/2.png 1\n', 'train800.txt': 'images/1.png 0\nimages/2.png 1\n', 'val200.txt': 'images/2.png 1\n', 'test.txt': 'images/3.png 0\nimages/4.png 1\n',
    })
    expect(await compare(folder)).toMatchObject({ groups: 1, across: 1, relabelled: 1 })
  })

  it('are looked for in parquet as in folders, and broken images in none', async () => {
    expect(await compare(join(fixtures, 'plain.parquet'))).toMatchObject({ groups: expect.any(Number) as number })
    const folder = put(scratch(), { 'a/1.png': png(1), 'a/2.png': png(2), 'b/3.png': '', 'b/4.png': '', 'b/5.png': png(5) })
    expect(await compare(folder)).toMatchObject({ images: 5, groups: 0 })
  })
})
