import { count } from '../sites'
import type { Slot } from '../tuning'

/**
 * Trained values that lie together in the compiled step: all small tensors one after another, for one operation serves
 * them all; a large one alone, so that layers read it and its gradient goes where it is needed without a copy.
 */
export interface Piece { slots: readonly Slot[]; size: number; /** where each slot begins in the flat vector of all */ begins: readonly number[] }

/** From how many elements on a tensor is a piece of its own. */
export const ALONE = 262_144

export function piecesOf(slots: readonly Slot[], alone: number): Piece[] {
  const placed: { slot: Slot; begin: number; size: number }[] = []
  for (const slot of slots) placed.push({ slot, begin: placed.length === 0 ? 0 : placed.at(-1)!.begin + placed.at(-1)!.size, size: count(slot.shape) })
  const small = placed.filter(p => p.size < alone), large = placed.filter(p => p.size >= alone)
  return [...(small.length > 0 ? [small] : []), ...large.map(one => [one])]
    .map(list => ({ slots: list.map(p => p.slot), size: list.reduce((n, p) => n + p.size, 0), begins: list.map(p => p.begin) }))
}

/** A piece [size] of the flat vector; of a single tensor it is a view. */
export function gathered(flat: Float32Array, piece: Piece): Float32Array {
  const parts = piece.slots.map((slot, i) => flat.subarray(piece.begins[i]!, piece.begins[i]! + count(slot.shape)))
  if (parts.length === 1) return parts[0]!
  const out = new Float32Array(piece.size)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Gives slots' data by their names, from pieces that are read when one of their slots is asked for; large ones are not held. */
export function readerOf(pieces: readonly Piece[], read: (piece: number) => Float32Array): (slot: string) => Float32Array {
  const held = new Map<number, Float32Array>()
  return name => {
    const i = pieces.findIndex(({ slots }) => slots.some(slot => slot.name === name)), { slots } = pieces[i]!
    const data = held.get(i) ?? read(i)
    if (slots.length > 1) held.set(i, data)
    const at = slots.findIndex(slot => slot.name === name), before = slots.slice(0, at).reduce((n, slot) => n + count(slot.shape), 0)
    return data.subarray(before, before + count(slots[at]!.shape))
  }
}

/** The flat vector of all, in the order of the slots. */
export function joined(pieces: readonly Piece[], read: (piece: number) => Float32Array): Float32Array {
  const flat = new Float32Array(pieces.reduce((n, piece) => n + piece.size, 0))
  for (const [i, piece] of pieces.entries()) scatter(piece, read(i), flat)
  return flat
}

/** Puts a piece back to where it belongs in the flat vector. */
function scatter(piece: Piece, data: Float32Array, into: Float32Array): void {
  let at = 0
  for (const [i, slot] of piece.slots.entries()) {
    into.set(data.subarray(at, at + count(slot.shape)), piece.begins[i])
    at += count(slot.shape)
  }
}
