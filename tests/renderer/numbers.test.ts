import { expect, test } from 'vitest'
import { apart, bytes, count, duration, exponent, middle, moment, plainNumber } from '../../src/renderer/lib/format'
import { parseNumber } from '../../src/renderer/lib/number'

test.each([
  ['5e-3', 0.005], ['1/32', 1 / 32], ['20 %', 0.2], ['20%', 0.2], ['7 %', 0.07], ['1,000', 1000], ['.5', 0.5], ['-3', -3], ['0', 0], ['1/0', undefined], ['', undefined], ['abc', undefined], ['1e', undefined], ['5e-3 %', 0.00005],
])('%s is read as %s', (text, value) => expect(parseNumber(text)).toBe(value))

test('numbers are written as the design says', () => {
  expect([count(106762), count(22_060_426), count(999_999)]).toEqual(['106,762', '22.06 M', '999,999'])
  expect([bytes(1_281_144), bytes(3.1e9), bytes(5e7), bytes(812)]).toEqual(['1.28 MB', '3.1 GB', '50 MB', '812 B'])
  expect([duration(22), duration(303), duration(7440)]).toEqual(['22 s', '5 min 03 s', '2 h 04 min'])
  expect([plainNumber(0.005), plainNumber(1e-8), exponent(0.00162)]).toEqual(['0.005', '1e-8', '1.62e-3'])
  expect(apart(['digits san-ssf s0', 'digits ssf s0', 'digits lora-8'])).toEqual(['san-ssf s0', 'ssf s0', 'lora-8'])
  expect(apart(['same', 'same'])).toEqual(['same', 'same'])
  const noon = new Date(2026, 10, 21, 12, 5).getTime()
  expect([moment(noon, noon + 3.6e6), moment(noon, noon + 864e5)]).toEqual(['12:05', '21 Nov, 12:05'])
  expect(middle('a-very-long-run-name-seed-2', 15)).toBe('a-very-l…seed-2')
})
