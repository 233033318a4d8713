import { tf, type Tensor } from '../tf'
import { BFLOAT16, FLOAT, INT32, type GraphNode } from './graph/graphDef'
import { multiplied, multiplies } from './graph/matmul'
import { after, cast, constant, group, openSession, variable, type Session, type WithModelFolder } from './graph/session'
import type { Precision, Rates } from '../../contract/rates'

// ViT-B's: large enough that what is measured is the machine.
const ROWS = 1024, WIDTH = 768, REPEATS = 5
/** Multiplies [1024, 768] with [768, 3072] in both precisions, by what a compiled step multiplies with, in some tenths of a second. */
export function measureRates(withFolder: WithModelFolder): Rates {
  const x = [ROWS, WIDTH], w = [WIDTH, 4 * WIDTH], names = ['fullX', 'fullW', 'roundedX', 'roundedW']
  const session = openSession(multiplied([
    ...variable('fullX', x, FLOAT), ...variable('fullW', w, FLOAT), ...variable('roundedX', x, BFLOAT16), ...variable('roundedW', w, BFLOAT16), ...group('all', names.map(name => `${name}/assign`)),
    ...timed('float32', ['fullX/read', 'fullW/read'], FLOAT), ...timed('bfloat16', ['roundedX/stored', 'roundedW/stored'], BFLOAT16),
  ], multiplies(withFolder)), withFolder)
  try {
    tf.tidy(() => session.set('all', new Map(names.map(name => [name, tf.fill(name.endsWith('X') ? x : w, 0.5)]))))
    const flops = 2 * ROWS * WIDTH * 4 * WIDTH
    return { float32: flops / nanoseconds(session, 'float32'), bfloat16: flops / nanoseconds(session, 'bfloat16') }
  } finally {
    session.close()
  }
}

/** A product, of which one number is fetched so that nothing large is copied. */
function timed(name: Precision, inputs: readonly string[], dtype: number): GraphNode[] {
  return [
    { name: `${name}/product`, op: 'MatMul', inputs, attributes: { T: { type: dtype }, transpose_a: { bool: false }, transpose_b: { bool: false } }, outputs: [{ dtype, shape: [ROWS, 4 * WIDTH] }] },
    constant(`${name}/axes`, INT32, [2], new Uint8Array(new Int32Array([0, 1]).buffer)),
    { name: `${name}/max`, op: 'Max', inputs: [`${name}/product`, `${name}/axes`], attributes: { T: { type: dtype }, Tidx: { type: INT32 }, keep_dims: { bool: false } }, outputs: [] },
    cast(`${name}/one`, `${name}/max`, [dtype, FLOAT], []), after(`${name}/run`, `${name}/one`, []),
  ]
}

function nanoseconds(session: Session, name: Precision): number {
  const times = Array.from({ length: REPEATS + 1 }, () => {
    const began = tf.util.now()
    const [result] = session.run({}, [`${name}/run`]) as [Tensor]
    result.dataSync()
    result.dispose()
    return 1e6 * (tf.util.now() - began)
  })
  return Math.min(...times.slice(1))
}
