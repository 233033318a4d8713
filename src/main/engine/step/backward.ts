import { tf, type Tensor } from '../tf'

/** What tfjs records of each operation while it listens for gradients. */
interface TapeNode {
  kernelName: string
  inputs: Record<string, Tensor>
  outputs: Tensor[]
  saved: Tensor[]
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>
}
interface RecordingEngine { state: { activeTape: TapeNode[] | null }; startTape(): void; endTape(): void }

/** Kernels whose gradients read only the shapes of what they saved. */
const shapeOnly = new Set(['Add', 'Sub', 'Reshape', 'ExpandDims', 'Concat', 'Slice', 'Sum', 'Mean'])

/**
 * The value of `loss` and its gradients with respect to all x, as `tf.valueAndGrad`, in a fraction of its memory: operations
 * that no x reaches save nothing, and what an operation saved, and the gradient of its output, go as soon as they
 * were used.
 */
export function valueAndGradients(loss: () => Tensor, xs: readonly Tensor[]): { value: Tensor; gradients: Tensor[] } {
  const engine = tf.engine() as unknown as RecordingEngine
  engine.startTape()
  const tape = engine.state.activeTape!
  keepWhatMatters(tape, xs)
  let value: Tensor
  try {
    value = tf.tidy(loss)
  } finally {
    engine.endTape()
    engine.state.activeTape = null
  }
  return { value, gradients: backward(tape, value, xs) }
}

function keepWhatMatters(tape: TapeNode[], xs: readonly Tensor[]): void {
  const reached = new Set(xs.map(x => x.id))
  tape.push = (...nodes: TapeNode[]) => {
    for (const node of nodes) {
      const matters = Object.values(node.inputs).some(input => reached.has(input.id))
      if (!matters || shapeOnly.has(node.kernelName)) tf.dispose(node.saved)
      if (!matters) continue
      node.inputs = Object.fromEntries(Object.entries(node.inputs).filter(([, input]) => reached.has(input.id)))
      for (const output of node.outputs) reached.add(output.id)
      tape[tape.length] = node
    }
    return tape.length
  }
}

function backward(tape: TapeNode[], value: Tensor, xs: readonly Tensor[]): Tensor[] {
  const gradients = new Map<number, Tensor>([[value.id, tf.onesLike(value)]])
  for (const node of tape.reverse()) {
    const dys = node.outputs.map(output => gradients.get(output.id) ?? null)
    if (dys.some(dy => dy !== null)) {
      for (const [id, dx] of inputGradients(node, dys)) addTo(gradients, id, dx)
    }
    for (const output of node.outputs) {
      gradients.get(output.id)?.dispose()
      gradients.delete(output.id)
    }
    tf.dispose(node.saved)
  }
  return xs.map(x => gradients.get(x.id) ?? tf.zerosLike(x))
}

function inputGradients(node: TapeNode, dys: (Tensor | null)[]): [number, Tensor][] {
  if (!node.gradient) throw new Error(`${node.kernelName} has no gradient.`)
  const names = Object.keys(node.inputs)
  const found = tf.tidy(() => {
    const lazy = node.gradient!(dys)
    const all = names.map(name => lazy[name]!())
    // a gradient may be dy itself, or the same tensor for two inputs; each gets a handle of its own
    return all.map((dx, i) => dys.includes(dx) || all.indexOf(dx) < i ? dx.clone() : dx)
  })
  return found.map((dx, i) => [node.inputs[names[i]!]!.id, dx])
}

function addTo(gradients: Map<number, Tensor>, id: number, dx: Tensor): void {
  const before = gradients.get(id)
  if (!before) return void gradients.set(id, dx)
  gradients.set(id, tf.add(before, dx))
  tf.dispose([before, dx])
}
