import { bitfit } from './bitfit'
import type { Method } from './define'
import { dora } from './dora'
import { full } from './full'
import { ia3 } from './ia3'
import { layernorm } from './layernorm'
import { linearProbe } from './linearProbe'
import { lora } from './lora'
import { ssf } from './ssf'

/** Every method there is; a new one is its own file and a line here. */
export const methods: readonly Method[] = [ssf, lora, dora, ia3, bitfit, layernorm, linearProbe, full]
