import { count } from '../../sites'
import { BFLOAT16, FLOAT, outputOf, partOf, sourceOf, type GraphNode, type Output } from './graphDef'

/** Operations that cost less than writing and reading their result; the others do where a run has them anyway. */
const cheap = new Set(['Add', 'AddV2', 'BiasAdd', 'Cast', 'Mul', 'Neg', 'Reshape', 'Sub'])
const dear = new Set(['Erf', 'Exp', 'Sigmoid', 'Tanh'])
const MOST = 6

/** The fused run that a node is computed in, as a number that grows with time; undefined where it is in none. */
export type RunOf = (node: string) => number | undefined

/**
 * The nodes, with results of at least so many elements computed again in the runs that read them, where large
 * tensors that are kept anyway, or take no more memory, and small ones make them: what is not stored takes no time.
 */
export function recomputed(nodes: readonly GraphNode[], runOf: RunOf, least: number): GraphNode[] {
  const recomputing = new Recomputing(nodes, runOf, least)
  return nodes.flatMap(node => recomputing.before(node))
}

class Recomputing {
  private readonly byName: ReadonlyMap<string, GraphNode>
  /** a tensor -> the last time that it is read where it is now */
  private readonly lastRead = new Map<string, number>()
  /** nodes that something outside of runs reads */
  private readonly readAlone = new Set<string>()
  /** `run node` -> the copy of the node in that run */
  private readonly copies = new Map<string, string>()
  /** nodes of the same number have the same value */
  private readonly valueOf: ReadonlyMap<string, number>
  /** `run value`: what each run computes */
  private readonly inRuns = new Set<string>()

  constructor(nodes: readonly GraphNode[], private readonly runOf: RunOf, private readonly least: number) {
    this.byName = new Map(nodes.map(n => [n.name, n]))
    this.valueOf = valuesOf(nodes)
    for (const node of nodes) {
      const run = runOf(node.name)
      if (run !== undefined) this.inRuns.add(`${run} ${this.valueOf.get(node.name)}`)
      for (const input of node.inputs) this.noteRead(input, run)
    }
  }

  /** The node with what it reads computed again, and that before it. */
  before(node: GraphNode): GraphNode[] {
    const run = this.runOf(node.name), out: GraphNode[] = []
    if (run === undefined) return [node]
    const inputs = node.inputs.map(input => this.isWorthwhile(input, node, run) ? this.copy(input, node, run, out) : input)
    return [...out, { ...node, inputs }]
  }

  private noteRead(input: string, run: number | undefined): void {
    const name = sourceOf(input)?.node ?? input.slice(1)
    if (run === undefined) this.readAlone.add(name)
    else this.lastRead.set(name, Math.max(run, this.lastRead.get(name) ?? 0))
  }

  private isWorthwhile(input: string, { name }: GraphNode, run: number): boolean {
    const made = this.byName.get(input)
    if (!made || !this.isLarge(made.outputs[0]!) || made.outputs[0]!.dtype !== FLOAT) return false
    const from = this.runOf(input)
    if (from === undefined || from === run || this.readAlone.has(input) || partOf(input) !== partOf(name)) return false
    const origins = this.origins(input, from, run)
    if (!origins) return false
    const kept = origins.filter(origin => (this.lastRead.get(sourceOf(origin)!.node) ?? 0) < run).map(origin => bytesOf(this.outputOf(origin)))
    return kept.reduce((sum, bytes) => sum + bytes, 0) <= bytesOf(made.outputs[0]!)
  }

  /** The large tensors that make a result by way of cheap operations of its run; null where that is too long a way. */
  private origins(result: string, run: number, into: number): string[] | null {
    const found = new Set<string>(), left = [result], seen = new Set<string>()
    let added = 0
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const node = this.byName.get(next)
      if (seen.has(next) || !this.isLarge(this.outputOf(next))) continue
      seen.add(next)
      if (node && this.isCopied(next, run, into)) left.push(...node.inputs)
      else found.add(next)
      if (!this.isIn(into, next)) added++
      if (added > MOST || found.has(result)) return null
    }
    return [...found]
  }

  private copy(input: string, reader: GraphNode, run: number, out: GraphNode[]): string {
    const known = this.copies.get(`${run} ${input}`)
    if (known !== undefined) return known
    const node = this.byName.get(input)!, from = this.runOf(input)
    const inputs = node.inputs.map(next => this.isCopied(next, from, run) ? this.copy(next, reader, run, out) : next)
    const name = `${partOf(reader.name)}/again${run}/${input.slice(partOf(input).length + 1)}`
    this.copies.set(`${run} ${input}`, name)
    out.push({ ...node, name, inputs })
    return name
  }
  private isCopied(input: string, from: number | undefined, into: number): boolean {
    const node = this.byName.get(input)
    if (!node || this.runOf(input) !== from || !this.isLarge(node.outputs[0]!)) return false
    return cheap.has(node.op) || (dear.has(node.op) && this.isIn(into, input))
  }
  private isIn(run: number, node: string): boolean {
    return this.inRuns.has(`${run} ${this.valueOf.get(node)}`)
  }

  private isLarge({ shape }: Output): boolean {
    return count(shape) >= this.least
  }
  private outputOf(input: string): Output {
    return outputOf(input, this.byName)
  }
}

function valuesOf(nodes: readonly GraphNode[]): Map<string, number> {
  const numbers = new Map<string, number>(), values = new Map<string, number>()
  for (const { name, op, inputs, outputs } of nodes) {
    const known = outputs.length === 1 && (cheap.has(op) || dear.has(op))
    const text = known ? [op, outputs[0]!.dtype, outputs[0]!.shape, ...inputs.map(input => values.get(input) ?? input)].join(' ') : name
    values.set(name, numbers.get(text) ?? numbers.size)
    numbers.set(text, values.get(name)!)
  }
  return values
}

const bytesOf = ({ dtype, shape }: Output): number => (dtype === BFLOAT16 ? 2 : 4) * count(shape)
