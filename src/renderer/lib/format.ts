/** How Engram writes numbers, sizes and times; see the design's "Numbers". */
const thousands = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
export const missing = '–'

export function count(value: number): string {
  return value < 1e6 ? thousands.format(value) : value < 1e9 ? `${(value / 1e6).toFixed(2)} M` : `${(value / 1e9).toFixed(2)} B`
}

export const percent = (share: number, digits = 1) => `${(share * 100).toFixed(digits)} %`
/** A share as percent without its unit, for columns whose head has it. */
export const hundred = (share: number | undefined) => share === undefined ? missing : (share * 100).toFixed(1)
export const three = (value: number | undefined) => value === undefined || !Number.isFinite(value) ? missing : value.toFixed(3)

/** Plain decimals where they are short, else an exponent without padding: 0.005, 1e-8, 1.62e-3. */
export function plainNumber(value: number): string {
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6)) return String(Number(value.toPrecision(6)))
  return exponent(value)
}

export function exponent(value: number, digits = 3): string {
  if (value === 0) return '0'
  const [mantissa = '0', power = '0'] = value.toExponential(digits - 1).split('e')
  return `${Number(mantissa)}e${Number(power)}`
}

export function bytes(value: number): string {
  if (value < 1e3) return `${Math.round(value)} B`
  if (value < 1e6) return `${threeDigits(value / 1e3)} kB`
  if (value < 1e9) return `${threeDigits(value / 1e6)} MB`
  return value < 1e12 ? `${(value / 1e9).toFixed(value < 1e10 ? 1 : 0)} GB` : `${(value / 1e12).toFixed(1)} TB`
}

const threeDigits = (value: number) => value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))

export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return missing
  if (seconds < 60) return `${Math.round(seconds)} s`
  const pad = (value: number) => String(Math.floor(value)).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${pad((seconds % 3600) / 60)} min`
}

export function ago(time: number, now = Date.now()): string {
  const seconds = Math.max(0, (now - time) / 1000)
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 12 * 3600) return `${Math.floor(seconds / 3600)} h ago`
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / 864e5)
  if (days <= 0) return 'Today'
  return days === 1 ? 'Yesterday' : new Date(time).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })
}

const clock = (time: number) => new Date(time).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
/** The time of day, with its day where that is not today. */
export const moment = (time: number, now = Date.now()) => new Date(time).toDateString() === new Date(now).toDateString() ? clock(time) : `${new Date(time).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${clock(time)}`
export const someOf = (found: number, all: number) => found === all ? count(all) : `${count(found)} of ${count(all)}`
export const plural = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`

/** Names lose their middle, so that the differing ends stay readable. */
export function middle(name: string, length: number): string {
  if (name.length <= length) return name
  const keep = length - 1
  return `${name.slice(0, Math.ceil(keep * 0.55))}…${name.slice(name.length - Math.floor(keep * 0.45))}`
}

/** Names without the words that all of them begin with, so that what tells them apart is seen first. */
export function apart(names: readonly string[]): string[] {
  const words = names.map(name => name.split(/(?<=[ _-])/))
  let shared = 0
  while (words.length > 1 && words.every(own => own.length > shared + 1 && own[shared] === words[0]![shared])) shared++
  return words.map(own => own.slice(shared).join(''))
}

export const shape = (sizes: readonly number[]) => sizes.map(count).join(' × ')
export const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
