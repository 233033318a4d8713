import { count } from '../../sites'
import { BFLOAT16, FLOAT, type Output } from './graphDef'

/** Writes the text of an EngramFused program; scripts/native/fused.cc says what it holds and runs it. */
export class Program {
  /** the tensors that the program reads, in order */
  readonly sources: string[] = []
  private readonly inputs: string[] = []
  private readonly code: string[] = []
  private readonly registers = new Map<string, number>()
  private readonly outputs: { text: string; dtype: number }[] = []

  constructor(private readonly table: Table) {}

  input(source: string, { repeat, count, wide }: Address): Register {
    const text = `${repeat} ${count} ${wide ? 1 : 0}`, key = `${source} ${text}`
    const known = this.registers.get(key)
    if (known !== undefined) return { input: known }
    this.sources.push(source)
    this.registers.set(key, this.inputs.push(text) - 1)
    return { input: this.inputs.length - 1 }
  }
  compute(name: string, a: Register, b: Register = a): Register {
    const text = `${name} {${keyOf(a)}} {${keyOf(b)}}`, known = this.code.indexOf(text)
    return { result: known < 0 ? this.code.push(text) - 1 : known }
  }
  output(register: Register, kind: 'wide' | 'narrow' | 'sum', { dtype, shape }: Output): void {
    this.outputs.push({ text: `{${keyOf(register)}} ${kind} ${[shape.length, ...shape].join(' ')}`, dtype })
  }

  text(): string {
    const { rows, columns } = this.table
    const lines = [
      `${rows} ${columns}`, `${this.inputs.length}`, ...this.inputs, `${this.code.length}`, ...this.code, `${this.outputs.length}`, ...this.outputs.map(o => o.text),
    ]
    return lines.join('\n').replace(/\{([ir])(\d+)\}/g, (_, kind: string, n: string) => String(kind === 'i' ? Number(n) : this.inputs.length + Number(n)))
  }
  get outputTypes(): number[] {
    return this.outputs.map(o => o.dtype)
  }
}

export type Register = { input: number } | { result: number }
const keyOf = (r: Register): string => 'input' in r ? `i${r.input}` : `r${r.result}`

/** What a program goes through: all axes but the last as rows. */
export interface Table { rows: number; columns: number }
/** Row r reads row (r / repeat) % count of an input, whole if wide, one number otherwise. */
export interface Address { repeat: number; count: number; wide: boolean }

export const tableOf = (shape: readonly number[]): Table => ({ rows: count(shape.slice(0, -1)), columns: shape.at(-1) ?? 1 })

/** How an operand is read where a result has this shape, by the rules of broadcasting; null if no program can read it so. */
export function addressOf({ dtype, shape }: Output, result: readonly number[]): Address | null {
  if ((dtype !== FLOAT && dtype !== BFLOAT16) || shape.length > result.length) return null
  const padded = [...Array<number>(result.length - shape.length).fill(1), ...shape]
  if (padded.some((size, i) => size !== 1 && size !== result[i])) return null
  const wide = padded.at(-1) === result.at(-1), lead = padded.slice(0, -1)
  const from = lead.findIndex(size => size !== 1), to = lead.findLastIndex(size => size !== 1)
  if (from < 0) return { repeat: 1, count: 1, wide }
  if (lead.slice(from, to + 1).some((size, i) => size !== result[from + i])) return null
  return { repeat: count(result.slice(to + 1, -1)), count: count(lead), wide }
}
