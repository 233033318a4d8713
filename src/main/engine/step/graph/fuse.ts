import { count } from '../../sites'
import { onGpu } from '../../tf'
import { axesIn, BFLOAT16, FLOAT, moves, outputOf, partOf, renamed, sourceOf, type GraphNode, type Output } from './graphDef'
import { addressOf, Program, tableOf, type Address, type Register, type Table } from './program'
import { recomputed } from './recompute'
import { opens, placeholder, reshaped, type WithModelFolder } from './session'

/** TensorFlow's element-wise operations, as instructions of a fused program. */
const instructions: Readonly<Record<string, string>> = {
  Abs: 'abs', Add: 'add', AddV2: 'add', BiasAdd: 'add', Erf: 'erf', Exp: 'exp', Floor: 'floor', Maximum: 'max', Minimum: 'min', Mul: 'mul', Neg: 'neg',
  RealDiv: 'div', Reciprocal: 'reciprocal', Relu: 'relu', Rsqrt: 'rsqrt', Sigmoid: 'sigmoid', Sqrt: 'sqrt', Square: 'square', Sub: 'sub', Tanh: 'tanh',
}
/** Reductions of the last axis. */
const reductions: Readonly<Record<string, string>> = { Max: 'rowmax', Mean: 'rowmean', Sum: 'rowsum' }

/** Whether this runtime has the operation: our own build of the addon does, on a CPU. */
export function canFuse(withFolder: WithModelFolder): boolean {
  const one: Output = { dtype: FLOAT, shape: [1] }, types = { types: [FLOAT] }
  return !onGpu() && opens([
    placeholder('x', 'float32', [1]),
    { name: 'y', op: 'EngramFused', inputs: ['x'], attributes: { Tin: types, Tout: types, program: { text: '1 1\n1\n1 1 1\n0\n1\n0 wide 1 1' } }, outputs: [one] },
  ], withFolder)
}

/** Runs of element-wise operations on at least so many elements as one operation each: one pass over memory in place of many. */
export function fused(nodes: readonly GraphNode[], least: number): GraphNode[] {
  const first = fuse(nodes, least)
  return fuse(recomputed(first.nodes, name => first.runOf.get(name), least), least).out
}

function fuse(nodes: readonly GraphNode[], least: number): Fusion {
  const fusion = new Fusion(nodes, least)
  for (const node of fusion.nodes) fusion.add(node)
  fusion.close()
  return fusion
}

/**
 * Nodes come in the order in which they were computed. One run is open at a time; what does not need it goes before it,
 * and small things that need it wait until it is closed.
 */
class Fusion {
  readonly out: GraphNode[] = []
  readonly nodes: readonly GraphNode[]
  /** the number of the fused run that a node is in */
  readonly runOf = new Map<string, number>()
  private run = new Map<string, GraphNode>()
  private table: Table = { rows: 0, columns: 0 }
  private waiting = new Map<string, GraphNode>()
  private readonly byName: ReadonlyMap<string, GraphNode>
  private readonly users: ReadonlyMap<string, readonly string[]>
  /** fused operations, by the nodes that they compute */
  private readonly callOf = new Map<string, string>()
  /** results of fused operations, by the source that they replace */
  private readonly renamed = new Map<string, string>()

  constructor(nodes: readonly GraphNode[], private readonly least: number) {
    this.byName = new Map(nodes.map(n => [n.name, n]))
    this.nodes = nodes.map(n => this.untiled(n))
    this.users = usersOf(this.nodes)
  }

  add(node: GraphNode): void {
    if (this.run.size > 0 && partOf(this.run.keys().next().value!) !== partOf(node.name)) this.close()
    const table = this.tableFor(node)
    if (table && this.run.size > 0 && (!sameTable(table, this.table) || this.needs(node, this.waiting))) this.close()
    if (table) {
      this.table = table
      return void this.run.set(node.name, node)
    }
    if (!this.needs(node, this.run) && !this.needs(node, this.waiting)) return this.emit(node)
    if (moves.has(node.op) || node.outputs.every(o => sizeOf(o) < this.least)) return void this.waiting.set(node.name, node)
    this.close()
    this.emit(node)
  }

