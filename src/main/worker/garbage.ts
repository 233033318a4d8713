import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Frees at once what nobody refers to any more. V8 puts it off while memory is not short; but arrays of weights that
 * were handed over to TensorFlow would be there twice while activations are added to them.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
