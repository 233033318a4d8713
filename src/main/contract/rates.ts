import { z } from 'zod'

export const Precision = z.enum(['float32', 'bfloat16'])
export type Precision = z.infer<typeof Precision>
/** GFLOP/s of a matrix product. */
export const Rates = z.object({ float32: z.number(), bfloat16: z.number() })
export type Rates = z.infer<typeof Rates>

/** Casts around the products have their price, too: bfloat16 must be clearly faster. */
const LEAST_GAIN = 1.25

export const fasterPrecision = ({ float32, bfloat16 }: Rates): Precision => bfloat16 >= LEAST_GAIN * float32 ? 'bfloat16' : 'float32'
