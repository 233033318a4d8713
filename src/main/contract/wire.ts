import { z } from 'zod'
import { ErrorValue } from './errors'

/** A request with one answer. */
export interface Call<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> { kind: 'call'; input: I; output: O }
/** A subscription; events arrive in arrays. */
export interface Feed<I extends z.ZodType = z.ZodType, E extends z.ZodType = z.ZodType> { kind: 'feed'; input: I; event: E }
export const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Call<I, O> => ({ kind: 'call', input, output })
export const feed = <I extends z.ZodType, E extends z.ZodType>(input: I, event: E): Feed<I, E> => ({ kind: 'feed', input, event })

export type Contract = Record<string, Record<string, Call | Feed>>
type Unsubscribe = () => void

/** What the renderer calls: `api.runs.start(recipe)`, `api.runs.watch(input, onEvents)`. */
export type Client<C extends Contract> = {
  [G in keyof C]: {
    [N in keyof C[G]]: C[G][N] extends Call<infer I, infer O> ? (input: z.input<I>) => Promise<z.output<O>>
      : C[G][N] extends Feed<infer I, infer E> ? (input: z.input<I>, on: (events: z.output<E>[]) => void) => Unsubscribe
        : never
  }
}
/** What main must provide; a missing or wrongly typed handler does not compile. */
export type Handlers<C extends Contract> = {
  [G in keyof C]: {
    [N in keyof C[G]]: C[G][N] extends Call<infer I, infer O> ? (input: z.output<I>) => Promise<z.input<O>> | z.input<O>
      : C[G][N] extends Feed<infer I, infer E> ? (input: z.output<I>, emit: (events: z.output<E>[]) => void) => Unsubscribe | Promise<Unsubscribe>
        : never
  }
}
export const Reply = z.discriminatedUnion('ok', [z.object({ ok: z.literal(true), value: z.unknown() }), z.object({ ok: z.literal(false), error: ErrorValue })])
export type Reply = z.infer<typeof Reply>
