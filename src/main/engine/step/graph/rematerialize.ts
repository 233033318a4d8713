import { count } from '../../sites'
import { FLOAT, partOf, sourceOf, type GraphNode, type Output } from './graphDef'

/** Where stages begin in a list of nodes, where the last one ends, and where the way back begins. */
export interface Stages { starts: readonly number[]; end: number; back: number }

/**
 * The nodes of a gradient with what stages compute inside computed once more for the way back, so that only what goes from
 * stage to stage is kept (Chen et al. 2016, arXiv 1604.06174). The last stage is kept: the way back begins with it. Tensors
 * of fewer than `least` elements are kept.
 */
export function rematerialized(nodes: readonly GraphNode[], stages: Stages, least: number): GraphNode[] {
  const again = new Rematerializing(nodes, stages, least)
  return [...nodes.slice(0, stages.back), ...nodes.slice(stages.back).flatMap(node => again.before(node))]
}

class Rematerializing {
  private readonly indices: ReadonlyMap<string, number>
  /** large tensors that something outside of their stage reads on the way forward */
  private readonly handedOn = new Set<string>()
  /** stage -> the node after which it is computed again */
  private readonly triggers = new Map<number, string>()
  private readonly copies = new Map<string, string>()
  private last: string

  constructor(private readonly nodes: readonly GraphNode[], private readonly stages: Stages, private readonly least: number) {
    this.indices = new Map(nodes.map((n, i) => [n.name, i]))
    this.last = nodes[stages.back - 1]?.name ?? ''
    for (const node of nodes.slice(0, stages.back)) for (const input of node.inputs) if (this.stageOf(input) !== this.stageAt(this.indices.get(node.name)!)) this.handedOn.add(input)
  }

  /** A node of the way back, and before it what it needs computed again. */
  before(node: GraphNode): GraphNode[] {
    const out: GraphNode[] = []
    const inputs = node.inputs.map(input => this.isKept(input) ? input : this.copy(input, this.stageOf(input)!, node, out))
    this.last = node.name
    return [...out, { ...node, inputs }]
  }

  private isKept(input: string): boolean {
    return this.stageOf(input) === null || this.handedOn.has(input) || !this.isLarge(input)
  }

  private copy(input: string, stage: number, reader: GraphNode, out: GraphNode[]): string {
    const source = sourceOf(input)!, known = this.copies.get(source.node)
    const name = known ?? this.copyNode(source.node, stage, reader, out)
    return source.output === 0 ? name : `${name}:${source.output}`
  }

  private copyNode(original: string, stage: number, reader: GraphNode, out: GraphNode[]): string {
    const node = this.nodes[this.indices.get(original)!]!
    const inputs = node.inputs.map(input => this.inputAgain(input, stage, reader, out)), name = this.nameOf(original)
    this.copies.set(original, name)
    out.push({ ...node, name, inputs })
    return name
  }

  private inputAgain(input: string, stage: number, reader: GraphNode, out: GraphNode[]): string {
    if (this.stageOf(input) === stage && !this.handedOn.has(input)) return this.isConstant(input) ? input : this.copy(input, stage, reader, out)
    return this.isLarge(input) ? this.entering(input, stage, reader, out) : input
  }

  /** What enters a stage comes to the copies only when the way back has come there: they would be computed at once otherwise. */
  private entering(input: string, stage: number, reader: GraphNode, out: GraphNode[]): string {
    const name = `${this.nameOf(input.replace(':', '_'))}/for${stage}`
    if (this.copies.has(name)) return name
    this.copies.set(name, name)
    out.push({ name, op: 'Identity', inputs: [input, `^${this.triggerOf(stage, reader)}`], attributes: { T: { type: FLOAT } }, outputs: [this.outputOf(input)!] })
    return name
  }

  private triggerOf(stage: number, reader: GraphNode): string {
    const known = this.triggers.get(stage)
    if (known !== undefined) return known
    const before = reader.inputs.map(input => sourceOf(input)?.node ?? '').find(name => (this.indices.get(name) ?? -1) >= this.stages.back) ?? this.last
    this.triggers.set(stage, before)
    return before
  }

  private nameOf(original: string): string {
    const part = partOf(original)
    return `${part}/again/${original.slice(part.length + 1)}`
  }

  private stageOf(input: string): number | null {
    const source = sourceOf(input), index = source && this.indices.get(source.node)
    return index === null || index === undefined ? null : this.stageAt(index)
  }
  private stageAt(index: number): number | null {
    const { starts, end } = this.stages
    if (index >= end || index < (starts[0] ?? 0)) return null
    const stage = starts.findLastIndex(start => start <= index)
    return stage === starts.length - 1 ? null : stage
  }

  private isConstant(input: string): boolean {
    const source = sourceOf(input)
    return !!source && this.nodes[this.indices.get(source.node) ?? -1]?.op === 'Const'
  }
  private isLarge(input: string): boolean {
    const output = this.outputOf(input)
    return output?.dtype === FLOAT && count(output.shape) >= this.least
  }
  private outputOf(input: string): Output | undefined {
    const source = sourceOf(input)
    return source ? this.nodes[this.indices.get(source.node) ?? -1]?.outputs[source.output] : undefined
  }
}