  close(): void {
    const run = [...this.run.values()], waiting = this.stillUsed()
    if (run.filter(n => n.op !== 'Reshape').length < 2) run.forEach(node => this.emit(node))
    else this.call(run, new Set([...run, ...waiting].map(n => n.name)))
    this.run = new Map()
    this.waiting = new Map()
    for (const node of waiting) this.emit(node)
  }

  /** What is repeated to the size of another operand need not be: operations broadcast. */
  private untiled(node: GraphNode): GraphNode {
    const { op, inputs, outputs } = node
    if (!(op in instructions) || !inputs.some(input => this.byName.get(input)?.op === 'Tile')) return node
    const whole = inputs.some(input => this.byName.get(input)?.op !== 'Tile' && sizeOf(this.outputOf(input)) === sizeOf(outputs[0]!))
    return whole ? { ...node, inputs: inputs.map(input => this.beforeTile(input)) } : node
  }
  private beforeTile(input: string): string {
    const tile = this.byName.get(input)
    if (tile?.op !== 'Tile') return input
    const { shape } = this.outputOf(tile.inputs[0]!), tiled = tile.outputs[0]!.shape
    return shape.every((size, i) => size === 1 || size === tiled[i]) ? tile.inputs[0]! : input
  }

  /** The table that a node's loop goes through, or null if it can be in no program. */
  private tableFor(node: GraphNode): Table | null {
    const { op, outputs } = node
    if (outputs.length !== 1) return null
    const whole = op in reductions || op === 'BiasAddGrad' ? this.outputOf(node.inputs[0]!) : outputs[0]!
    const inRun = this.run.has(nodeOf(node.inputs[0] ?? ''))
    // one number a row, made from another
    if (inRun && whole.shape.at(-1) === 1 && this.table.columns > 1 && op in instructions && tableOf(whole.shape).rows === this.table.rows) {
      return this.operandsFit(node, whole.shape) ? this.table : null
    }
    if (sizeOf(whole) < this.least) return null
    const table = tableOf(whole.shape)
    if (op === 'Reshape') return inRun && isReal(whole) && sameTable(table, this.table) ? table : null
    if (op === 'Cast') return isReal(whole) && isReal(this.outputOf(node.inputs[0]!)) ? table : null
    if (!isReal(whole) || whole.dtype === BFLOAT16) return null
    if (op === 'Softmax') return table.rows > 1 ? table : null
    if (op === 'BiasAddGrad') return table
    if (op in reductions) return table.rows > 1 && this.reducesLast(node) ? table : null
    return op in instructions && this.operandsFit(node, whole.shape) ? table : null
  }

  private operandsFit({ inputs }: GraphNode, shape: readonly number[]): boolean {
    return inputs.every(input => addressOf(this.outputOf(input), shape) !== null)
  }
  private reducesLast(node: GraphNode): boolean {
    const rank = this.outputOf(node.inputs[0]!).shape.length, axes = axesIn(this.byName.get(node.inputs[1] ?? ''), rank)
    return axes?.length === 1 && axes[0] === rank - 1
  }

  private needs({ inputs }: GraphNode, nodes: ReadonlyMap<string, GraphNode>): boolean {
    return nodes.size > 0 && inputs.some(input => nodes.has(nodeOf(input)))
  }

  /** Waiting nodes but those that only programs would have read. */
  private stillUsed(): GraphNode[] {
    const left: GraphNode[] = [], inside = new Set(this.run.keys())
    for (const node of [...this.waiting.values()].reverse()) {
      const wanted = !moves.has(node.op) || this.users.get(node.name)?.some(user => !inside.has(user))
      if (wanted) left.push(node)
      else inside.add(node.name)
    }
    return left.reverse()
  }

  private emit(node: GraphNode): void {
    this.out.push({ ...node, inputs: node.inputs.map(input => renamed(input, input.startsWith('^') ? this.callOf : this.renamed)) })
  }

