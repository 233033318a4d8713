import { expect, it } from 'vitest'
import { useClassNameForm } from '../../src/renderer/datasets/classNameForm'

const classes = ['n0', 'n1', 'n2']
const form = () => useClassNameForm(classes, ['tench', 'n1', 'n2'])

it('says what is wrong beside the field, once it was left', () => {
  const { write, left, problemAt, firstWrong, leaveAll, names } = form()
  write(1, 'tench')
  expect([problemAt(0), problemAt(1), firstWrong.value]).toEqual(['', '', 0])
  left.add(1)
  expect([problemAt(0), problemAt(1)]).toEqual(['', 'Class 0 has this name too.'])
  write(2, ' ')
  leaveAll()
  expect([problemAt(0), problemAt(2)]).toEqual(['Class 1 has this name too.', 'The name is empty.'])
  write(1, 'goldfish')
  write(2, 'x'.repeat(101))
  expect([problemAt(1), problemAt(2), firstWrong.value]).toEqual(['', '101 characters; at most 100 are possible.', 2])
  expect(names.value.slice(0, 2)).toEqual(['tench', 'goldfish'])
})

it('takes a list from a field on, and refuses one that is too long', () => {
  const { paste, names, problemAt, write } = form()
  expect(paste(0, 'one name')).toBe(false)
  expect(paste(1, 'goldfish\r\ngreat  white shark\n')).toBe(true)
  expect(names.value).toEqual(['tench', 'goldfish', 'great white shark'])
  paste(2, 'a\nb\nc')
  expect(problemAt(2)).toBe('The list has 3 names for 1 class: paste as many as there are.')
  expect(names.value[2]).toBe('great white shark')
  write(2, 'shark')
  expect(problemAt(2)).toBe('')
})

it('goes back to the data', () => {
  const { reset, changed, names, firstWrong } = form()
  expect(changed.value).toBe(true)
  reset()
  expect([names.value, changed.value, firstWrong.value]).toEqual([classes, false, -1])
})
