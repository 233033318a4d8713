// GFLOP/s of TensorFlow's matrix products, in a process of its own: node bench/lib/matrixRate.mjs SHAPES
import util from 'node:util'

const SECONDS = 1.5
const BFLOAT16 = 14
const FLOAT = 1

// tfjs-node 4.22 calls two functions that Node 23 removed.
Object.assign(util, { isArray: Array.isArray, isNullOrUndefined: (value) => value == null })
const { default: tf } = await import('@tensorflow/tfjs-node-gpu')
const shapes = JSON.parse(process.argv[2])
console.log(JSON.stringify({ float32: rate(FLOAT), bfloat16: rate(BFLOAT16) }))

function rate(type) {
  const { binding } = tf.backend()
  const execute = (name, attributes, inputs) => binding.executeOp(name, attributes, inputs, 1)[0].id
  const attribute = (name, kind, value) => ({ name, type: kind, value })
  const truncate = attribute('Truncate', binding.TF_ATTR_BOOL, false)
  const cast = (id) => execute('Cast', [attribute('SrcT', binding.TF_ATTR_TYPE, FLOAT), attribute('DstT', binding.TF_ATTR_TYPE, type), truncate], [id])
  const random = (shape) => cast(binding.createTensor(shape, FLOAT, tf.randomNormal(shape).dataSync()))
  const flags = ['transpose_a', 'transpose_b'].map((name) => attribute(name, binding.TF_ATTR_BOOL, name === 'transpose_b'))
  const pairs = shapes.map(([m, k, n]) => [random([m, k]), random([n, k])])
  const work = shapes.reduce((sum, [m, k, n]) => sum + 2 * m * k * n, 0)
  const until = performance.now() + 1000 * SECONDS
  let best = Infinity
  while (performance.now() < until) {
    const began = performance.now()
    for (const pair of pairs) binding.deleteTensor(execute('MatMul', [...flags, attribute('T', binding.TF_ATTR_TYPE, type)], pair))
    best = Math.min(best, performance.now() - began)
  }
  return work / best / 1e6
}
