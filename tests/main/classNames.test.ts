import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { nameProblems } from '../../src/main/contract/classNames'
import { openClassNames } from '../../src/main/store/classNames'
import { temporaryFolder } from './fixtures'

const classes = ['n01440764', 'n01443537', '__proto__']

function kept() {
  const folder = temporaryFolder(), file = join(folder, 'class-names.json')
  return { file, folder, open: (resources = join(folder, 'resources')) => openClassNames(file, resources) }
}

it('keeps names by where the data lies, and forgets those that are as in the data', () => {
  const { file, open } = kept()
  open().set('/data/fish', classes, [' tench ', 'gold  fish', '__proto__'])
  expect(open().of('/data/fish', classes)).toEqual(['tench', 'gold fish', '__proto__'])
  expect(open().of('/data/other', classes)).toEqual(classes)
  open().set('/data/fish', classes, ['tench', 'goldfish', 'proto'])
  expect(open().of('/data/fish', [...classes, 'new'])).toEqual(['tench', 'goldfish', 'proto', 'new'])
  expect(open().of('/data/fish', ['n01440764', 'tench'])).toEqual(['n01440764', 'tench'])
  open().set('/data/fish', classes, classes)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ format: 1, datasets: [] })
})

it('finds what comes with Engram again where Engram is installed somewhere else', () => {
  const { folder, open } = kept()
  open(join(folder, 'one')).set(join(folder, 'one/samples/digits'), ['0', '1'], ['zero', 'one'])
  expect(open(join(folder, 'two')).of(join(folder, 'two/samples/digits'), ['0', '1'])).toEqual(['zero', 'one'])
})

it('refuses in one sentence, and keeps what was there', () => {
  const { open } = kept(), names = open(), set = (given: string[]) => () => names.set('/d', ['a', 'b'], given)
  set(['ant', 'bee'])()
  expect(set(['ant'])).toThrow('There are 1 names for 2 classes: give one for each.')
  expect(set(['ant', '  '])).toThrow('Class 1 ("b"): The name is empty.')
  expect(set(['ant', ' ant'])).toThrow('Class 0 ("a"): Class 1 has this name too.')
  expect(set(['b', 'b'])).toThrow(/Class 1 has this name too/)
  expect(set(['x'.repeat(101), 'b'])).toThrow(/101 characters; at most 100 are possible/)
  expect(names.of('/d', ['a', 'b'])).toEqual(['ant', 'bee'])
  set(['b', 'a'])()
  expect(names.of('/d', ['a', 'b'])).toEqual(['b', 'a'])
})

it('lets a name be that the data has, however long', () => {
  expect(nameProblems(['x'.repeat(200), 'b'], ['x'.repeat(200), 'b'])).toEqual([null, null])
})

it('puts a broken file aside', () => {
  const { file, open } = kept()
  writeFileSync(file, '{"format":1,"datasets":[{"at":')
  expect(open().of('/d', ['a', 'b'])).toEqual(['a', 'b'])
  expect(existsSync(`${file}.broken`)).toBe(true)
})
