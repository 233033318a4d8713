/** Number formats of safetensors files, and what can be read of them. Hosts are little-endian, as the format is. */

export const dtypeBytes = {
  BOOL: 1, U8: 1, I8: 1, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1, U16: 2, I16: 2, F16: 2, BF16: 2,
  U32: 4, I32: 4, F32: 4, U64: 8, I64: 8, F64: 8,
} as const
export type Dtype = keyof typeof dtypeBytes
export const isDtype = (name: string): name is Dtype => Object.hasOwn(dtypeBytes, name)

const float32 = new Float32Array(1), bits = new Uint32Array(float32.buffer)
let halves: Float32Array | null = null

/** The value of each of the 65536 float16 numbers. */
function halfTable(): Float32Array {
  if (halves) return halves
  const table = new Float32Array(65536)
  for (let h = 0; h < 65536; h++) {
    const exponent = (h >> 10) & 31, fraction = h & 1023
    const size = exponent === 0 ? fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : Infinity) : (1024 + fraction) * 2 ** (exponent - 25)
    table[h] = h & 0x8000 ? -size : size
  }
  return halves = table
}

const aligned = (raw: Uint8Array): ArrayBuffer => raw.slice().buffer

// plain loops: `from` with a function takes ten times as long, seconds for a large model
function converted<T>(from: ArrayLike<T>, value: (x: T) => number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(from.length)
  for (let i = 0; i < out.length; i++) out[i] = value(from[i]!)
  return out
}
function rounded(from: ArrayLike<number>, value: (x: number) => number): Uint16Array {
  const out = new Uint16Array(from.length)
  for (let i = 0; i < out.length; i++) out[i] = value(from[i]!)
  return out
}

/** Raw bytes as numbers; null for a format that Engram does not compute with. 64-bit integers lose digits beyond 2^53. */
export function toFloat32(raw: Uint8Array, dtype: Dtype): Float32Array<ArrayBuffer> | null {
  switch (dtype) {
    case 'F32': return new Float32Array(aligned(raw))
    case 'F64': return new Float32Array(new Float64Array(aligned(raw)))
    case 'F16': {
      const table = halfTable()
      return converted(new Uint16Array(aligned(raw)), h => table[h]!)
    }
    case 'BF16': {
      const out = new Uint32Array(new Uint16Array(aligned(raw)))
      for (let i = 0; i < out.length; i++) out[i]! <<= 16
      return new Float32Array(out.buffer)
    }
    case 'I64': return converted(new BigInt64Array(aligned(raw)), Number)
    case 'U64': return converted(new BigUint64Array(aligned(raw)), Number)
    case 'I32': return new Float32Array(new Int32Array(aligned(raw)))
    case 'U32': return new Float32Array(new Uint32Array(aligned(raw)))
    case 'I16': return new Float32Array(new Int16Array(aligned(raw)))
    case 'U16': return new Float32Array(new Uint16Array(aligned(raw)))
    case 'I8': return new Float32Array(new Int8Array(aligned(raw)))
    case 'U8': case 'BOOL': return new Float32Array(raw)
    default: return null
  }
}

/** Integer formats as int32, for labels and token ids; null for any other. */
export function toInt32(raw: Uint8Array, dtype: Dtype): Int32Array<ArrayBuffer> | null {
  switch (dtype) {
    case 'I32': return new Int32Array(aligned(raw))
    case 'I64': return Int32Array.from(new BigInt64Array(aligned(raw)), Number)
    case 'U8': case 'BOOL': return new Int32Array(raw)
    case 'I16': return new Int32Array(new Int16Array(aligned(raw)))
    default: return null
  }
}

/** The nearest bfloat16, ties to even. */
export function toBfloat16(value: number): number {
  float32[0] = value
  const b = bits[0]!
  if ((b & 0x7fffffff) > 0x7f800000) return (b >>> 16) | 0x40
  return (b + 0x7fff + ((b >>> 16) & 1)) >>> 16
}

/** The nearest float16, ties to even; beyond 65504 infinity. */
export function toFloat16(value: number): number {
  float32[0] = value
  const b = bits[0]!, sign = (b >>> 16) & 0x8000, magnitude = b & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00
  if (magnitude < 0x38800000) { // below 2^-14: a multiple of 2^-24
    float32[0] = Math.abs(value)
    return sign | roundEven(float32[0]! * 2 ** 24)
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

function roundEven(x: number): number {
  const low = Math.floor(x), rest = x - low
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low
}

export type Written = 'F32' | 'F16' | 'BF16' | 'I32'

/** Numbers as raw bytes of a format. */
export function toBytes(data: Float32Array | Int32Array, dtype: Written): Uint8Array {
  const values = dtype === 'F16' ? rounded(data, toFloat16) : dtype === 'BF16' ? rounded(data, toBfloat16)
    : dtype === 'F32' ? (data instanceof Float32Array ? data : Float32Array.from(data))
      : data instanceof Int32Array ? data : Int32Array.from(data)
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

/** Neither infinite nor NaN. */
export function allFinite(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i]! - values[i]! !== 0) return false
  return true
}
