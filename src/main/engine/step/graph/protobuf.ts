import { encodeUtf8 } from '../../io/bytes'

/** Just enough of protocol buffers to write a graph: https://protobuf.dev/programming-guides/encoding */
export class Message {
  private readonly parts: Uint8Array[] = []
  private size = 0

  int(field: number, value: number): this {
    return this.append(varint(field << 3)).append(varint(value))
  }
  bool(field: number, value: boolean): this {
    return this.int(field, value ? 1 : 0)
  }
  float(field: number, value: number): this {
    return this.append(varint((field << 3) | 5)).append(new Uint8Array(new Float32Array([value]).buffer))
  }
  bytes(field: number, value: Uint8Array): this {
    return this.append(varint((field << 3) | 2)).append(varint(value.byteLength)).append(value)
  }
  text(field: number, value: string): this {
    return this.bytes(field, encodeUtf8(value))
  }
  message(field: number, value: Message): this {
    this.append(varint((field << 3) | 2)).append(varint(value.size))
    for (const part of value.parts) this.append(part)
    return this
  }
  encode(): Uint8Array {
    const all = new Uint8Array(this.size)
    let at = 0
    for (const part of this.parts) {
      all.set(part, at)
      at += part.byteLength
    }
    return all
  }

  private append(part: Uint8Array): this {
    this.parts.push(part)
    this.size += part.byteLength
    return this
  }
}

/** Seven bits a byte, lowest first; negative numbers as 64-bit two's complement. */
function varint(value: number): Uint8Array {
  const out: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    out.push(rest > 0n ? low | 128 : low)
  } while (rest > 0n)
  return Uint8Array.from(out)
}
