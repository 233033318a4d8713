import { BFLOAT16, FLOAT, moves, outputOf, partOf, renamed, sourceOf, type GraphNode, type Output } from './graphDef'
import { count } from '../../sites'
import { cast, variable } from './session'

const products = new Set(['MatMul', 'BatchMatMulV2'])
/**
 * The graph with its matrix products of at least so many floating-point operations in bfloat16, summed in float32;
 * everything else stays in float32: in smaller products rounding the inputs costs more than it wins. Frozen variables
 * that enter a rounded product lie rounded in memory.
 */
export function inBfloat16(nodes: readonly GraphNode[], isFrozen: (variable: string) => boolean, leastFlops: number): GraphNode[] {
  const rounding = new Rounding(nodes, isFrozen, leastFlops)
  const inFull = new Set([...rounding.stored.keys()].flatMap(name => variable(name, [], FLOAT)).map(n => n.name))
  for (const node of nodes) if (!inFull.has(node.name)) rounding.add(node)
  return [...[...rounding.stored].flatMap(([name, shape]) => variable(name, shape, BFLOAT16)), ...rounding.out]
}

class Rounding {
  readonly out: GraphNode[] = []
  /** variables that are to be stored rounded, with their shapes */
  readonly stored = new Map<string, readonly number[]>()
  /** a source -> the same in bfloat16 */
  private readonly rounded = new Map<string, string>()
  private readonly byName: ReadonlyMap<string, GraphNode>
  private readonly wantedRounded: ReadonlySet<string>
  /** attention's probabilities enter products forward and backward: they are kept rounded alone */
  private readonly probabilities: ReadonlySet<string>

  constructor(nodes: readonly GraphNode[], private readonly isFrozen: (variable: string) => boolean, private readonly leastFlops: number) {
    this.byName = new Map(nodes.map(n => [n.name, n]))
    const inProducts = new Set(nodes.filter(n => this.isLargeProduct(n)).flatMap(n => n.inputs))
    this.probabilities = new Set(nodes.filter(n => n.op === 'Softmax' && inProducts.has(n.name)).map(n => n.name))
    this.wantedRounded = movedIntoProducts(nodes, node => this.isLargeProduct(node))
    for (const node of nodes) if (this.isLargeProduct(node)) node.inputs.slice(0, 2).forEach(input => this.store(input))
  }

  add(node: GraphNode): void {
    const data = moves.has(node.op) ? 1 : this.isLargeProduct(node) ? 2 : 0
    const known = data === 2 || (data === 1 && (this.rounded.has(node.inputs[0]!) || this.wantedRounded.has(node.name)))
    if (!known || node.outputs[0]!.dtype !== FLOAT) {
      this.out.push({ ...node, inputs: node.inputs.map((input, i) => this.inFloat32(input, `${node.name}/full${i}`)) })
      if (this.probabilities.has(node.name)) this.rounded.set(node.name, this.inBfloat16(node.name, partOf(node.name)))
      return
    }
    const inputs = node.inputs.map((input, i) => i < data ? this.inBfloat16(input, partOf(node.name)) : input)
    const name = `${node.name}/rounded`
    this.out.push({ ...node, name, inputs, attributes: { ...node.attributes, T: { type: BFLOAT16 } }, outputs: [{ dtype: BFLOAT16, shape: node.outputs[0]!.shape }] })
    this.rounded.set(node.name, name)
  }

  /** Every reader casts for itself: fused, that costs nothing, and nothing large is kept twice. */
  private inFloat32(input: string, name: string): string {
    if (input.startsWith('^')) return renamed(input, this.rounded)
    const rounded = this.rounded.get(input)
    if (rounded === undefined) return input
    this.out.push(cast(name, rounded, [BFLOAT16, FLOAT], this.output(input).shape))
    return name
  }

  private store(input: string): void {
    const name = input.replace(/\/read$/, '')
    if (!input.endsWith('/read') || !this.isFrozen(name)) return
    this.stored.set(name, this.output(input).shape)
    this.rounded.set(input, `${name}/stored`)
  }

  /** Parts of a graph run alone, so each rounds for itself what they share. */
  private inBfloat16(input: string, part: string): string {
    const before = this.rounded.get(input) ?? this.rounded.get(`${part}:${input}`)
    if (before !== undefined) return before
    const own = `${part}/${input.replace(':', '_')}/to16`
    this.out.push(cast(own, input, [FLOAT, BFLOAT16], this.output(input).shape))
    this.rounded.set(`${part}:${input}`, own)
    return own
  }

  private isLargeProduct({ op, outputs, inputs, attributes }: GraphNode): boolean {
    if (!products.has(op) || outputs[0]!.dtype !== FLOAT) return false
    const { shape } = this.output(inputs[0]!), transposed = attributes[op === 'MatMul' ? 'transpose_a' : 'adj_x']
    const inner = shape[shape.length - (transposed && 'bool' in transposed && transposed.bool ? 2 : 1)]!
    return 2 * inner * count(outputs[0]!.shape) >= this.leastFlops
  }
  private output(input: string): Output {
    return outputOf(input, this.byName)
  }
}

/** Moving operations whose results go into products alone: rounding before or after them is the same. */
function movedIntoProducts(nodes: readonly GraphNode[], isProduct: (node: GraphNode) => boolean): Set<string> {
  const wanted = new Set<string>(), elsewhere = new Set<string>()
  for (const node of [...nodes].reverse()) {
    const takes = isProduct(node) || (moves.has(node.op) && wanted.has(node.name) && !elsewhere.has(node.name))
    for (const input of node.inputs) (takes ? wanted : elsewhere).add(sourceOf(input)?.node ?? '')
  }
  return new Set(nodes.filter(n => moves.has(n.op) && wanted.has(n.name) && !elsewhere.has(n.name)).map(n => n.name))
}