  private call(run: readonly GraphNode[], kept: ReadonlySet<string>): void {
    const program = new Program(this.table), registers = new Map<string, Register>()
    for (const node of run) registers.set(node.name, this.instruction(node, program, registers))
    const results = run.filter(n => this.users.get(n.name)?.some(user => !this.run.has(user) && (kept.has(user) || !this.waiting.has(user))))
    if (results.length === 0) return
    const name = `${run[0]!.name}/fused`
    for (const node of run) {
      this.runOf.set(node.name, this.out.length)
      this.callOf.set(node.name, name)
    }
    const stored: GraphNode[] = [], twins: GraphNode[] = []
    for (const node of results) {
      const twin = stored.find(n => registers.get(n.name) === registers.get(node.name) && this.isTwin(n, node))
      if (twin) twins.push(...reshaped(node.name, twin.name, node.outputs[0]!))
      else this.renamed.set(node.name, stored.push(node) === 1 ? name : `${name}:${stored.length - 1}`)
    }
    for (const node of stored) program.output(registers.get(node.name)!, this.kindOf(node), node.outputs[0]!)
    this.out.push({
      name, op: 'EngramFused', inputs: program.sources.map(source => this.renamed.get(source) ?? source), outputs: stored.map(n => n.outputs[0]!),
      attributes: { Tin: { types: program.sources.map(source => this.outputOf(source).dtype) }, Tout: { types: program.outputTypes }, program: { text: program.text() } },
    })
    twins.forEach(node => this.emit(node))
  }

  /** Whether two results differ in nothing but the axes. */
  private isTwin(a: GraphNode, b: GraphNode): boolean {
    return a.outputs[0]!.dtype === b.outputs[0]!.dtype && this.kindOf(a) === 'wide' && this.kindOf(b) === 'wide'
  }

  private kindOf(node: GraphNode): 'wide' | 'narrow' | 'sum' {
    if (node.op === 'BiasAddGrad') return 'sum'
    return sizeOf(node.outputs[0]!) === this.table.rows && this.table.columns > 1 ? 'narrow' : 'wide'
  }

  private instruction(node: GraphNode, program: Program, registers: ReadonlyMap<string, Register>): Register {
    const { op, inputs, outputs: [output] } = node
    const shape = op in reductions || op === 'BiasAddGrad' ? this.outputOf(inputs[0]!).shape : output!.shape
    const read = (input: string): Register => {
      const known = registers.get(input)
      if (!known) return program.input(input, this.addressIn(input, shape))
      return this.outputOf(input).dtype === BFLOAT16 ? program.compute('round', known) : known
    }
    // a sum over the rows is taken where the result is stored
    if (op === 'Cast' || op === 'Reshape' || op === 'BiasAddGrad') return registers.get(inputs[0]!) ?? read(inputs[0]!)
    if (op === 'Softmax') return softmax(program, read(inputs[0]!))
    if (op in reductions) return program.compute(reductions[op]!, read(inputs[0]!))
    return program.compute(instructions[op]!, ...inputs.map(read) as [Register, Register?])
  }

  /** Where the result is one number a row, its operands are read as such. */
  private addressIn(input: string, shape: readonly number[]): Address {
    const address = addressOf(this.outputOf(input), shape)!
    return shape.at(-1) === 1 && this.table.columns > 1 ? { ...address, wide: false } : address
  }

  private outputOf(input: string): Output {
    return outputOf(input, this.byName)
  }
}

function softmax(program: Program, x: Register): Register {
  const e = program.compute('exp', program.compute('sub', x, program.compute('rowmax', x)))
  return program.compute('mul', e, program.compute('reciprocal', program.compute('rowsum', e)))
}

const nodeOf = (input: string): string => input.startsWith('^') ? input.slice(1) : sourceOf(input)!.node
const sizeOf = ({ shape }: Output): number => count(shape)
const isReal = ({ dtype }: Output): boolean => dtype === FLOAT || dtype === BFLOAT16
const sameTable = (a: Table, b: Table): boolean => a.rows === b.rows && a.columns === b.columns

function usersOf(nodes: readonly GraphNode[]): Map<string, string[]> {
  const users = new Map<string, string[]>()
  for (const node of nodes) {
    for (const input of node.inputs) {
      const list = users.get(nodeOf(input))
      if (list) list.push(node.name)
      else users.set(nodeOf(input), [node.name])
    }
  }
  return users
}
