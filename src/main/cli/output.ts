/** Where a command writes. Text for people goes through `line`; under --json standard output carries JSON alone. */
export interface Output {
  line(text?: string): void
  json(value: unknown): void
  /** One JSON object on one line, for streams of events. */
  jsonLine(value: unknown): void
  /** A remark on standard error. */
  remark(text: string): void
  /** Whether somebody sits before standard error. */
  watched: boolean
}

export interface Streams { stdout: { write(text: string): unknown }; stderr: { write(text: string): unknown; isTTY?: boolean } }

export const createOutput = ({ stdout, stderr }: Streams): Output => ({
  line: (text = '') => void stdout.write(`${text}\n`),
  json: value => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
  jsonLine: value => void stdout.write(`${JSON.stringify(value)}\n`),
  remark: text => void stderr.write(`${text}\n`),
  watched: stderr.isTTY === true,
})

export interface Column<T> { title: string; cell(row: T): string; right?: boolean }

/** Rows under titles, columns as wide as their content. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map(row => columns.map(column => column.cell(row)))]
  const widths = columns.map((_, index) => Math.max(...cells.map(line => line[index]!.length)))
  return cells
    .map(line => line.map((cell, index) => columns[index]!.right ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)).join('  ').trimEnd())
    .join('\n')
}

/** Name and value, a line each. */
export function facts(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length))
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
}

export const integer = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 0 })
export const percent = (value: number): string => `${(100 * value).toFixed(2)} %`
/** Significant digits for losses and the like. */
export const number = (value: number): string => Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? value.toPrecision(4) : value === 0 ? '0' : value.toExponential(2)
export const metric = (name: string, value: number): string => /accuracy/.test(name) ? percent(value) : number(value)

export const interval = ({ low, high }: { low: number; high: number }): string => `${(100 * low).toFixed(2)} to ${percent(high)}`

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, count < 1000 ? 0 : Math.floor(Math.log10(count) / 3))
  return `${(count / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/** 20 GB, 1.5 TB, or a plain number of bytes -> bytes; undefined where it is none of them. */
export function parseBytes(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|TB)?$/i.exec(text.trim())
  const power = ['B', 'KB', 'MB', 'GB', 'TB'].indexOf((found?.[2] ?? 'B').toUpperCase())
  return found ? Number(found[1]) * 1000 ** power : undefined
}

export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
