import { count } from '../sites'
import type { ByteSource } from './bytes'
import { dtypeBytes, toFloat32, toInt32, type Dtype } from './dtypes'
import { unreadable, type StoredTensor, type TensorStore } from './safetensors'
import { zipEntries, type ZipEntry } from './zip'

/** NumPy's archives of arrays, as Google publishes its ViT checkpoints. */
const formats: Readonly<Record<string, Dtype>> = {
  'f2': 'F16', 'f4': 'F32', 'f8': 'F64', 'i4': 'I32', 'i8': 'I64', 'i2': 'I16', 'u1': 'U8', 'i1': 'I8', 'b1': 'BOOL', 'V2': 'BF16',
}

const LONGEST_HEADER = 4096

interface Npy { dtype: Dtype; fortran: boolean; shape: number[]; start: number }

export async function openNpz(source: ByteSource): Promise<TensorStore> {
  const entries = (await zipEntries(source)).filter(entry => entry.name.endsWith('.npy'))
  if (entries.length === 0) throw unreadable(source.name, 'holds no arrays.')
  const tensors = new Map<string, StoredTensor>()
  for (const entry of entries) {
    const name = entry.name.slice(0, -4)
    tensors.set(name, await openArray(source.name, name, entry))
  }
  return tensors
}

async function openArray(file: string, name: string, entry: ZipEntry): Promise<StoredTensor> {
  const fail = (what: string) => unreadable(file, `array "${name}" ${what}`)
  const { dtype, shape, fortran, start } = parseNpy(await entry.read(LONGEST_HEADER), entry.size, fail)
  const data = async () => (await entry.read()).subarray(start)
  const numbers = async () => {
    const values = toFloat32(await data(), dtype)!
    return fortran ? rowMajor(values, shape) : values
  }
  return {
    name, file, dtype, shape, bytes: count(shape) * dtypeBytes[dtype],
    read: async range => range ? (await numbers()).slice(...range) : numbers(),
    readInt32: async () => {
      const values = toInt32(await data(), dtype)
      if (!values || fortran) throw fail('does not hold integers in row order.')
      return values
    },
  }
}

function parseNpy(bytes: Uint8Array, size: number, fail: (what: string) => Error): Npy {
  const magic = String.fromCharCode(...bytes.subarray(1, 6))
  if (bytes.byteLength < 12 || bytes[0] !== 0x93 || magic !== 'NUMPY') throw fail('is not in the .npy format.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const wide = bytes[6]! > 1, length = wide ? view.getUint32(8, true) : view.getUint16(8, true)
  const start = (wide ? 12 : 10) + length
  if (start > bytes.byteLength) throw fail('is cut short in its header.')
  const header = String.fromCharCode(...bytes.subarray(wide ? 12 : 10, start))
  const descr = /'descr':\s*'([<|=>])(\w+)'/.exec(header), order = /'fortran_order':\s*(True|False)/.exec(header)
  const dims = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)
  if (!descr || !order || !dims) throw fail('has a header that cannot be read.')
  const dtype = formats[descr[2]!]
  if (!dtype || descr[1] === '>') throw fail(`has the number format ${descr[1]}${descr[2]}, which Engram does not read.`)
  const shape = dims[1]!.split(',').map(d => d.trim()).filter(d => d !== '').map(d => Number.parseInt(d, 10))
  const needed = count(shape) * dtypeBytes[dtype]
  if (size - start !== needed) throw fail(`has ${size - start} bytes, but its shape [${shape.join(', ')}] needs ${needed}.`)
  return { dtype, fortran: order[1] === 'True' && shape.length > 1, shape, start }
}

/** Column-major numbers in row-major order. */
function rowMajor(values: Float32Array, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length), index = new Array<number>(shape.length).fill(0)
  const strides = shape.map((_, i) => count(shape.slice(0, i)))
  for (let at = 0; at < out.length; at++) {
    let from = 0
    for (let i = 0; i < shape.length; i++) from += index[i]! * strides[i]!
    out[at] = values[from]!
    for (let i = shape.length - 1; i >= 0 && ++index[i]! === shape[i]!; i--) index[i] = 0
  }
  return out
}
